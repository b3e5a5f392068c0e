package resolver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// openAIRE asks the OpenAIRE Graph v3, which merges the versions of a work into
// one product with an instance for each place. Its links lead mostly to pages.
type openAIRE struct{ cfg Config }

type openAIREAnswer struct {
	Results list[openAIREProduct] `json:"results"`
}

type openAIREProduct struct {
	Title     text                   `json:"mainTitle"`
	PIDs      list[openAIREPID]      `json:"pids"`
	Instances list[openAIREInstance] `json:"instances"`
}

type openAIREPID struct {
	Scheme text `json:"scheme"` // doi, pmid, pmc, handle …
	Value  text `json:"value"`
}

type openAIREInstance struct {
	PIDs    list[openAIREPID] `json:"pids"`
	Also    list[openAIREPID] `json:"alternateIdentifiers"`
	License text              `json:"license"`
	Type    text              `json:"type"` // Article, Preprint …
	URLs    list[text]        `json:"urls"`
	Access  struct {
		Code  text `json:"code"`
		Label text `json:"label"`
	} `json:"accessRight"`
}

// coarOpen is "open access" in COAR's vocabulary of access rights
// (http://purl.org/coar/access_right/c_abf2).
const coarOpen = "c_abf2"

func (openAIRE) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" }

func (o openAIRE) keyHeader() (name, value string) {
	if o.cfg.APIKey == "" {
		return "", ""
	}
	return "Authorization", "Bearer " + o.cfg.APIKey
}

func (o openAIRE) url(a paper.Artifact) string {
	return o.cfg.BaseURL + "/research-products?pid=" + escapeSegment(a.IDs.DOI)
}

func (o openAIRE) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if reply.Status == http.StatusForbidden && aboutRate.Match(reply.Body) {
		return paper.Answer{}, failure(paper.Throttled, reply)
	}
	if err := check(reply, o.cfg.APIKey != ""); err != nil {
		return paper.Answer{}, err
	}
	var found openAIREAnswer
	if err := decode(reply.Body, &found); err != nil {
		return paper.Answer{}, err
	}
	return oneOf(found.Results, func(product openAIREProduct) (paper.Answer, bool) {
		if !product.is(a.IDs.DOI) {
			return paper.Answer{}, false
		}
		return product.answer(lower(a.IDs.DOI)), true
	})
}

// is reports whether the product, or a version that was merged into it, has the DOI.
func (p openAIREProduct) is(doi string) bool {
	pids := p.PIDs
	for _, at := range p.Instances {
		pids = append(append(slices.Clip(pids), at.PIDs...), at.Also...)
	}
	for _, pid := range pids {
		if pid.Scheme == "doi" && sameDOI(doiOf(string(pid.Value)), doi) {
			return true
		}
	}
	return false
}

func (p openAIREProduct) answer(doi string) paper.Answer {
	answer := paper.Answer{IDs: withArXiv(paper.IDs{DOI: doi}), Title: string(p.Title), Note: "no open copy"}
	answer.IDs.PMID, answer.IDs.PMCID = pmidOf(p.only("pmid")), pmcidOf(p.only("pmc"))
	for _, at := range p.Instances {
		if !at.open() {
			continue
		}
		answer.Note = "open copy"
		for _, u := range at.URLs {
			c := fileByWords(string(u))
			c.License = license(string(at.License))
			if at.Type == "Preprint" {
				c.Version = paper.Submitted
			}
			answer.Candidates = append(answer.Candidates, c)
		}
	}
	return answer
}

// only is the identifier of a scheme, unless the versions have several.
func (p openAIREProduct) only(scheme string) string {
	value := ""
	for _, pid := range p.PIDs {
		if string(pid.Scheme) != scheme || string(pid.Value) == value {
			continue
		}
		if value != "" {
			return ""
		}
		value = string(pid.Value)
	}
	return value
}

func (at openAIREInstance) open() bool {
	return at.Access.Code == coarOpen || at.Access.Code == "" && strings.EqualFold(string(at.Access.Label), "open")
}
