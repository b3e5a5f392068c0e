package resolver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// semanticScholar asks the Semantic Scholar Graph API, which knows at most one
// open copy of a work, and up to four of its identifiers. A key buys a rate of
// one's own; without one everybody shares a pool.
type semanticScholar struct{ cfg Config }

var _ batcher = semanticScholar{}

const scholarFields = "?fields=externalIds,isOpenAccess,openAccessPdf,title"

type scholarRecord struct {
	ExternalIDs struct {
		DOI   text `json:"DOI"`
		ArXiv text `json:"ArXiv"`
		PMID  text `json:"PubMed"`
		PMCID text `json:"PubMedCentral"` // without PMC
	} `json:"externalIds"`
	Title text `json:"title"`
	IsOA  flag `json:"isOpenAccess"`
	PDF   struct {
		URL     text `json:"url"` // may be empty, or a page
		Status  text `json:"status"`
		License text `json:"license"`
	} `json:"openAccessPdf"`
}

func (semanticScholar) accepts(a paper.Artifact) bool {
	return a.IDs.DOI != "" || a.IDs.ArXiv != "" || a.IDs.PMID != "" || a.IDs.PMCID != ""
}

func (s semanticScholar) keyHeader() (name, value string) { return "X-Api-Key", s.cfg.APIKey }

// scholarID is how the service is asked for a.
func scholarID(a paper.Artifact) (kind, id string) {
	switch {
	case a.IDs.DOI != "":
		return "DOI:", a.IDs.DOI
	case a.IDs.ArXiv != "":
		return "ARXIV:", withoutClass(a.IDs.ArXiv)
	case a.IDs.PMID != "":
		return "PMID:", a.IDs.PMID
	default:
		return "PMCID:", strings.TrimPrefix(a.IDs.PMCID, "PMC")
	}
}

func (s semanticScholar) url(a paper.Artifact) string {
	kind, id := scholarID(a)
	return s.cfg.BaseURL + "/paper/" + kind + escapePath(id) + scholarFields
}

func (s semanticScholar) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if err := s.check(reply); err != nil {
		return paper.Answer{}, err
	}
	return scholarAnswer(a, reply.Body)
}

// check takes a refusal to be about the key if there is one.
func (s semanticScholar) check(reply paper.Reply) error { return check(reply, s.cfg.APIKey != "") }

// limits: 500 papers in a request (https://api.semanticscholar.org/api-docs/graph).
func (semanticScholar) limits() batchLimits { return batchLimits{most: 500, room: paper.MaxPost - 100} }

// member is a JSON string: identifiers of all kinds go into one request.
func (semanticScholar) member(a paper.Artifact) (kind, id string) {
	kind, id = scholarID(a)
	var quoted bytes.Buffer
	enc := json.NewEncoder(&quoted)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(kind + id); err != nil {
		return "", ""
	}
	return "any", strings.TrimSuffix(quoted.String(), "\n")
}

func (s semanticScholar) together(_ string, ids []string) request {
	return request{
		url:  s.cfg.BaseURL + "/paper/batch" + scholarFields,
		body: []byte(`{"ids":[` + strings.Join(ids, ",") + "]}"),
	}
}

// answers reads an array in the order of the question, with null for what is not
// known. If nothing is, the service answers with an error instead.
func (s semanticScholar) answers(as []paper.Artifact, reply paper.Reply) ([]paper.Answer, error) {
	answers := make([]paper.Answer, len(as))
	if reply.Status == http.StatusBadRequest && bytes.Contains(reply.Body, []byte("No valid paper ids given")) {
		for i := range answers {
			answers[i].Note = "not known there"
		}
		return answers, nil
	}
	if err := s.check(reply); err != nil {
		return nil, err
	}
	records, err := decodeArray(reply.Body, len(as))
	if err != nil {
		return nil, err
	}
	for i, record := range records {
		if string(record) == "null" {
			answers[i].Note = "not known there"
			continue
		}
		if answers[i], err = noted(scholarAnswer(as[i], record)); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func scholarAnswer(a paper.Artifact, body []byte) (paper.Answer, error) {
	var record scholarRecord
	if err := decode(body, &record); err != nil {
		return paper.Answer{}, err
	}
	ids := record.ids()
	kind, _ := scholarID(a)
	if !answersFor(kind, a.IDs, ids) {
		return paper.Answer{}, miss("answered for another work: " + clip(ids.DOI, 200))
	}
	if kind == "ARXIV:" && !strings.HasPrefix(ids.DOI, "10.48550/") {
		ids.DOI = "" // of the article that the preprint became: another work
	}
	answer := paper.Answer{IDs: ids, Title: string(record.Title), Note: "no open copy"}
	if u := string(record.PDF.URL); u != "" {
		answer.Note = "open copy, status " + strings.ToLower(clip(string(record.PDF.Status), 40))
		c := fileByWords(u)
		c.License = scholarLicense(string(record.PDF.License))
		answer.Candidates = []paper.Candidate{c}
	}
	return answer, nil
}

func (r scholarRecord) ids() paper.IDs {
	ids := withArXiv(paper.IDs{
		DOI: doiOf(string(r.ExternalIDs.DOI)), PMID: pmidOf(string(r.ExternalIDs.PMID)), PMCID: pmcidOf(string(r.ExternalIDs.PMCID)),
	})
	if id := string(r.ExternalIDs.ArXiv); arxivForm.MatchString(id) {
		ids.ArXiv = id
	}
	return ids
}

// answersFor reports whether a record bears the identifier that was asked for.
// The service keeps a preprint and its article as one paper, under one DOI.
func answersFor(kind string, asked, got paper.IDs) bool {
	switch kind {
	case "DOI:":
		preprint := withArXiv(paper.IDs{DOI: lower(asked.DOI)}).ArXiv
		return sameDOI(asked.DOI, got.DOI) || preprint != "" && preprint == got.ArXiv
	case "ARXIV:":
		return withoutClass(asked.ArXiv) == got.ArXiv
	case "PMID:":
		return asked.PMID == got.PMID
	default:
		return asked.PMCID == got.PMCID
	}
}

// withoutClass makes math/0309136 of math.GT/0309136: the class is no part of the
// number (https://info.arxiv.org/help/arxiv_identifier.html).
func withoutClass(arxiv string) string {
	archive, number, old := strings.Cut(arxiv, "/")
	if !old {
		return arxiv
	}
	archive, _, _ = strings.Cut(archive, ".")
	return archive + "/" + number
}

// scholarLicense reads the service's spelling of Creative Commons licences,
// CCBYNCND, and its words for no licence.
func scholarLicense(raw string) string {
	terms, ok := strings.CutPrefix(raw, "CCBY")
	if !ok || len(terms)%2 != 0 {
		return license(raw)
	}
	words := []string{"cc-by"}
	for ; terms != ""; terms = terms[2:] {
		words = append(words, strings.ToLower(terms[:2]))
	}
	return clip(strings.Join(words, "-"), maxLicense)
}
