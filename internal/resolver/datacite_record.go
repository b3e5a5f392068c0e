package resolver

import (
	"net/url"
	"path"
	"strings"

	"github.com/quire-dev/quire/paper"
)

type dataCiteWork struct {
	ID         text `json:"id"`
	Attributes struct {
		DOI    text `json:"doi"`
		Titles list[struct {
			Title text `json:"title"`
		}] `json:"titles"`
		Types struct {
			General  text `json:"resourceTypeGeneral"`
			Resource text `json:"resourceType"`
		} `json:"types"`
		Version text  `json:"version"`
		Content texts `json:"contentUrl"`
		Rights  list[struct {
			Rights text `json:"rights"`
			URI    text `json:"rightsUri"`
			ID     text `json:"rightsIdentifier"`
		}] `json:"rightsList"`
		Formats list[text] `json:"formats"`
		Related list[struct {
			ID       text `json:"relatedIdentifier"`
			Scheme   text `json:"relatedIdentifierType"`
			Relation text `json:"relationType"`
		}] `json:"relatedIdentifiers"`
	} `json:"attributes"`
}

func (work dataCiteWork) doi() string { return doiOf(or(work.Attributes.DOI, work.ID)) }

func (work dataCiteWork) answer(a paper.Artifact) (paper.Answer, error) {
	if err := checkDOI(a.IDs.DOI, work.doi(), true); err != nil {
		return paper.Answer{}, err
	}
	about := work.Attributes
	license, withheld := work.rights()
	answer := paper.Answer{IDs: work.ids(), License: license}
	if len(about.Titles) > 0 {
		answer.Title = string(about.Titles[0].Title)
	}
	switch {
	case withheld != "":
		answer.Note = withheld
	case textless(string(about.Types.General)):
		answer.Note = "no text: " + clip(string(about.Types.General), 40)
	default:
		answer.Candidates = work.candidates(answer.License)
		answer.Note = "no address of a PDF"
		if len(answer.Candidates) > 0 {
			answer.Note = "addresses of the content"
		}
	}
	return answer, nil
}

// ids are the DOI and the identifiers that the record says are identical with
// it. The versions and variants that it relates are works of their own.
func (work dataCiteWork) ids() paper.IDs {
	ids := withArXiv(paper.IDs{DOI: work.doi()})
	for _, other := range work.Attributes.Related {
		if other.Relation == "IsIdenticalTo" {
			ids.Merge(schemeID(string(other.Scheme), string(other.ID)))
		}
	}
	return ids
}

// rights are the licence, an open one before others, and what keeps the content
// from readers: the access rights of the COAR and info:eu-repo vocabularies,
// which DataCite lists among the licences.
func (work dataCiteWork) rights() (id, withheld string) {
	for _, r := range work.Attributes.Rights {
		words := strings.ToLower(string(r.URI + " " + r.Rights))
		for _, access := range []string{"embargoed", "restricted", "closed"} {
			if strings.Contains(words, access+"access") || strings.Contains(words, access+" access") {
				withheld = "access is " + access
			}
		}
		claim := license(or(r.URI, r.Rights))
		if !strings.HasPrefix(claim, "cc") && r.ID != "" {
			claim = license(string(r.ID))
		}
		open := strings.HasPrefix(claim, "cc")
		if open && !strings.HasPrefix(id, "cc") || id == "" && !strings.Contains(words, "access") {
			id = claim // "open access" is no licence
		}
	}
	return id, withheld
}

func (work dataCiteWork) candidates(license string) []paper.Candidate {
	about := work.Attributes
	v := version(string(about.Version))
	if about.Types.General == "Preprint" {
		v = paper.Submitted
	}
	pdfs := len(about.Formats) > 0
	for _, format := range about.Formats {
		pdfs = pdfs && strings.EqualFold(string(format), "application/pdf")
	}
	var all []paper.Candidate
	for _, content := range about.Content {
		c := paper.Candidate{URL: content, Kind: paper.Landing}
		switch {
		case namesPDF(content), pdfs && !namesPage(content) && !namesFile(content):
			c.Kind = paper.PDF
		case namesFile(content):
			continue // of another kind
		}
		c.Version, c.License = v, license
		all = append(all, c)
	}
	return all
}

// namesPage reports whether the path of a URL ends in the name of a page.
func namesPage(raw string) bool { ext := extension(raw); return ext == ".html" || ext == ".htm" }

// namesFile reports whether the path of a URL ends in the name of a file that is
// neither a page nor a program of the server's.
func namesFile(raw string) bool {
	switch extension(raw) {
	case "", ".html", ".htm", ".php", ".jsp", ".aspx", ".do":
		return false
	default:
		return true
	}
}

func extension(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(path.Ext(u.Path))
}
