package quire_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// A host that asks for ten minutes binds the run: it says so while it runs, at its
// end, and to who looks later.
func TestRun_tellsWhatBindsIt(t *testing.T) {
	t.Parallel()
	const key = "host:busy.example"
	b := newBox(t)
	first, second := work("https://busy.example/one.pdf"), work("https://busy.example/two.pdf")
	first.DOI, second.DOI = "10.5555/one", "10.5555/two"
	b.web.Serve(testweb.World{Works: []testweb.Work{first, second}, Placeholders: true})
	b.web.Host("busy.example", good(), testweb.Fail(http.StatusTooManyRequests, "Retry-After", "600"))
	b.cfg.Limits["default_host"] = allow(1, time.Millisecond)
	var mu sync.Mutex
	var seen []quire.KeyState
	b.cfg.ObserveKey = func(s quire.KeyState) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, s)
	}
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
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		var running sync.WaitGroup
		running.Go(func() {
			defer stop()
			awaitBound(ctx, s, key)
			if !slices.ContainsFunc(s.Keys(), func(k quire.KeyState) bool { return k.Key == key && k.Gate > time.Minute }) {
				t.Errorf("during the run Keys = %+v, want the gate of %s", s.Keys(), key)
			}
		})
		sum, err := s.Run(ctx, quire.RunOptions{Drain: true})
		running.Wait()
		if err != nil || sum.BoundKey == nil || *sum.BoundKey != key || *sum.BoundSeconds < 500 {
			t.Errorf("Run = %+v, %v; want it bound by %s for ten minutes", sum, err, key)
		}
		if bound, left := s.Bound(); bound != "" || left != 0 {
			t.Errorf("after the run Bound = %q, %v", bound, left)
		}
		if keys := s.Keys(); keys != nil {
			t.Errorf("after the run Keys = %+v, want none", keys)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	if len(seen) == 0 || seen[0].Key != key || seen[0].Reason != "throttled" {
		t.Errorf("observed %+v, want the gate of %s", seen, key)
	}
	b.with(func(s *quire.System) {
		noted, err := s.Noted(t.Context())
		if n := noted[key]; err != nil || n.Key != key || n.Gate < 9*time.Minute || n.Reason != "throttled" || n.From != "learnt" {
			t.Errorf("noted %+v, %v; want the gate", n, err)
		}
	})
}

// awaitBound returns when key binds the run for a minute or more.
func awaitBound(ctx context.Context, s *quire.System, key string) {
	often := time.NewTicker(5 * time.Millisecond)
	defer often.Stop()
	for {
		if bound, left := s.Bound(); bound == key && left > time.Minute {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-often.C:
		}
	}
}

// A run goes on with the limits that it is told of, here without the one that would
// have kept the second file for an hour; so do the next one and what Noted says.
func TestSystem_SetLimits(t *testing.T) {
	t.Parallel()
	const key = "host:slow.example"
	b := newBox(t)
	first, second := work("https://slow.example/one.pdf"), work("https://slow.example/two.pdf")
	first.DOI, second.DOI = "10.5555/one", "10.5555/two"
	b.web.Serve(testweb.World{Works: []testweb.Work{first, second}, Placeholders: true})
	b.web.Host("slow.example", good())
	b.cfg.Limits[key] = allow(1, time.Hour)
	started := make(chan struct{}, 10)
	b.cfg.Observe = func(e quire.Event) {
		if e.State == queue.Done {
			started <- struct{}{}
		}
	}
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
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		var telling sync.WaitGroup
		telling.Go(func() {
			select {
			case <-started:
			case <-ctx.Done():
			}
			without := b.cfg
			without.Limits = map[string]quire.Limit{"default_host": allow(1, time.Millisecond)}
			s.SetLimits(without)
		})
		sum, err := s.Run(ctx, quire.RunOptions{Drain: true})
		telling.Wait()
		if err != nil || sum.Done != 2 || !sum.Drained {
			t.Errorf("Run = %+v, %v; want both works", sum, err)
		}
		noted, err := s.Noted(t.Context())
		if n := noted[key]; err != nil || n.PerSecond != 1000 {
			t.Errorf("noted %+v, %v; want the new pace", n, err)
		}
	})
}
