package resolver

import (
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// dataCite asks DataCite, where repositories register DOIs, for the addresses of
// a work's content. Few records have any.
type dataCite struct{ cfg Config }

var _ batcher = dataCite{}

type dataCiteRecord struct {
	Data dataCiteWork `json:"data"`
}

type dataCiteList struct {
	Data list[dataCiteWork] `json:"data"`
	Meta struct {
		Total int `json:"total"`
	} `json:"meta"`
}

func (dataCite) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" && !atCrossref(a.IDs.DOI) }

// atCrossref reports whether a DOI has a prefix of one of the large publishers,
// all of whose DOIs are registered with Crossref: of those DataCite has at most a
// copy of the metadata. Other DOIs of Crossref's are asked for in vain.
func atCrossref(doi string) bool {
	prefix, _, _ := strings.Cut(doi, "/")
	switch prefix {
	case "10.1001", "10.1002", "10.1007", "10.1016", "10.1017", "10.1021", "10.1038", "10.1039", "10.1056", "10.1063", "10.1073",
		"10.1080", "10.1088", "10.1093", "10.1097", "10.1101", "10.1103", "10.1109", "10.1111", "10.1126", "10.1136", "10.1145",
		"10.1155", "10.1177", "10.1186", "10.1371", "10.3389", "10.3390", "10.64898", "10.7554", "10.7717":
		return true
	default:
		return false
	}
}

func (d dataCite) url(a paper.Artifact) string {
	return d.cfg.BaseURL + "/dois/" + escapePath(a.IDs.DOI)
}

func (dataCite) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if err := check(reply, false); err != nil {
		return paper.Answer{}, err
	}
	var record dataCiteRecord
	if err := decode(reply.Body, &record); err != nil {
		return paper.Answer{}, err
	}
	return record.Data.answer(a)
}

// limits: a page may have 1,000 records
// (https://support.datacite.org/docs/pagination). Records of up to 65 KB were
// seen, with as many relations again in a list, so that 25 keep the answer well
// under what is read of one.
func (dataCite) limits() batchLimits { return batchLimits{most: 25, room: maxQuery} }

func (dataCite) member(a paper.Artifact) (kind, id string) {
	return "doi", escapeSegment(phrase(lower(a.IDs.DOI)))
}

func (d dataCite) together(_ string, ids []string) request {
	return request{url: fmt.Sprintf("%s/dois?query=doi:(%s)&page%%5Bsize%%5D=%d&disable-facets=true",
		d.cfg.BaseURL, strings.Join(ids, "%20OR%20"), len(ids))}
}

func (dataCite) answers(as []paper.Artifact, reply paper.Reply) ([]paper.Answer, error) {
	if err := check(reply, false); err != nil {
		return nil, err
	}
	var found dataCiteList
	if err := decode(reply.Body, &found); err != nil {
		return nil, err
	}
	if found.Data == nil {
		return nil, unreadable(reply.Body, errNoList)
	}
	works := make(map[string]dataCiteWork)
	for _, work := range found.Data {
		works[work.doi()] = work
	}
	return byID(as, func(a paper.Artifact) (paper.Answer, bool, error) {
		work, ok := works[lower(a.IDs.DOI)]
		if !ok {
			return paper.Answer{}, false, nil
		}
		answer, err := work.answer(a)
		return answer, true, err
	}, func(a paper.Artifact) bool { return !plainDOI(a.IDs.DOI) || found.Meta.Total > len(found.Data) })
}
