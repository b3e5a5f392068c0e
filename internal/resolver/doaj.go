package resolver

import (
	"strings"

	"github.com/quire-dev/quire/paper"
)

// doaj searches the Directory of Open Access Journals. What it lists is open and
// published; its links lead mostly to pages.
type doaj struct{ cfg Config }

type doajAnswer struct {
	Results list[doajArticle] `json:"results"`
}

type doajArticle struct {
	About struct {
		Title       text `json:"title"`
		Identifiers list[struct {
			Type text `json:"type"` // doi, pissn, eissn
			ID   text `json:"id"`
		}] `json:"identifier"`
		Links   list[doajLink] `json:"link"`
		Journal struct {
			Licenses list[struct {
				Type text `json:"type"` // CC BY
			}] `json:"license"`
		} `json:"journal"`
	} `json:"bibjson"`
}

type doajLink struct {
	Type    text `json:"type"`
	Content text `json:"content_type"` // HTML, PDF, text/html …; may be missing
	URL     text `json:"url"`
}

func (doaj) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" }

// url has the query in its path. A DOI with characters that the query language
// reads goes in quotes.
func (d doaj) url(a paper.Artifact) string {
	term := a.IDs.DOI
	if strings.ContainsAny(term, `+=&|<>!(){}[]^"~*?:\ `) {
		term = phrase(term)
	}
	return d.cfg.BaseURL + "/search/articles/doi:" + escapeSegment(term) + "?pageSize=10"
}

func (doaj) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if err := check(reply, false); err != nil {
		return paper.Answer{}, err
	}
	var found doajAnswer
	if err := decode(reply.Body, &found); err != nil {
		return paper.Answer{}, err
	}
	return oneOf(found.Results, func(article doajArticle) (paper.Answer, bool) {
		if !sameDOI(article.doi(), a.IDs.DOI) {
			return paper.Answer{}, false
		}
		return article.answer(), true
	})
}

func (r doajArticle) doi() string {
	for _, id := range r.About.Identifiers {
		if strings.EqualFold(string(id.Type), "doi") {
			return doiOf(string(id.ID))
		}
	}
	return ""
}

func (r doajArticle) answer() paper.Answer {
	answer := paper.Answer{
		IDs: withArXiv(paper.IDs{DOI: r.doi()}), Title: string(r.About.Title), License: r.license(), Note: "in an open journal",
	}
	for _, link := range r.About.Links {
		if !strings.EqualFold(string(link.Type), "fulltext") {
			continue
		}
		c := link.candidate()
		c.Version, c.License = paper.Published, answer.License
		answer.Candidates = append(answer.Candidates, c)
	}
	return answer
}

// license is that of the journal, if it has just one.
func (r doajArticle) license() string {
	if len(r.About.Journal.Licenses) != 1 {
		return ""
	}
	return license(string(r.About.Journal.Licenses[0].Type))
}

func (link doajLink) candidate() paper.Candidate {
	kind := strings.ToLower(string(link.Content))
	switch {
	case strings.Contains(kind, "pdf"):
		return paper.Candidate{URL: string(link.URL), Kind: paper.PDF}
	case kind == "" || namesPDF(string(link.URL)):
		return fileByWords(string(link.URL))
	default:
		return page(string(link.URL))
	}
}
