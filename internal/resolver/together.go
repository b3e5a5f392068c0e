package resolver

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// batcher is a service that takes several identifiers in one request.
type batcher interface {
	service
	limits() batchLimits
	// member returns the identifier by which the service is asked for a, as it
	// stands in a request for several, and of what kind it is: a request holds one
	// kind. No kind: a can only be asked for alone.
	member(a paper.Artifact) (kind, id string)
	// together is the request for several members of a kind.
	together(kind string, ids []string) request
	// answers reads the reply to that request: an answer for each of as, in order,
	// not yet tidied. Its error is a miss, which is about the request, or a
	// *paper.Failure.
	answers(as []paper.Artifact, reply paper.Reply) ([]paper.Answer, error)
}

// batchLimits bound a request for several artifacts.
type batchLimits struct {
	most int // identifiers
	room int // bytes that they take, with what stands between them
}

// maxQuery is how long the list of identifiers in a URL may be: all recipients
// ought to support URLs of 8,000 bytes (RFC 9110, section 4.1), and what stands
// before the list takes some.
const maxQuery = 7_500

// between is the most that stands between two identifiers: Crossref's "%2Cdoi:".
const between = 8

// party is who is asked for in one request.
type party struct {
	kind   string
	places []int // in the arguments of Resolve
	ids    []string
	known  map[string]bool // of ids
	size   int
}

// admit takes a into the party if the request can hold it. The first is always
// taken; it decides on the kind.
func (p *party) admit(s service, place int, a paper.Artifact) bool {
	b, several := s.(batcher)
	kind, id := "", ""
	if several && a.Cursor == "" {
		kind, id = b.member(a)
	}
	switch {
	case len(p.places) == 0:
		p.kind, p.known = kind, make(map[string]bool)
	case kind == "" || kind != p.kind || p.known[id] ||
		len(p.places) == b.limits().most || p.size+len(id)+between > b.limits().room:
		return false
	}
	p.places = append(p.places, place)
	p.ids = append(p.ids, id)
	p.known[id] = true
	p.size += len(id) + between
	return true
}

// askTogether makes one request for the party and puts the answers in their places.
func (r remote) askTogether(ctx context.Context, p party, as []paper.Artifact, answers []paper.Answer) error {
	b, _ := r.service.(batcher) // a party of several is of a batcher
	asked := make([]paper.Artifact, len(p.places))
	for i, place := range p.places {
		asked[i] = as[place]
	}
	reply, err := r.send(ctx, b.together(p.kind, p.ids))
	var found []paper.Answer
	if err == nil {
		found, err = b.answers(asked, reply)
	}
	if err != nil {
		return r.divide(p, answers, err)
	}
	for i, place := range p.places {
		answers[place] = tidy(r.name, found[i])
	}
	return nil
}

// divide has each half of the party asked for by itself if one of it may be why
// the request failed. Otherwise the failure is everybody's.
func (r remote) divide(p party, answers []paper.Answer, err error) error {
	half := paper.Answer{Again: (len(p.places) + 1) / 2, Note: "several at once: " + err.Error()}
	if _, refused := errors.AsType[miss](err); !refused {
		f := r.failure(err)
		if !fromWithin(f) {
			return f
		}
		half.Class, half.Note = f.Class, "several at once: "+clip(f.Error(), 200)
	}
	for _, place := range p.places {
		answers[place] = half
	}
	return nil
}

// fromWithin reports whether one of several identifiers may have brought about
// the failure: a record that the service trips over (status 500) or cannot write
// down, an answer over the limit, a URL that is none. A service that is out of
// reach or overloaded (502, 503, 504, timeouts) is not.
func fromWithin(f *paper.Failure) bool {
	if f.Broken {
		return false
	}
	switch f.Class {
	case paper.InvalidContent, paper.TooLarge, paper.Gone:
		return true
	case paper.Transient:
		return f.Status == http.StatusInternalServerError || f.Status == http.StatusOK
	default:
		return false
	}
}

// byID answers for each of as from what of finds, by the identifier of its kind.
// What is not there is a miss, unless it is doubtful that the service understood
// the identifier: then it is asked for alone.
func byID(as []paper.Artifact, of func(a paper.Artifact) (answer paper.Answer, found bool, err error), doubtful func(paper.Artifact) bool) ([]paper.Answer, error) {
	answers := make([]paper.Answer, len(as))
	for i, a := range as {
		answer, found, err := of(a)
		switch {
		case found:
			if answers[i], err = noted(answer, err); err != nil {
				return nil, err
			}
		case doubtful(a):
			answers[i] = paper.Answer{Again: 1, Note: "not in the answer for several"}
		default:
			answers[i].Note = "not known there"
		}
	}
	return answers, nil
}

// plainDOI reports whether a DOI has only characters that mean nothing in any
// filter language.
func plainDOI(doi string) bool {
	return strings.IndexFunc(doi, func(c rune) bool {
		return c > '~' || !unreserved(byte(c)) && c != '/' && c != '(' && c != ')'
	}) < 0
}
