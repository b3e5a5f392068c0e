package resolver

import (
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// hal searches HAL, the open archive of France, for the deposits of a DOI.
type hal struct{ cfg Config }

var _ batcher = hal{}

const halFields = "&fl=doiId_s,title_s,docType_s,fileMain_s,openAccess_bool,licence_s,pubmedId_s,pubmedcentralId_s&wt=json"

type halAnswer struct {
	Response struct {
		Found int             `json:"numFound"`
		Docs  list[halRecord] `json:"docs"`
	} `json:"response"`
}

type halRecord struct {
	DOI     texts `json:"doiId_s"`
	Title   texts `json:"title_s"` // in one language or several
	Type    text  `json:"docType_s"`
	File    text  `json:"fileMain_s"`
	IsOpen  flag  `json:"openAccess_bool"`
	License text  `json:"licence_s"` // an address
	PMID    texts `json:"pubmedId_s"`
	PMCID   texts `json:"pubmedcentralId_s"`
}

func (hal) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" }

func (h hal) url(a paper.Artifact) string {
	return h.search([]string{escapeSegment(phrase(a.IDs.DOI))})
}

// search looks in two fields: doiId_s holds DOIs as they were typed, in any case,
// doiId_id is of the type for finding identifiers
// (https://api.archives-ouvertes.fr/docs/search). A DOI may have several deposits.
func (h hal) search(phrases []string) string {
	either := strings.Join(phrases, "%20OR%20")
	return fmt.Sprintf("%s/search/?q=doiId_s:(%s)%%20OR%%20doiId_id:(%s)&rows=%d%s", h.cfg.BaseURL, either, either, 4*len(phrases), halFields)
}

func (h hal) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	found, err := halDecode(reply)
	if err != nil {
		return paper.Answer{}, err
	}
	if answer, ok := found.answer(a); ok {
		return answer, nil
	}
	if len(found.Response.Docs) > 0 {
		return paper.Answer{}, checkDOI(a.IDs.DOI, doiOf(found.Response.Docs[0].DOI.first()), true)
	}
	return paper.Answer{}, miss("not known there")
}

func halDecode(reply paper.Reply) (halAnswer, error) {
	var found halAnswer
	if err := check(reply, false); err != nil {
		return found, err
	}
	if err := decode(reply.Body, &found); err != nil {
		return found, err
	}
	if found.Response.Docs == nil {
		return found, unreadable(reply.Body, errNoList)
	}
	return found, nil
}

// limits: HAL sets none. The list stands in the URL twice.
func (hal) limits() batchLimits { return batchLimits{most: 25, room: maxQuery / 2} }

func (hal) member(a paper.Artifact) (kind, id string) {
	return "doi", escapeSegment(phrase(lower(a.IDs.DOI)))
}

func (h hal) together(_ string, ids []string) request { return request{url: h.search(ids)} }

func (hal) answers(as []paper.Artifact, reply paper.Reply) ([]paper.Answer, error) {
	found, err := halDecode(reply)
	if err != nil {
		return nil, err
	}
	return byID(as, func(a paper.Artifact) (paper.Answer, bool, error) {
		answer, ok := found.answer(a)
		return answer, ok, nil
	}, func(paper.Artifact) bool { return found.Response.Found > len(found.Response.Docs) })
}

// answer gathers the deposits of an artifact's DOI.
func (found halAnswer) answer(a paper.Artifact) (paper.Answer, bool) {
	answer := paper.Answer{IDs: paper.IDs{DOI: lower(a.IDs.DOI)}}
	deposits, withheld := 0, 0
	for _, r := range found.Response.Docs {
		if !sameDOI(a.IDs.DOI, doiOf(r.DOI.first())) {
			continue
		}
		if deposits++; deposits == 1 {
			answer.Title, answer.License = r.Title.first(), license(string(r.License))
		}
		answer.IDs.Merge(paper.IDs{PMID: pmidOf(r.PMID.first()), PMCID: pmcidOf(r.PMCID.first())})
		switch {
		case r.File == "" || !halText(string(r.File)):
		case !bool(r.IsOpen):
			withheld++
		default:
			answer.Candidates = append(answer.Candidates, r.candidate())
		}
	}
	switch {
	case len(answer.Candidates) > 0:
		answer.Note = "a deposit with its file"
	case withheld > 0:
		answer.Note = "embargoed"
	default:
		answer.Note = "a deposit without a PDF"
	}
	return answer, deposits > 0
}

// halText reports whether the main file of a deposit may be a PDF: addresses end
// in the name of the file, or in /document.
func halText(file string) bool {
	ext := extension(file)
	return ext == "" || ext == ".pdf"
}

func (r halRecord) candidate() paper.Candidate {
	c := paper.Candidate{URL: string(r.File), Kind: paper.PDF, License: license(string(r.License))}
	if r.Type == "UNDEFINED" { // HAL's word for preprints and working papers
		c.Version = paper.Submitted
	}
	return c
}
