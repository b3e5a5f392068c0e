package quire_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
)

// A host that asked for a pause gets it, also if the program is started again
// meanwhile: neither the refused work nor another one at the host is asked for.
func TestRun_keepsRetryAfterAcrossARestart(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	first, second := work("https://busy.example/one.pdf"), work("https://busy.example/two.pdf")
	first.DOI, second.DOI = "10.5555/one", "10.5555/two"
	b.web.Serve(testweb.World{Works: []testweb.Work{first, second}, Placeholders: true})
	good := testweb.File("application/pdf", testweb.PDF("the paper", 9000))
	b.web.Host("busy.example", testweb.First(1, testweb.Fail(http.StatusTooManyRequests, "Retry-After", "600"))(good))
	b.cfg.MaxPerHost = 1
	one := 1
	b.cfg.Limits["default_host"] = quire.Limit{InFlight: &one, Every: b.cfg.Limits["default_host"].Every}
	b.with(func(s *quire.System) {
		for _, id := range []string{first.DOI, second.DOI} {
			a, err := paper.ParseID(id)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Add(t.Context(), []quire.Request{{Artifact: a}}, quire.AddOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	})
	for range 3 {
		b.with(func(s *quire.System) {
			if _, err := s.Run(t.Context(), quire.RunOptions{For: time.Second}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if a := b.web.Accounts()["busy.example"]; a.Requests != 1 || a.Gated != 0 {
		t.Errorf("the host got %d requests, %d of them while it had asked for a pause; want 1 and 0", a.Requests, a.Gated)
	}
}

// Works that no source can be asked about make no request, so there is nobody
// to be polite to.
func TestRun_worksWithNowhereToGoDoNotWait(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.Sources = []quire.Source{{Name: "pmc"}}
	var ids []string
	for n := range 20 {
		ids = append(ids, fmt.Sprintf("10.5555/n%d", n))
	}
	if sum := b.get(ids...); sum.Skipped != len(ids) || sum.Requests != 0 || sum.ElapsedSeconds > 5 {
		t.Errorf("Run = %+v, want %d skipped at once, without a request", sum, len(ids))
	}
}
