package resolver

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// unpaywall asks Unpaywall v2, which knows the open copies of a DOI. It requires
// an e-mail address with every request.
type unpaywall struct{ cfg Config }

type unpaywallRecord struct {
	DOI       text                    `json:"doi"`
	Title     text                    `json:"title,omitempty"`
	Published text                    `json:"published_date,omitempty"`
	IsOA      flag                    `json:"is_oa,omitempty"`
	Status    text                    `json:"oa_status,omitempty"`
	Best      unpaywallLocation       `json:"best_oa_location,omitzero"`
	First     unpaywallLocation       `json:"first_oa_location,omitzero"`
	Locations list[unpaywallLocation] `json:"oa_locations,omitempty"`
}

type unpaywallLocation struct {
	URL      text `json:"url,omitempty"`
	PDF      text `json:"url_for_pdf,omitempty"`
	Page     text `json:"url_for_landing_page,omitempty"`
	Version  text `json:"version,omitempty"`
	License  text `json:"license,omitempty"`
	Evidence text `json:"evidence,omitempty"`
}

func (unpaywall) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" }

func (u unpaywall) url(a paper.Artifact) string {
	return u.cfg.BaseURL + "/" + escapePath(a.IDs.DOI) + "?email=" + escapeEmail(u.cfg.Contact)
}

func (unpaywall) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if reply.Status == http.StatusUnprocessableEntity {
		return paper.Answer{}, unpaywallRefusal(reply)
	}
	if err := check(reply, true); err != nil {
		return paper.Answer{}, err
	}
	var record unpaywallRecord
	if err := decode(reply.Body, &record); err != nil {
		return paper.Answer{}, err
	}
	doi := doiOf(string(record.DOI))
	if err := checkDOI(a.IDs.DOI, doi, true); err != nil {
		return paper.Answer{}, err
	}
	answer := paper.Answer{IDs: withArXiv(paper.IDs{DOI: doi}), Title: string(record.Title), Published: dateOf(record.Published)}
	for _, at := range append(list[unpaywallLocation]{record.Best, record.First}, record.Locations...) {
		answer.Candidates = append(answer.Candidates, at.candidate())
		if answer.IDs.PMCID == "" {
			answer.IDs.PMCID = at.pmcid()
		}
	}
	answer.Note = "is_oa false"
	if record.IsOA {
		answer.Note = "oa_status " + clip(string(record.Status), 40)
	}
	return answer, nil
}

// candidate is the file at a location or, without a usable file, its page.
func (at unpaywallLocation) candidate() paper.Candidate {
	c := page(string(at.Page))
	if at.Page == "" {
		c = page(string(at.URL))
	}
	if _, err := cleanURL(string(at.PDF)); err == nil {
		c = paper.Candidate{URL: string(at.PDF), Kind: paper.PDF}
	}
	c.Version, c.License = version(string(at.Version)), license(string(at.License))
	return c
}

var pmcPath = regexp.MustCompile(`/(PMC[1-9][0-9]{0,9})(?:/|$|\?)`)

// pmcid is the PMCID of a location that was found by one. Other evidence, such
// as a matching title, may be about another version of the work.
func (at unpaywallLocation) pmcid() string {
	if !strings.Contains(string(at.Evidence), "pmcid lookup") {
		return ""
	}
	for _, u := range []text{at.PDF, at.Page, at.URL} {
		if found := pmcPath.FindStringSubmatch(string(u)); found != nil {
			return found[1]
		}
	}
	return ""
}

// page is a page about the work. robots.txt holds for it, except at doi.org.
func page(u string) paper.Candidate {
	return paper.Candidate{URL: u, Kind: paper.Landing, Guessed: !strings.Contains(u, "//doi.org/")}
}

var (
	aboutRate  = regexp.MustCompile(`(?i)too many|rate.?limit|per (second|minute|day)`)
	aboutEmail = regexp.MustCompile(`(?i)e-?mail`)
)

// unpaywallRefusal reads a 422, which Unpaywall sends for a missing or made-up
// address as well as for too many requests.
func unpaywallRefusal(reply paper.Reply) *paper.Failure {
	switch {
	case aboutRate.Match(reply.Body):
		return failure(paper.Throttled, reply)
	case aboutEmail.Match(reply.Body):
		return failure(paper.Config, reply)
	default:
		return failure(paper.Transient, reply)
	}
}
