package resolver

import "github.com/quire-dev/quire/paper"

// europePMC searches Europe PMC for the record of one work, which tells its
// other identifiers and whether the full text can be had.
type europePMC struct{ cfg Config }

type europePMCAnswer struct {
	Results struct {
		Result list[europePMCRecord] `json:"result"`
	} `json:"resultList"`
}

type europePMCRecord struct {
	Source    text `json:"source"` // MED, PMC, PPR (preprints) …
	DOI       text `json:"doi"`
	PMID      text `json:"pmid"`
	PMCID     text `json:"pmcid"`
	Title     text `json:"title"`
	Published text `json:"firstPublicationDate"`
	License   text `json:"license"`
	IsOA      flag `json:"isOpenAccess"`
	InEPMC    flag `json:"inEPMC"`
	HasPDF    flag `json:"hasPDF"`
	HasSuppl  flag `json:"hasSuppl"`
	AuthMan   flag `json:"authMan"` // an author manuscript, as are the next two
	EPMCMan   flag `json:"epmcAuthMan"`
	NIHMan    flag `json:"nihAuthMan"`
	FullTexts struct {
		URLs list[europePMCURL] `json:"fullTextUrl"`
	} `json:"fullTextUrlList"`
}

type europePMCURL struct {
	Availability text `json:"availabilityCode"` // OA, F (free), S (subscription), U (unknown)
	Style        text `json:"documentStyle"`    // pdf, html, doi
	URL          text `json:"url"`
}

func (europePMC) accepts(a paper.Artifact) bool {
	return a.IDs.PMCID != "" || a.IDs.DOI != "" || a.IDs.PMID != ""
}

func (e europePMC) url(a paper.Artifact) string {
	var query string
	switch {
	case a.IDs.PMCID != "":
		query = "PMCID:" + escapeSegment(a.IDs.PMCID)
	case a.IDs.DOI != "":
		query = "DOI:" + escapeSegment(phrase(a.IDs.DOI))
	default:
		query = "EXT_ID:" + escapeSegment(a.IDs.PMID) + "%20AND%20SRC:MED"
	}
	return e.cfg.BaseURL + "/search?query=" + query + "&resultType=core&format=json"
}

func (e europePMC) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if err := check(reply, false); err != nil {
		return paper.Answer{}, err
	}
	var found europePMCAnswer
	if err := decode(reply.Body, &found); err != nil {
		return paper.Answer{}, err
	}
	var answer paper.Answer
	matched := 0
	for _, record := range found.Results.Result {
		ids := record.ids()
		if !sameWork(a.IDs, ids) {
			continue
		}
		matched++
		answer.IDs.Merge(ids)
		answer.Candidates = append(answer.Candidates, record.candidates(ids)...)
		answer.Candidates = append(answer.Candidates, record.otherFormats(e.cfg.BaseURL, ids)...)
		if matched == 1 {
			answer.Title, answer.Note = string(record.Title), record.note()
			answer.Published = dateOf(record.Published)
		}
	}
	switch {
	case matched > 0:
		return answer, nil
	case len(found.Results.Result) > 0:
		return answer, miss("answered for another work")
	default:
		return answer, miss("not known there")
	}
}

func (r europePMCRecord) ids() paper.IDs {
	return withArXiv(paper.IDs{
		DOI: doiOf(string(r.DOI)), PMCID: pmcidOf(string(r.PMCID)), PMID: pmidOf(string(r.PMID)),
	})
}

// sameWork reports whether a record bears the identifier that was asked for and
// no other DOI.
func sameWork(asked, got paper.IDs) bool {
	if asked.DOI != "" && got.DOI != "" {
		return sameDOI(asked.DOI, got.DOI)
	}
	return sharesID(asked, got)
}

// candidates are the PDF that Europe PMC renders, the open links it lists, and
// pages only where there is no file.
func (r europePMCRecord) candidates(ids paper.IDs) []paper.Candidate {
	var files, pages []paper.Candidate
	if ids.PMCID != "" && r.InEPMC && r.HasPDF {
		files = append(files, paper.Candidate{
			URL: "https://europepmc.org/articles/" + ids.PMCID + "?pdf=render", Kind: paper.PDF,
		})
	}
	for _, link := range r.FullTexts.URLs {
		if link.Availability != "OA" && link.Availability != "F" {
			continue
		}
		if link.Style == "pdf" {
			files = append(files, paper.Candidate{URL: string(link.URL), Kind: paper.PDF})
		} else {
			pages = append(pages, page(string(link.URL)))
		}
	}
	if len(files) == 0 {
		files = pages
	}
	for i := range files {
		files[i].Version, files[i].License = r.version(), license(string(r.License))
	}
	return files
}

// otherFormats are the article as XML and its supplementary files, which the
// service hands out of the open-access subset alone
// (https://europepmc.org/RestfulWebService, fullTextXML and supplementaryFiles).
func (r europePMCRecord) otherFormats(base string, ids paper.IDs) []paper.Candidate {
	if ids.PMCID == "" || !r.IsOA || !r.InEPMC {
		return nil
	}
	file := paper.Candidate{
		URL: base + "/" + ids.PMCID + "/fullTextXML", Kind: paper.XML,
		Version: r.version(), License: license(string(r.License)),
	}
	files := []paper.Candidate{file}
	if r.HasSuppl {
		file.URL, file.Kind = base+"/"+ids.PMCID+"/supplementaryFiles", paper.Supplement
		files = append(files, file)
	}
	return files
}

func (r europePMCRecord) version() paper.Version {
	switch {
	case r.Source == "PPR":
		return paper.Submitted
	case bool(r.AuthMan || r.EPMCMan || r.NIHMan):
		return paper.Accepted
	default:
		return paper.Published
	}
}

func (r europePMCRecord) note() string {
	switch {
	case bool(r.IsOA):
		return "open access"
	case bool(r.InEPMC):
		return "free to read, not open access"
	default:
		return "no full text there"
	}
}
