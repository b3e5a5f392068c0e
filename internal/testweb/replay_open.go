package testweb

import (
	"encoding/json"
	"strings"
)

// openRecord is what records of any service say of open PDFs.
type openRecord struct {
	Links    []crossrefLink            `json:"link"`
	Licenses []struct{ URL string }    `json:"license"`
	OA       []openLocation            `json:"locations"`
	InEPMC   string                    `json:"inEPMC"`
	HasPDF   string                    `json:"hasPDF"`
	FullText struct{ URLs []openText } `json:"fullTextUrlList"`
	Scholar  *struct{ URL string }     `json:"openAccessPdf"`
	About    struct {
		Links []directoryLink `json:"link"`
	} `json:"bibjson"`
}

type openLocation struct {
	IsOA bool   `json:"is_oa"`
	PDF  string `json:"pdf_url"`
}

type openText struct {
	Availability  string `json:"availabilityCode"`
	DocumentStyle string
	URL           string
}

// Open returns the services whose record of a DOI names an open PDF: one that it
// calls open, or that has a Creative Commons licence. It reads the records as they
// are, apart from what the program makes of them.
func (rp *Replay) Open(doi string) []string {
	doi = strings.ToLower(doi)
	var services []string
	if len(rp.WantPDF(doi)) > 0 {
		services = append(services, "unpaywall")
	}
	for _, service := range []string{"crossref", "openalex", "europepmc", "semanticscholar", "doaj"} {
		raw, ok := rp.records[service+" doi:"+doi].(json.RawMessage)
		var record openRecord
		if ok && json.Unmarshal(raw, &record) == nil && record.open(service) {
			services = append(services, service)
		}
	}
	if id, ok := strings.CutPrefix(doi, "10.48550/arxiv."); ok && rp.known["arxiv:"+id] {
		services = append(services, "arxiv")
	}
	return services
}

func (r openRecord) open(service string) bool {
	switch service {
	case "crossref":
		creative := false
		for _, l := range r.Licenses {
			creative = creative || strings.Contains(l.URL, "creativecommons.org/")
		}
		for _, l := range r.Links {
			if creative && l.Type == "application/pdf" {
				return true
			}
		}
	case "openalex":
		for _, l := range r.OA {
			if l.IsOA && l.PDF != "" {
				return true
			}
		}
	case "europepmc":
		for _, t := range r.FullText.URLs {
			if t.DocumentStyle == "pdf" && (t.Availability == "OA" || t.Availability == "F") {
				return true
			}
		}
		return r.InEPMC == "Y" && r.HasPDF == "Y"
	case "semanticscholar":
		return r.Scholar != nil && strings.HasSuffix(strings.ToLower(r.Scholar.URL), ".pdf")
	case "doaj":
		for _, l := range r.About.Links {
			if strings.Contains(strings.ToLower(l.Type), "pdf") {
				return true
			}
		}
	}
	return false
}
