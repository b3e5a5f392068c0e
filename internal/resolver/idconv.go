package resolver

import (
	"strings"

	"github.com/quire-dev/quire/paper"
)

// idConverter asks the PMC ID converter, which knows the identifiers of the
// works in PubMed Central and nothing else. A PMCID opens the way to the
// open-data bucket, so works that have one are not asked for.
type idConverter struct{ cfg Config }

var _ batcher = idConverter{}

type idConverterAnswer struct {
	Records list[idConverterRecord] `json:"records"`
}

type idConverterRecord struct {
	Asked text `json:"requested-id"`
	PMCID text `json:"pmcid"`
	PMID  text `json:"pmid"`
	DOI   text `json:"doi"`
	Error text `json:"errmsg"` // with status "error"
}

func (c idConverter) accepts(a paper.Artifact) bool {
	kind, _ := c.member(a)
	return a.IDs.PMCID == "" && kind != ""
}

func (c idConverter) url(a paper.Artifact) string {
	kind, id := c.member(a)
	return c.together(kind, []string{id}).url
}

// limits: 200 identifiers of one kind
// (https://pmc.ncbi.nlm.nih.gov/tools/id-converter-api/).
func (idConverter) limits() batchLimits { return batchLimits{most: 200, room: maxQuery} }

// member is the DOI or else the PMID. Commas part the identifiers, so a DOI with
// one can't be asked for.
func (idConverter) member(a paper.Artifact) (kind, id string) {
	switch {
	case a.IDs.DOI != "" && !strings.Contains(a.IDs.DOI, ","):
		return "doi", escapePath(lower(a.IDs.DOI))
	case a.IDs.PMID != "":
		return "pmid", escapeSegment(a.IDs.PMID)
	default:
		return "", ""
	}
}

func (c idConverter) together(kind string, ids []string) request {
	u := c.cfg.BaseURL + "/?ids=" + strings.Join(ids, ",") + "&idtype=" + kind + "&format=json&tool=quire"
	if c.cfg.Contact != "" {
		u += "&email=" + escapeEmail(c.cfg.Contact)
	}
	return request{url: u}
}

func (c idConverter) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	answers, err := c.answers([]paper.Artifact{a}, reply)
	if err != nil {
		return paper.Answer{}, err
	}
	return answers[0], nil
}

func (c idConverter) answers(as []paper.Artifact, reply paper.Reply) ([]paper.Answer, error) {
	if err := check(reply, false); err != nil {
		return nil, err
	}
	var found idConverterAnswer
	if err := decode(reply.Body, &found); err != nil {
		return nil, err
	}
	if found.Records == nil {
		return nil, unreadable(reply.Body, errNoList)
	}
	byDOI, byPMID := make(map[string]idConverterRecord), make(map[string]idConverterRecord)
	for _, r := range found.Records {
		for _, doi := range []text{r.Asked, r.DOI} {
			byDOI[doiOf(string(doi))] = r
		}
		for _, pmid := range []text{r.Asked, r.PMID} {
			byPMID[pmidOf(string(pmid))] = r
		}
	}
	return byID(as, func(a paper.Artifact) (paper.Answer, bool, error) {
		r, ok := byPMID[a.IDs.PMID]
		if kind, _ := c.member(a); kind == "doi" {
			r, ok = byDOI[lower(a.IDs.DOI)]
		}
		if !ok {
			return paper.Answer{}, false, nil
		}
		answer, err := r.answer(a)
		return answer, true, err
	}, func(paper.Artifact) bool { return false })
}

func (r idConverterRecord) answer(a paper.Artifact) (paper.Answer, error) {
	ids := withArXiv(paper.IDs{DOI: doiOf(string(r.DOI)), PMID: pmidOf(string(r.PMID)), PMCID: pmcidOf(string(r.PMCID))})
	if ids.PMCID == "" {
		return paper.Answer{}, miss("not in PMC: " + clip(string(r.Error), 100))
	}
	if err := checkDOI(a.IDs.DOI, ids.DOI, false); err != nil {
		return paper.Answer{}, err
	}
	if a.IDs.PMID != "" && ids.PMID != "" && a.IDs.PMID != ids.PMID {
		return paper.Answer{}, miss("answered for another PMID: " + ids.PMID)
	}
	return paper.Answer{IDs: ids, Note: "only identifiers: " + ids.PMCID}, nil
}
