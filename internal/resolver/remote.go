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

// Resolve asks for the first artifact that the service accepts. The others get
// an answer of class transient: one request holds one artifact.
func (r remote) Resolve(ctx context.Context, as []paper.Artifact) ([]paper.Answer, error) {
	answers := make([]paper.Answer, len(as))
	asked := false
	for i, a := range as {
		switch {
		case !r.accepts(a):
			answers[i].Note = "has no identifier that " + r.name + " knows"
		case asked:
			answers[i] = paper.Answer{Class: paper.Transient, Note: "not asked: one work per request"}
		default:
			answer, err := r.ask(ctx, a)
			if err != nil {
				return nil, err
			}
			answers[i], asked = answer, true
		}
	}
	return answers, nil
}

func (r remote) ask(ctx context.Context, a paper.Artifact) (paper.Answer, error) {
	header := http.Header{"Accept": {"application/json, application/xml;q=0.5"}}
	reply, err := r.get.Get(ctx, r.url(a), header)
	var answer paper.Answer
	if err == nil {
		answer, err = r.answer(a, reply)
	}
	if nothing, ok := errors.AsType[miss](err); ok {
		return paper.Answer{Note: string(nothing)}, nil
	}
	if err != nil {
		return paper.Answer{}, r.failure(err)
	}
	return tidy(r.name, answer), nil
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

func (l local) Resolve(_ context.Context, as []paper.Artifact) ([]paper.Answer, error) {
	answers := make([]paper.Answer, len(as))
	for i, a := range as {
		answers[i] = tidy(l.name, paper.Answer{Candidates: l.candidates(a)})
	}
	return answers, nil
}
