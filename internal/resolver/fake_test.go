package resolver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

const contact = "you@university.edu"

// web answers from memory and remembers what it was asked.
type web struct {
	replies map[string]paper.Reply // by URL; "*" for any other
	err     error
	asked   []string
	bodies  []string      // of POSTs
	headers []http.Header // as sent
}

func (w *web) Post(ctx context.Context, url string, header http.Header, body []byte) (paper.Reply, error) {
	w.bodies = append(w.bodies, string(body))
	return w.Get(ctx, url, header)
}

func (w *web) Get(_ context.Context, url string, header http.Header) (paper.Reply, error) {
	w.asked = append(w.asked, url)
	w.headers = append(w.headers, header)
	if w.err != nil {
		return paper.Reply{}, w.err
	}
	for _, key := range []string{url, "*"} {
		if reply, ok := w.replies[key]; ok {
			return reply, nil
		}
	}
	return paper.Reply{}, &paper.Failure{Class: paper.Transient, Err: fmt.Errorf("nothing at %s", url)}
}

func ok(body string) paper.Reply { return paper.Reply{Status: 200, Body: []byte(body)} }

func newSource(t testing.TB, name string, get paper.Getter) paper.Resolver {
	t.Helper()
	r, err := resolver.New(name, resolver.Config{Contact: contact}, get)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// resolve asks the source for one artifact, whose reply is given.
func resolve(t testing.TB, name string, a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	t.Helper()
	get := &web{replies: map[string]paper.Reply{"*": reply}}
	answers, err := newSource(t, name, get).Resolve(t.Context(), []paper.Artifact{a})
	if err != nil {
		return paper.Answer{}, err
	}
	if len(answers) != 1 {
		t.Fatalf("%d answers for one artifact", len(answers))
	}
	return answers[0], nil
}

// classOf is the class of an error that a resolver may return.
func classOf(t testing.TB, err error) paper.Class {
	t.Helper()
	if err == nil {
		return ""
	}
	f, ok := errors.AsType[*paper.Failure](err)
	if !ok || f.Class == "" || f.Err == nil {
		t.Fatalf("error is no complete *paper.Failure: %#v", err)
	}
	return f.Class
}

func byDOI(doi string) paper.Artifact {
	return paper.Artifact{ID: "doi:" + doi, IDs: paper.IDs{DOI: doi}}
}

func byPMCID(id string) paper.Artifact {
	return paper.Artifact{ID: "pmcid:" + id, IDs: paper.IDs{PMCID: id}}
}

func urls(answer paper.Answer) map[string]paper.Candidate {
	all := make(map[string]paper.Candidate)
	for _, c := range answer.Candidates {
		all[same(c.URL)] = c
	}
	return all
}

// same reduces a URL to what two spellings of it share, or to nothing if it
// cannot be fetched. It knows nothing of the code under test.
func same(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(raw) > 8000 {
		return ""
	}
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		query = u.RawQuery
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + u.Path + "?" + query
}

// checkAnswer holds for every answer, whatever came from the network.
func checkAnswer(t testing.TB, answer paper.Answer) {
	t.Helper()
	seen := map[string]bool{}
	others := false // files that are no PDF come last
	for _, c := range answer.Candidates {
		other := slices.Contains([]paper.Kind{paper.XML, paper.Source, paper.HTML, paper.Supplement}, c.Kind)
		if seen[c.URL] || same(c.URL) == "" || c.Source == "" || !other && c.Kind != paper.PDF && c.Kind != paper.Landing {
			t.Errorf("bad candidate %+v", c)
		}
		if others = others || other; others && !other {
			t.Errorf("%s comes behind a file of another kind", c.URL)
		}
		seen[c.URL] = true
		if strings.ContainsAny(c.URL, " \r\n\t\x00<>\"") || strings.Contains(c.URL, "#") {
			t.Errorf("URL is not clean: %q", c.URL)
		}
		if can := resolver.CapabilitiesOf(c.Source); len(can.IDs) > 0 && c.Source != "landing" {
			if !slices.Contains(can.Formats, c.Kind) || c.License != "" && !can.License || c.Version != "" && !can.Version || c.MD5 != "" && !can.MD5 {
				t.Errorf("%s can do more than it declares: %+v", c.Source, c)
			}
		}
		if c.License != strings.ToLower(c.License) {
			t.Errorf("licence %q is not in lower case", c.License)
		}
	}
	if len(answer.Candidates) > 100 || len(answer.Title) > 1024 {
		t.Errorf("%d candidates, title of %d bytes", len(answer.Candidates), len(answer.Title))
	}
}

// poisoned is a Crossref that knows every work and refuses requests that name one.
type poisoned struct {
	doi    string
	status int
}

func (p poisoned) Post(context.Context, string, http.Header, []byte) (paper.Reply, error) {
	return paper.Reply{Status: http.StatusMethodNotAllowed}, nil
}

func (p poisoned) Get(_ context.Context, raw string, _ http.Header) (paper.Reply, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return paper.Reply{}, &paper.Failure{Class: paper.Transient, Err: err}
	}
	if single, found := strings.CutPrefix(u.Path, "/works/"); found {
		if single == p.doi {
			return paper.Reply{Status: p.status}, nil
		}
		return ok(`{"message":{"DOI":"` + single + `"}}`), nil
	}
	var items []string
	for filter := range strings.SplitSeq(u.Query().Get("filter"), ",") {
		doi := strings.TrimPrefix(filter, "doi:")
		if doi == p.doi {
			return paper.Reply{Status: p.status}, nil
		}
		items = append(items, `{"DOI":"`+doi+`"}`)
	}
	return ok(`{"message":{"items":[` + strings.Join(items, ",") + `]}}`), nil
}
