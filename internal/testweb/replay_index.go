package testweb

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// replayRecord is what the replay reads of any service's record: identifiers
// and URLs of PDFs. Fields that a service spells differently stay empty.
type replayRecord struct {
	unpaywallRow

	ID          string
	DOI         string
	PMID, PMCID string
	Link        []crossrefLink
	Locations   []openAlexLocation
	FullTexts   europePMCTexts `json:"fullTextUrlList"`
	InEPMC      string         // Y: the full text is at Europe PMC
	HasPDF      string         // Y: as PDF, too
	ExternalIDs struct {
		DOI, ArXiv string
		PubMed     string
	}
	Attributes struct{ DOI string }

	About struct {
		Identifiers []struct{ Type, ID string } `json:"identifier"`
		Links       []directoryLink             `json:"link"`
	} `json:"bibjson"` // of DOAJ
	PIDs    []struct{ Scheme, Value string } // of OpenAIRE
	Scholar *struct{ URL string }            `json:"openAccessPdf"`
}

type directoryLink struct {
	Type string `json:"content_type"`
	URL  string
}

type unpaywallRow struct {
	Best        *unpaywallLocation  `json:"best_oa_location"`
	OALocations []unpaywallLocation `json:"oa_locations"`
}

type unpaywallLocation struct {
	PDF string `json:"url_for_pdf"`
}

type crossrefLink struct {
	URL  string
	Type string `json:"content-type"`
}

type openAlexLocation struct {
	PDF string `json:"pdf_url"`
}

type europePMCTexts struct {
	URLs []struct{ DocumentStyle, URL string } `json:"fullTextUrl"`
}

// index files a service's record under the work's identifiers, unless there is
// one, and marks the URLs at which it says there is a PDF.
func (rp *Replay) index(service string, body []byte) {
	switch service {
	case "zenodo":
		rp.indexZenodo(body)
		return
	case "biorxiv":
		rp.indexBioRxiv(body)
		return
	}
	var record replayRecord
	if !slices.Contains(bulkServices(), service) && service != "openaire" || json.Unmarshal(body, &record) != nil {
		return
	}
	for _, id := range record.identifiers(service) {
		if key := service + " " + id; rp.records[key] == nil {
			rp.records[key] = json.RawMessage(body)
		}
	}
	for _, fileURL := range record.pdfURLs() {
		rp.pdfs[urlKey(fileURL)] = true
		if id, ok := arXivIDOf(fileURL); ok {
			rp.known["arxiv:"+id] = true
		}
	}
}

func (record replayRecord) identifiers(service string) []string {
	doi := firstOf(firstOf(record.DOI, record.listedDOI()), firstOf(record.ExternalIDs.DOI, record.Attributes.DOI))
	ids := []string{prefixed("doi:", strings.ToLower(strings.TrimPrefix(doi, "https://doi.org/")))}
	switch service {
	case "europepmc":
		ids = append(ids, prefixed("pmcid:", record.PMCID), prefixed("pmid:", record.PMID))
	case "openalex":
		ids = append(ids, prefixed("openalex:", strings.TrimPrefix(record.ID, "https://openalex.org/")))
	case "semanticscholar":
		ids = append(ids, prefixed("arxiv:", strings.ToLower(record.ExternalIDs.ArXiv)), prefixed("pmid:", record.ExternalIDs.PubMed))
	}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

// listedDOI is the DOI in a list of identifiers.
func (record replayRecord) listedDOI() string {
	for _, id := range record.About.Identifiers {
		if strings.EqualFold(id.Type, "doi") {
			return id.ID
		}
	}
	for _, id := range record.PIDs {
		if id.Scheme == "doi" {
			return id.Value
		}
	}
	return ""
}

// pdfURLs lists the URLs at which the record says there is a PDF.
func (record replayRecord) pdfURLs() []string {
	urls := record.unpaywallPDFs()
	for _, link := range record.Link {
		if link.Type == "application/pdf" {
			urls = append(urls, link.URL)
		}
	}
	for _, location := range record.Locations {
		urls = append(urls, location.PDF)
	}
	for _, text := range record.FullTexts.URLs {
		if text.DocumentStyle == "pdf" {
			urls = append(urls, text.URL)
		}
	}
	if s := record.Scholar; s != nil && strings.HasSuffix(strings.ToLower(s.URL), ".pdf") {
		urls = append(urls, s.URL)
	}
	if record.InEPMC == "Y" && record.HasPDF == "Y" && record.PMCID != "" {
		urls = append(urls, "https://europepmc.org/articles/"+record.PMCID+"?pdf=render")
	}
	for _, link := range record.About.Links {
		if strings.Contains(strings.ToLower(link.Type), "pdf") {
			urls = append(urls, link.URL)
		}
	}
	return slices.DeleteFunc(urls, func(u string) bool { return u == "" })
}

// unpaywallPDFs lists the url_for_pdf of all locations, the best first.
func (row unpaywallRow) unpaywallPDFs() []string {
	locations := row.OALocations
	if row.Best != nil {
		locations = append([]unpaywallLocation{*row.Best}, locations...)
	}
	var urls []string
	for _, location := range locations {
		if location.PDF != "" && !slices.Contains(urls, location.PDF) {
			urls = append(urls, location.PDF)
		}
	}
	return urls
}

// unwrapped takes the one record out of a service's answer; nil if the answer is
// something else, such as a list or a transformed record.
func unwrapped(service string, body []byte) []byte {
	var envelope struct {
		Message, Data json.RawMessage
		ResultList    struct{ Result []json.RawMessage }
	}
	if json.Unmarshal(body, &envelope) != nil {
		return nil
	}
	switch service {
	case "crossref":
		return envelope.Message
	case "datacite":
		return envelope.Data
	case "europepmc":
		if len(envelope.ResultList.Result) == 1 {
			return envelope.ResultList.Result[0]
		}
		return nil
	}
	return body
}

// listed takes the records out of a list of DOAJ's or OpenAIRE's.
func listed(service string, body []byte) []json.RawMessage {
	var list struct{ Results []json.RawMessage }
	if service != "doaj" && service != "openaire" || json.Unmarshal(body, &list) != nil {
		return nil
	}
	return list.Results
}

var arXivURL = regexp.MustCompile(`^https?://(?:www\.|export\.)?arxiv\.org/pdf/([^?#]+)$`)

func arXivIDOf(fileURL string) (string, bool) {
	m := arXivURL.FindStringSubmatch(fileURL)
	if m == nil {
		return "", false
	}
	return arXivBase(m[1]), true
}
