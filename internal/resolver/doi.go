package resolver

import (
	"net/url"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// doiLanding gives the page that doi.org leads to, and the address of an
// artifact that is known by nothing else.
type doiLanding struct{ cfg Config }

func (doiLanding) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" || a.IDs.URL != "" }

func (l doiLanding) candidates(a paper.Artifact) []paper.Candidate {
	var candidates []paper.Candidate
	if a.IDs.URL != "" {
		c := fileOrPage(a.IDs.URL)
		if a.Wants() != paper.PDF {
			c.Kind = a.Wants() // or a page that names it
		}
		c.Guessed = false // the user asked for it
		candidates = append(candidates, c)
	}
	if a.IDs.DOI != "" {
		candidates = append(candidates, paper.Candidate{
			URL: l.cfg.BaseURL + "/" + escapePath(a.IDs.DOI), Kind: paper.Landing,
		})
	}
	return candidates
}

// fileOrPage tells by its path what a URL is.
func fileOrPage(u string) paper.Candidate {
	if namesPDF(u) {
		return paper.Candidate{URL: u, Kind: paper.PDF}
	}
	return page(u)
}

// namesPDF reports whether the path of a URL ends in .pdf.
func namesPDF(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && strings.HasSuffix(strings.ToLower(u.Path), ".pdf")
}

// fileByWords tells by its words whether a URL is that of a file.
func fileByWords(raw string) paper.Candidate {
	u, err := url.Parse(raw)
	if err == nil && u.Hostname() != "doi.org" {
		where := strings.ToLower(u.Path + "?" + u.RawQuery)
		if strings.Contains(where, "pdf") || strings.Contains(where, "download") {
			return paper.Candidate{URL: raw, Kind: paper.PDF}
		}
	}
	return page(raw)
}
