package resolver

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/quire-dev/quire/paper"
)

// core searches CORE v3, which has gathered copies from repositories. Many of its
// addresses are stale; they are candidates like all others. Its key goes into a
// header, and so nowhere but to the API: the getter follows no redirect.
type core struct{ cfg Config }

type coreAnswer struct {
	Results list[coreWork] `json:"results"`
}

type coreWork struct {
	DOI         text       `json:"doi"`
	ArXiv       text       `json:"arxivId"`
	PMID        text       `json:"pubmedId"`
	Title       text       `json:"title"`
	Download    text       `json:"downloadUrl"` // CORE's copy, or the repository's file
	Sources     list[text] `json:"sourceFulltextUrls"`
	Identifiers list[struct {
		Type text `json:"type"` // DOI, OAI_ID, CORE_ID …
		ID   text `json:"identifier"`
	}] `json:"identifiers"`
}

func (core) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" }

func (c core) keyHeader() (name, value string) {
	if c.cfg.APIKey == "" {
		return "", ""
	}
	return "Authorization", "Bearer " + c.cfg.APIKey
}

// url keeps the slash after works: without it the service redirects.
func (c core) url(a paper.Artifact) string {
	return c.cfg.BaseURL + "/search/works/?q=doi:" + escapeSegment(phrase(a.IDs.DOI)) + "&limit=10"
}

func (c core) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if reply.Status == http.StatusTooManyRequests {
		f := failure(paper.Throttled, reply)
		if f.RetryAfter == 0 {
			f.RetryAfter = coreWait(reply.Header.Get("X-RateLimit-Retry-After"), time.Now())
		}
		return paper.Answer{}, f
	}
	if err := check(reply, c.cfg.APIKey != ""); err != nil {
		return paper.Answer{}, err
	}
	var found coreAnswer
	if err := decode(reply.Body, &found); err != nil {
		return paper.Answer{}, err
	}
	return oneOf(found.Results, func(work coreWork) (paper.Answer, bool) {
		if !sameDOI(work.doi(), a.IDs.DOI) {
			return paper.Answer{}, false
		}
		return work.answer(c.host()), true
	})
}

// doi is where the record has it: its own field may be empty.
func (work coreWork) doi() string {
	if doi := doiOf(string(work.DOI)); doi != "" {
		return doi
	}
	for _, id := range work.Identifiers {
		if strings.EqualFold(string(id.Type), "doi") {
			return doiOf(string(id.ID))
		}
	}
	return ""
}

// answer leaves out files at the API itself, which wants the key for them.
func (work coreWork) answer(api string) paper.Answer {
	ids := withArXiv(paper.IDs{DOI: work.doi(), PMID: pmidOf(string(work.PMID))})
	if id := string(work.ArXiv); arxivForm.MatchString(id) {
		ids.ArXiv = id
	}
	answer := paper.Answer{IDs: ids, Title: string(work.Title), Note: "no file there"}
	for _, raw := range append(list[text]{work.Download}, work.Sources...) {
		if u, err := url.Parse(string(raw)); err != nil || u.Host == "" || u.Host == api {
			continue
		}
		answer.Candidates = append(answer.Candidates, fileByWords(string(raw)))
		answer.Note = "has a copy"
	}
	return answer
}

func (c core) host() string {
	u, err := url.Parse(c.cfg.BaseURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// coreWait reads the wait that CORE announces in a header of its own, as seconds
// or as an instant; 0 if it is neither or past.
func coreWait(value string, now time.Time) time.Duration {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if at, err := time.Parse(layout, value); err == nil {
			return min(max(at.Sub(now), 0), maxWait)
		}
	}
	return seconds(value)
}
