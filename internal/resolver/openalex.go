package resolver

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// openAlex asks OpenAlex for the locations of a work. Single look-ups are free,
// but count against a daily budget that a key enlarges.
type openAlex struct{ cfg Config }

var _ batcher = openAlex{}

type openAlexList struct {
	Meta struct {
		Count int `json:"count"`
	} `json:"meta"`
	Results list[openAlexRecord] `json:"results"`
}

type openAlexRecord struct {
	ID         text                   `json:"id"`
	DOI        text                   `json:"doi"`
	Title      text                   `json:"title"`
	Published  text                   `json:"publication_date"`
	Best       openAlexLocation       `json:"best_oa_location"`
	Primary    openAlexLocation       `json:"primary_location"`
	Locations  list[openAlexLocation] `json:"locations"`
	OpenAccess struct {
		IsOA   flag `json:"is_oa"`
		Status text `json:"oa_status"`
		URL    text `json:"oa_url"`
	} `json:"open_access"`
	IDs struct {
		PMID  text `json:"pmid"`
		PMCID text `json:"pmcid"`
	} `json:"ids"`
}

type openAlexLocation struct {
	IsOA    flag `json:"is_oa"`
	PDF     text `json:"pdf_url"`
	Page    text `json:"landing_page_url"`
	Version text `json:"version"`
	License text `json:"license"`
}

func (openAlex) accepts(a paper.Artifact) bool {
	return a.IDs.DOI != "" || a.IDs.OpenAlex != "" || a.IDs.PMID != "" || a.IDs.PMCID != ""
}

func (o openAlex) url(a paper.Artifact) string {
	u := o.cfg.BaseURL + "/works/"
	switch {
	case openAlexOf(a.Cursor) != "": // the work that another was merged into
		u += openAlexOf(a.Cursor)
	case a.IDs.DOI != "":
		u += "https://doi.org/" + escapePath(a.IDs.DOI)
	case a.IDs.OpenAlex != "":
		u += escapeSegment(a.IDs.OpenAlex)
	case a.IDs.PMID != "":
		u += "pmid:" + escapeSegment(a.IDs.PMID)
	default:
		u += "pmcid:" + escapeSegment(a.IDs.PMCID)
	}
	if o.cfg.APIKey != "" {
		u += "?api_key=" + url.QueryEscape(o.cfg.APIKey)
	}
	return u
}

func (o openAlex) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if reply.Status == http.StatusMovedPermanently {
		return merged(a, reply)
	}
	var record openAlexRecord
	if err := openAlexDecode(reply, &record); err != nil {
		return paper.Answer{}, err
	}
	return record.answer(a)
}

// openAlexDecode reads an answer into v if its status is that of one.
func openAlexDecode(reply paper.Reply, v any) error {
	switch reply.Status {
	case http.StatusTooManyRequests:
		return openAlexLimit(reply)
	case http.StatusForbidden: // also its word for too fast
		if reply.Header.Get("Retry-After") != "" || aboutRate.Match(reply.Body) {
			return openAlexLimit(reply)
		}
	}
	if err := check(reply, true); err != nil {
		return err
	}
	return decode(reply.Body, v)
}

func (r openAlexRecord) ids() paper.IDs {
	return withArXiv(paper.IDs{
		DOI: doiOf(string(r.DOI)), OpenAlex: openAlexOf(string(r.ID)),
		PMID: pmidOf(string(r.IDs.PMID)), PMCID: pmcidOf(string(r.IDs.PMCID)),
	})
}

func (r openAlexRecord) answer(a paper.Artifact) (paper.Answer, error) {
	ids := r.ids()
	if err := checkDOI(a.IDs.DOI, ids.DOI, a.Cursor == ""); err != nil {
		return paper.Answer{}, err
	}
	if a.IDs.DOI == "" && a.Cursor == "" && !sharesID(a.IDs, ids) {
		return paper.Answer{}, miss("answered for another work: " + clip(string(r.ID), 100))
	}
	answer := paper.Answer{IDs: ids, Title: string(r.Title), Published: dateOf(r.Published), Note: "is_oa false"}
	for _, at := range append(list[openAlexLocation]{r.Best, r.Primary}, r.Locations...) {
		if at.IsOA {
			answer.Candidates = append(answer.Candidates, at.candidate())
		}
	}
	if r.OpenAccess.IsOA {
		answer.Note = "oa_status " + clip(string(r.OpenAccess.Status), 40)
		answer.Candidates = append(answer.Candidates, fileOrPage(string(r.OpenAccess.URL)))
	}
	return answer, nil
}

func (at openAlexLocation) candidate() paper.Candidate {
	c := page(string(at.Page))
	if _, err := cleanURL(string(at.PDF)); err == nil {
		c = paper.Candidate{URL: string(at.PDF), Kind: paper.PDF}
	}
	c.Version, c.License = version(string(at.Version)), license(string(at.License))
	return c
}

// sharesID reports whether the record bears one of the identifiers that were
// asked for.
func sharesID(asked, got paper.IDs) bool {
	return got.OpenAlex != "" && got.OpenAlex == asked.OpenAlex ||
		got.PMID != "" && got.PMID == asked.PMID ||
		got.PMCID != "" && got.PMCID == asked.PMCID
}

// merged asks for another request: the work lives on under another id.
func merged(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	to, _, _ := strings.Cut(reply.Header.Get("Location"), "?")
	id := openAlexOf(to)
	if id == "" || a.Cursor != "" {
		return paper.Answer{}, miss("merged into a work that is not there")
	}
	return paper.Answer{Cursor: id, Note: "merged into " + id}, nil
}

// openAlexLimit tells too fast from spent: the budget is spent when less of it
// remains than the request costs. Its reset is in seconds.
func openAlexLimit(reply paper.Reply) *paper.Failure {
	f := failure(paper.Throttled, reply)
	remaining, err := strconv.ParseFloat(reply.Header.Get("X-RateLimit-Remaining"), 64)
	if err != nil {
		return f
	}
	required, err := strconv.ParseFloat(reply.Header.Get("X-RateLimit-Credits-Required"), 64)
	if err != nil {
		required = 1
	}
	if remaining < required {
		f.Class = paper.BudgetExhausted
		f.RetryAfter = max(f.RetryAfter, seconds(reply.Header.Get("X-RateLimit-Reset")))
	}
	return f
}
