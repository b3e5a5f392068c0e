package resolver

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// zenodo reads the record of a Zenodo DOI. Every version of a work has one, and
// so has the concept of it, which stands for the newest version. The number of a
// concept is no record of the API's
// (https://github.com/zenodo/zenodo/issues/2499), so it takes a second request,
// under a cursor, which searches for it.
type zenodo struct{ cfg Config }

// zenodoConcept is the cursor of that second request. The other cursor is the
// number of the record that the first request was redirected to.
const zenodoConcept = "concept"

var (
	zenodoForm   = regexp.MustCompile(`^10\.5281/zenodo\.([1-9][0-9]{0,11})$`)
	zenodoNumber = regexp.MustCompile(`^[1-9][0-9]{0,11}$`)
	zenodoPath   = regexp.MustCompile(`/records/([1-9][0-9]{0,11})$`)
)

type zenodoList struct {
	Hits struct {
		Hits list[zenodoRecord] `json:"hits"`
	} `json:"hits"`
}

func (zenodo) accepts(a paper.Artifact) bool { return zenodoID(a) != "" }

func (z zenodo) keyHeader() (name, value string) { return bearer(z.cfg.APIKey) }

// zenodoID is the number in a DOI of Zenodo's.
func zenodoID(a paper.Artifact) string {
	if found := zenodoForm.FindStringSubmatch(lower(a.IDs.DOI)); found != nil {
		return found[1]
	}
	return ""
}

func (z zenodo) url(a paper.Artifact) string {
	at := z.cfg.BaseURL + "/records"
	switch {
	case a.Cursor == zenodoConcept: // the newest version alone, unless all are asked for
		return at + "?q=conceptrecid:" + zenodoID(a) + "&sort=mostrecent&size=1"
	case zenodoNumber.MatchString(a.Cursor):
		return at + "/" + a.Cursor
	default:
		return at + "/" + zenodoID(a)
	}
}

func (z zenodo) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if a.Cursor == "" {
		if next := zenodoNext(reply); next != "" {
			return paper.Answer{Cursor: next}, nil
		}
	}
	if reply.Status == http.StatusForbidden && bytes.Contains(reply.Body, []byte("Permission denied")) {
		return paper.Answer{}, miss("the record is restricted")
	}
	if err := check(reply, z.cfg.APIKey != ""); err != nil {
		return paper.Answer{}, err
	}
	if a.Cursor == zenodoConcept {
		return zenodoNewest(a, reply.Body)
	}
	var record zenodoRecord
	if err := decode(reply.Body, &record); err != nil {
		return paper.Answer{}, err
	}
	return record.answer(a)
}

// zenodoNext is the cursor that leads on from the first reply, if one does.
func zenodoNext(reply paper.Reply) string {
	switch reply.Status {
	case http.StatusNotFound:
		return zenodoConcept
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		to, err := url.Parse(reply.Header.Get("Location"))
		if err != nil {
			return ""
		}
		if found := zenodoPath.FindStringSubmatch(strings.TrimSuffix(to.Path, "/")); found != nil {
			return found[1]
		}
	}
	return ""
}

// zenodoNewest reads what was found for a concept.
func zenodoNewest(a paper.Artifact, body []byte) (paper.Answer, error) {
	var found zenodoList
	if err := decode(body, &found); err != nil {
		return paper.Answer{}, err
	}
	if found.Hits.Hits == nil {
		return paper.Answer{}, unreadable(body, errNoList)
	}
	for _, record := range found.Hits.Hits {
		if record.of(a.IDs.DOI) {
			return record.answer(a)
		}
	}
	return paper.Answer{}, miss("not known there")
}
