package quire_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// source returns what was found of a source.
func source(t *testing.T, e quire.Examination, name string) quire.SourceCheck {
	t.Helper()
	i := slices.IndexFunc(e.Sources, func(s quire.SourceCheck) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("%s: not among the sources", name)
	}
	return e.Sources[i]
}

// Examine leaves alone what asks to be left alone, and what a run is asking.
func TestExamine_manners(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.web.Serve(testweb.World{})
	b.with(func(*quire.System) {})
	s, err := sqlite.Open(t.Context(), filepath.Join(b.data, "quire.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Enqueue(t.Context(), []queue.NewJob{{ArtifactID: "doi:10.5555/a", Key: "resolver:crossref"}})
	if err != nil {
		t.Fatal(err)
	}
	gate := queue.KeyNote{Key: "resolver:openalex", Doc: fmt.Appendf(nil, `{"gate":%d,"reason":"quota"}`, time.Hour)}
	slow := queue.KeyNote{Key: "resolver:doaj", Doc: fmt.Appendf(nil, `{"told":{"Every":%d},"last":%d,"debt":%[1]d}`, time.Minute, time.Second)}
	if err := s.SaveKeyNotes(t.Context(), gate, slow); err != nil {
		t.Fatal(err)
	}
	_, release, err := s.LockRunner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	e := quire.Examine(t.Context(), b.cfg, quire.ExamineOptions{})
	for name, want := range map[string]string{
		"openalex": "quota, not to be asked for ", "doaj": "its pace allows the next request in ", "crossref": "a run is asking it",
	} {
		if got := source(t, e, name); got.Status != "skipped" || !strings.HasPrefix(got.Found, want) {
			t.Errorf("%s: got %+v", name, got.Check)
		}
	}
	for _, host := range []string{"api.openalex.org", "doaj.org", "api.crossref.org"} {
		if n := b.web.Accounts()[host].Requests; n > 0 {
			t.Errorf("%s was asked %d times", host, n)
		}
	}
	if got := source(t, e, "unpaywall"); got.Status != "ok" || got.HTTP != 404 {
		t.Errorf("unpaywall: got %+v", got.Check)
	}
	if !slices.ContainsFunc(e.Checks, func(c quire.Check) bool { return c.Name == "run" && strings.HasPrefix(c.Found, "one is going on") }) {
		t.Errorf("no word of the run: %+v", e.Checks)
	}
	release()
	if got := source(t, quire.Examine(t.Context(), b.cfg, quire.ExamineOptions{}), "crossref"); got.Status == "skipped" {
		t.Errorf("crossref after the run: got %+v", got.Check)
	}
}

// signal tells of each request before it is answered.
func signal(asked chan<- struct{}) testweb.Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			h.ServeHTTP(rw, r)
		})
	}
}

// Examine ends when its context does.
func TestExamine_ends(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	asked := make(chan struct{}, 20)
	b.web.Serve(testweb.World{Sites: map[string]testweb.Site{"doaj.org": {Behaviours: []testweb.Behaviour{signal(asked), testweb.Hang()}}}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	e := quire.Examine(ctx, b.cfg, quire.ExamineOptions{})
	if got := source(t, e, "doaj"); got.Status != "skipped" || got.Found != "interrupted" {
		t.Errorf("got %+v", got.Check)
	}
}

// A database server that takes a connection and says nothing holds nothing up.
func TestExamine_deafServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c, err := l.Accept()
		if err == nil {
			defer c.Close()
		}
		cancel()
		<-t.Context().Done()
	}()
	e := quire.Examine(ctx, quire.Config{Data: t.TempDir(), Store: "postgres://u@" + l.Addr().String() + "/x"}, quire.ExamineOptions{Offline: true, Deep: true})
	if c := e.Checks[0]; c.Name != "database" || c.Status != "fail" {
		t.Errorf("got %+v", c)
	}
}
