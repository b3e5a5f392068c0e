package resolver

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// biorxiv asks bioRxiv and then, under a cursor, medRxiv for a preprint: a DOI
// does not say which of them has it.
type biorxiv struct{ cfg Config }

const medrxiv = "medrxiv" // the cursor

// biorxivForm are the DOIs of both servers: a number or, since December 2019, a
// date and a number. The prefix 10.1101 is Cold Spring Harbor Laboratory's, whose
// journals have words after it; 10.64898 is in the service's own records of 2026.
var biorxivForm = regexp.MustCompile(`^10\.(?:1101|64898)/(?:[0-9]{6}|20[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{6,8})$`)

type biorxivAnswer struct {
	Collection list[biorxivVersion] `json:"collection"`
}

type biorxivVersion struct {
	DOI       text `json:"doi"`
	Title     text `json:"title"`
	Version   text `json:"version"`
	Type      text `json:"type"`
	License   text `json:"license"` // cc_by_nc, cc0; cc_no for none
	JATS      text `json:"jatsxml"`
	Published text `json:"published"` // DOI of the article that it became, or NA
	Server    text `json:"server"`
}

func (biorxiv) accepts(a paper.Artifact) bool { return biorxivForm.MatchString(lower(a.IDs.DOI)) }

func (b biorxiv) url(a paper.Artifact) string {
	server := "biorxiv"
	if a.Cursor == medrxiv {
		server = medrxiv
	}
	return b.cfg.BaseURL + "/details/" + server + "/" + escapePath(a.IDs.DOI) + "/na/json"
}

func (biorxiv) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	err := check(reply, false)
	if _, unknown := errors.AsType[miss](err); err != nil && !unknown {
		return paper.Answer{}, err
	}
	var found biorxivAnswer
	if err == nil {
		if err := decode(reply.Body, &found); err != nil {
			return paper.Answer{}, err
		}
		if found.Collection == nil && !bytes.Contains(reply.Body, []byte("no posts found")) {
			return paper.Answer{}, unreadable(reply.Body, errNoList)
		}
	}
	newest, version := biorxivVersion{}, -1
	for _, v := range found.Collection {
		if n := v.number(); sameDOI(a.IDs.DOI, doiOf(string(v.DOI))) && n > version {
			newest, version = v, n
		}
	}
	switch {
	case version >= 0:
		return newest.answer(a), nil
	case len(found.Collection) > 0:
		return paper.Answer{}, checkDOI(a.IDs.DOI, doiOf(string(found.Collection[0].DOI)), true)
	case a.Cursor != medrxiv:
		return paper.Answer{Cursor: medrxiv}, nil
	default:
		return paper.Answer{}, miss("not known to bioRxiv and medRxiv")
	}
}

// number is the version; 0 if the record does not say.
func (v biorxivVersion) number() int {
	n, err := strconv.Atoi(string(v.Version))
	if err != nil || n < 1 || n > 9999 {
		return 0
	}
	return n
}

// answer gives the JATS that the record names and, last, what the address of the
// PDF would be by the rule of the site, which turns most programs away.
func (v biorxivVersion) answer(a paper.Artifact) paper.Answer {
	answer := paper.Answer{IDs: paper.IDs{DOI: lower(a.IDs.DOI)}, Title: string(v.Title), License: license(string(v.License))}
	if answer.License == "cc_no" {
		answer.License = "" // all rights reserved: it is there to be read
	}
	if strings.EqualFold(string(v.Type), "withdrawn") {
		answer.Note = "withdrawn" // what is left is a notice
		return answer
	}
	answer.Note = "a preprint"
	if article := doiOf(string(v.Published)); article != "" {
		answer.Note = "a preprint, published as " + clip(article, 200)
	}
	if v.JATS != "" {
		answer.Candidates = append(answer.Candidates, paper.Candidate{URL: string(v.JATS), Kind: paper.XML})
	}
	if n := v.number(); n > 0 {
		site := "https://www.biorxiv.org"
		if strings.EqualFold(string(v.Server), medrxiv) {
			site = "https://www.medrxiv.org"
		}
		answer.Candidates = append(answer.Candidates, paper.Candidate{
			URL: site + "/content/" + escapePath(answer.IDs.DOI) + "v" + strconv.Itoa(n) + ".full.pdf", Kind: paper.PDF, Guessed: true,
		})
	}
	for i := range answer.Candidates {
		answer.Candidates[i].Version, answer.Candidates[i].License = paper.Submitted, answer.License
	}
	return answer
}
