package resolver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/quire-dev/quire/paper"
)

// Lookup finds what [ReduceUnpaywall] has kept of a DOI, in lower case; nil if
// there is nothing.
type Lookup func(ctx context.Context, doi string) ([]byte, error)

// NewUnpaywallDump returns the source unpaywall, as it answers from a dump of its
// records instead of the network.
func NewUnpaywallDump(find Lookup) paper.Resolver { return unpaywallDump{find: find} }

type unpaywallDump struct {
	unpaywall
	find Lookup
}

var _ paper.Resolver = unpaywallDump{}

func (unpaywallDump) Name() string                    { return "unpaywall" }
func (unpaywallDump) Local() bool                     { return true }
func (unpaywallDump) Batch() int                      { return 1 }
func (u unpaywallDump) Accepts(a paper.Artifact) bool { return u.accepts(a) }

func (u unpaywallDump) Resolve(ctx context.Context, as []paper.Artifact) ([]paper.Answer, error) {
	answers := make([]paper.Answer, len(as))
	for i, a := range as {
		if !u.accepts(a) {
			answers[i].Note = "has no identifier that unpaywall knows"
			continue
		}
		record, err := u.find(ctx, lower(a.IDs.DOI))
		var answer paper.Answer
		switch {
		case err != nil:
			return nil, &paper.Failure{Class: paper.Config, Err: fmt.Errorf("ask unpaywall: %w", err)}
		case record == nil:
			answer.Note = "not in the dump"
		default:
			answer, err = noted(u.answer(a, paper.Reply{Status: http.StatusOK, Body: record}))
		}
		if err != nil {
			return nil, &paper.Failure{Class: paper.Config, Err: fmt.Errorf("ask unpaywall: read dump: %w", err)}
		}
		answers[i] = tidy("unpaywall", answer)
	}
	return answers, nil
}

var errNoDOI = errors.New("it names no DOI")

// ReduceUnpaywall makes of a record of Unpaywall, as its dumps and its API have
// it, the DOI in lower case and a record that has only what the source reads.
func ReduceUnpaywall(line []byte) (doi string, reduced []byte, err error) {
	var record unpaywallRecord
	if err := decode(line, &record); err != nil {
		return "", nil, err
	}
	if doi = doiOf(string(record.DOI)); doi == "" {
		return "", nil, errNoDOI
	}
	record.DOI, record.Title = text(doi), text(clip(string(record.Title), maxTitle))
	reduced, err = json.Marshal(record)
	return doi, reduced, err
}
