package orchestrator_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// together is a handler that answers for all jobs of a step at once and notes how
// many they were.
type together struct {
	answer func(ctx context.Context, s queue.Step) []queue.Outcome

	mu    sync.Mutex
	sizes map[string][]int
}

func (b *together) Step(ctx context.Context, s queue.Step) []queue.Outcome {
	b.mu.Lock()
	if b.sizes == nil {
		b.sizes = make(map[string][]int)
	}
	b.sizes[s.Key] = append(b.sizes[s.Key], len(s.Jobs))
	b.mu.Unlock()
	return b.answer(ctx, s)
}

func same(n int, out queue.Outcome) []queue.Outcome { return slices.Repeat([]queue.Outcome{out}, n) }

func batchAt(key string, n int) func(string) orchestrator.Limit {
	return func(k string) orchestrator.Limit {
		if k != key {
			return orchestrator.Limit{InFlight: 2}
		}
		return orchestrator.Limit{InFlight: 1, Every: time.Second, Batch: n}
	}
}

func TestRun_batches(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "resolver:r", 1030)
		h := &together{answer: func(_ context.Context, s queue.Step) []queue.Outcome {
			time.Sleep(100 * time.Millisecond)
			if s.Key == "resolver:r" {
				outs := make([]queue.Outcome, len(s.Jobs))
				for i, j := range s.Jobs {
					outs[i] = queue.Outcome{Verb: queue.Advance, Key: fmt.Sprint("host:", j.ID%5), Signal: queue.Signal{Kind: queue.OK}}
				}
				return outs
			}
			return same(len(s.Jobs), done)
		}}
		sum := run(t.Context(), t, s, h, orchestrator.Config{Workers: 16, Drain: true, Limit: batchAt("resolver:r", 50)})
		if sum.Done != 1030 || !sum.Drained {
			t.Errorf("Run = %+v, want 1030 done", sum)
		}
		if calls := h.sizes["resolver:r"]; len(calls) != 21 || slices.Max(calls) != 50 {
			t.Errorf("%d calls with %v works, want 21 with at most 50", len(calls), calls)
		}
	})
}

// Rows that come one by one wait for each other while others are under way, but
// not for long, and not for nothing.
func TestRun_batchLingers(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 20)
		h := &together{answer: func(_ context.Context, s queue.Step) []queue.Outcome {
			if s.Key == "host:a" {
				time.Sleep(time.Duration(s.Jobs[0].ID) * 30 * time.Millisecond)
				return same(1, queue.Outcome{Verb: queue.Advance, Key: "resolver:r"})
			}
			return same(len(s.Jobs), done)
		}}
		limit := func(key string) orchestrator.Limit {
			if key == "host:a" {
				return orchestrator.Limit{}
			}
			return orchestrator.Limit{Batch: 50}
		}
		start := time.Now()
		sum := run(t.Context(), t, s, h, orchestrator.Config{Workers: 32, Drain: true, Limit: limit})
		// The last of them come at 600 ms, one each 30 ms: a call for each 200 ms.
		if calls := h.sizes["resolver:r"]; sum.Done != 20 || len(calls) > 5 || time.Since(start) > 700*time.Millisecond {
			t.Errorf("%+v after %v with calls of %v works, want at most 5 calls and 700 ms", sum, time.Since(start), calls)
		}
	})
}

// One job's bad outcome, and one lost lease, are no harm to the others of a step.
func TestRun_batchNeighbours(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "resolver:r", 5)
		h := &together{answer: func(_ context.Context, st queue.Step) []queue.Outcome {
			outs := same(len(st.Jobs), done)
			for i, j := range st.Jobs {
				switch j.ArtifactID {
				case "resolver:r/1":
					outs[i].State = "nonsense"
				case "resolver:r/2":
					if _, err := s.Cancel(t.Context(), queue.Filter{ArtifactIDs: []string{j.ArtifactID}}); err != nil {
						t.Error(err)
					}
					time.Sleep(3 * time.Second) // until the run hears of it
				}
			}
			return outs
		}}
		sum := run(t.Context(), t, s, h, orchestrator.Config{
			Drain: true, Limit: batchAt("resolver:r", 50), Retry: queue.RetryPolicy{MaxAttempts: 1},
		})
		if want := (orchestrator.Summary{Done: 3, Error: 1, Drained: true}); sum != want {
			t.Errorf("Run = %+v, want %+v", sum, want)
		}
		if j := job(t, s, "resolver:r/1"); j.State != queue.Error || j.Class != queue.ClassCrashed {
			t.Errorf("the one with a bad outcome is %s (%s), want an error: crashed", j.State, j.Class)
		}
		if j := job(t, s, "resolver:r/2"); j.Reason != queue.ReasonCancelled {
			t.Errorf("the cancelled one is %s (%s)", j.State, j.Reason)
		}
	})
}

// A batch that panics or gives too few outcomes costs each of its jobs an attempt.
func TestRun_batchCrashes(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "resolver:r", 7)
		h := &together{answer: func(_ context.Context, s queue.Step) []queue.Outcome {
			if s.Jobs[0].Attempts == 1 {
				panic("boom")
			}
			return same(len(s.Jobs)-1, done)
		}}
		sum := run(t.Context(), t, s, h, orchestrator.Config{
			Drain: true, Limit: batchAt("resolver:r", 50), Retry: queue.RetryPolicy{MaxAttempts: 2, Base: time.Nanosecond},
		})
		if want := (orchestrator.Summary{Error: 7, Drained: true}); sum != want {
			t.Errorf("Run = %+v, want %+v", sum, want)
		}
	})
}

// MaxJobs counts the jobs of a batch one by one.
func TestRun_batchAndMaxJobs(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "resolver:r", 100)
		h := &together{answer: func(_ context.Context, s queue.Step) []queue.Outcome { return same(len(s.Jobs), done) }}
		sum := run(t.Context(), t, s, h, orchestrator.Config{MaxJobs: 60, Limit: batchAt("resolver:r", 50)})
		if calls := h.sizes["resolver:r"]; sum.Done != 60 || !slices.Equal(calls, []int{50, 10}) {
			t.Errorf("%d done in calls of %v, want 60 in 50 and 10", sum.Done, calls)
		}
	})
}
