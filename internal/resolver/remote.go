package resolver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// service is what differs between the sources that are asked over the network.
type service interface {
	accepts(a paper.Artifact) bool
	// url is the request for an artifact that the service accepts.
	url(a paper.Artifact) string
	// answer reads the reply to that request. Its error is a miss, which is about
	// this artifact alone, or a *paper.Failure.
	answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error)
}

// keyed is a service whose API key goes into a header.
type keyed interface {
	keyHeader() (name, value string)
}

// accepting is a service that answers with other than JSON or XML.
type accepting interface {
	acceptHeader() string // empty: with JSON
}

// miss is why a service has nothing for an artifact; it becomes the Note.
type miss string

func (m miss) Error() string { return string(m) }

// remote is a source that makes one request per call.
type remote struct {
	name string
	cfg  Config
	get  paper.Getter
	service
}

var _ paper.Resolver = remote{}

func (r remote) Name() string                  { return r.name }
func (r remote) Local() bool                   { return false }
func (r remote) Accepts(a paper.Artifact) bool { return r.accepts(a) }

// Batch is 1 unless the service takes several identifiers in a request.
func (r remote) Batch() int {
	if b, ok := r.service.(batcher); ok {
		return b.limits().most
	}
	return 1
}

// Resolve asks for the first artifact that the service accepts and for those
// that fit into the same request.
func (r remote) Resolve(ctx context.Context, as []paper.Artifact) ([]paper.Answer, error) {
	answers := make([]paper.Answer, len(as))
	var asked party
	for i, a := range as {
		switch {
		case !r.accepts(a):
			answers[i].Note = "has no identifier that " + r.name + " knows"
		case !asked.admit(r.service, i, a):
			answers[i].Again = r.Batch()
		}
	}
	switch len(asked.places) {
	case 0: // nothing to ask
	case 1:
		answer, err := r.ask(ctx, as[asked.places[0]])
		if err != nil {
			return nil, err
		}
		answers[asked.places[0]] = answer
	default:
		if err := r.askTogether(ctx, asked, as, answers); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (r remote) ask(ctx context.Context, a paper.Artifact) (paper.Answer, error) {
	reply, err := r.send(ctx, request{url: r.url(a)})
	var answer paper.Answer
	if err == nil {
		answer, err = r.answer(a, reply)
	}
	if answer, err = noted(answer, err); err != nil {
		return paper.Answer{}, r.failure(err)
	}
	return tidy(r.name, answer), nil
}

// noted makes the note of an answer out of a miss.
func noted(answer paper.Answer, err error) (paper.Answer, error) {
	if nothing, ok := errors.AsType[miss](err); ok {
		return paper.Answer{Note: string(nothing)}, nil
	}
	return answer, err
}

// request is a GET or, with a body, a POST.
type request struct {
	url  string
	body []byte
}

func (r remote) send(ctx context.Context, ask request) (paper.Reply, error) {
	header := http.Header{"Accept": {"application/json, application/xml;q=0.5"}}
	if s, ok := r.service.(accepting); ok && s.acceptHeader() != "" {
		header.Set("Accept", s.acceptHeader())
	}
	if k, ok := r.service.(keyed); ok {
		if name, value := k.keyHeader(); value != "" {
			header.Set(name, value)
		}
	}
	if ask.body != nil {
		return r.get.Post(ctx, ask.url, header, ask.body)
	}
	return r.get.Get(ctx, ask.url, header)
}

// failure names the source in err and keeps the key of the service out of it.
func (r remote) failure(err error) *paper.Failure {
	f := &paper.Failure{Class: paper.Transient}
	if cause, ok := errors.AsType[*paper.Failure](err); ok {
		*f = *cause
	}
	f.Err = fmt.Errorf("ask %s: %w", r.name, err)
	if key := r.cfg.APIKey; key != "" && strings.Contains(f.Err.Error(), key) {
		f.Err = redacted{strings.ReplaceAll(f.Err.Error(), key, "***"), err}
	}
	return f
}

// redacted is an error that does not show the secret in its cause.
type redacted struct {
	text  string
	cause error
}

func (r redacted) Error() string        { return r.text }
func (r redacted) Is(target error) bool { return errors.Is(r.cause, target) }

// local is a source that knows its answer without a request.
type local struct {
	name string
	rule
}

// rule makes candidates out of identifiers.
type rule interface {
	accepts(a paper.Artifact) bool
	candidates(a paper.Artifact) []paper.Candidate
}

var _ paper.Resolver = local{}

func (l local) Name() string                  { return l.name }
func (l local) Local() bool                   { return true }
func (l local) Accepts(a paper.Artifact) bool { return l.accepts(a) }
func (l local) Batch() int                    { return 1 }

func (l local) Resolve(_ context.Context, as []paper.Artifact) ([]paper.Answer, error) {
	answers := make([]paper.Answer, len(as))
	for i, a := range as {
		answers[i] = tidy(l.name, paper.Answer{Candidates: l.candidates(a)})
	}
	return answers, nil
}
