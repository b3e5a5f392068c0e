package resolver

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// limits: OpenAlex takes 50 values in one filter at the least it has ever
// documented, now 100, and URLs of at most 4,094 bytes
// (https://github.com/J535D165/pyalex/issues/85).
func (openAlex) limits() batchLimits { return batchLimits{most: 50, room: 3_500} }

// member is the identifier that a single look-up would use. A DOI with a
// character that the filter language knows is asked for alone: a comma ends a
// filter, | and + join values, quotation marks hold a phrase
// (https://developers.openalex.org/guides/filtering).
func (openAlex) member(a paper.Artifact) (kind, id string) {
	switch {
	case strings.ContainsAny(a.IDs.DOI, `,|+"`):
		return "", ""
	case a.IDs.DOI != "":
		return "doi", escapeSegment(lower(a.IDs.DOI))
	case a.IDs.OpenAlex != "":
		return "openalex", escapeSegment(a.IDs.OpenAlex)
	case a.IDs.PMID != "":
		return "pmid", escapeSegment(a.IDs.PMID)
	default:
		return "pmcid", escapeSegment(strings.TrimPrefix(a.IDs.PMCID, "PMC"))
	}
}

// together asks for the largest page: some DOIs have more than one work.
func (o openAlex) together(kind string, ids []string) request {
	u := fmt.Sprintf("%s/works?filter=%s:%s&per_page=100&select=id,doi,title,publication_date,ids,open_access,best_oa_location,primary_location,locations",
		o.cfg.BaseURL, kind, strings.Join(ids, "%7C"))
	if o.cfg.APIKey != "" {
		u += "&api_key=" + url.QueryEscape(o.cfg.APIKey)
	}
	return request{url: u}
}

func (o openAlex) answers(as []paper.Artifact, reply paper.Reply) ([]paper.Answer, error) {
	var found openAlexList
	if err := openAlexDecode(reply, &found); err != nil {
		return nil, err
	}
	if found.Results == nil {
		return nil, unreadable(reply.Body, errNoList)
	}
	works := make(map[string]openAlexRecord)
	for _, work := range found.Results {
		ids := work.ids()
		for kind, id := range map[string]string{"doi": ids.DOI, "openalex": ids.OpenAlex, "pmid": ids.PMID, "pmcid": strings.TrimPrefix(ids.PMCID, "PMC")} {
			if at := kind + ":" + escapeSegment(id); works[at].ID == "" {
				works[at] = work
			}
		}
	}
	return byID(as, func(a paper.Artifact) (paper.Answer, bool, error) {
		kind, id := o.member(a)
		work, ok := works[kind+":"+id]
		if !ok {
			return paper.Answer{}, false, nil
		}
		answer, err := work.answer(a)
		return answer, true, err
	}, func(a paper.Artifact) bool {
		// A list leaves out works that were merged into others; a look-up leads there.
		return a.IDs.DOI == "" || !plainDOI(a.IDs.DOI) || found.Meta.Count > len(found.Results)
	})
}
