package orchestrator_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// The next step of a job may begin before the goroutine of the one before has
// come to its end. That end must not take the new lease with it.
func TestRun_extendsTheLeaseOfAStepThatBeganEarly(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "resolver:r", 1)
		began := make(chan struct{}, 10)
		h := newCounter(func(_ context.Context, key string, _ queue.Job) queue.Outcome {
			if key == "resolver:r" {
				return queue.Outcome{Verb: queue.Advance, Key: "host:a"}
			}
			began <- struct{}{}
			time.Sleep(3 * time.Minute)
			return done
		})
		sum := run(t.Context(), t, s, h, orchestrator.Config{
			Drain: true, LeaseTTL: time.Minute, Heartbeat: 20 * time.Second,
			Observe: func(e orchestrator.Event) {
				if e.Verb == queue.Advance {
					<-began
				}
			},
		})
		if n := h.perJob["resolver:r/0"]; sum.Done != 1 || n != 2 {
			t.Errorf("Run = %+v after %d steps, want one done after two", sum, n)
		}
	})
}

// slow is a store whose leases take as long as on a slow disk.
type slow struct{ *sqlite.Store }

func (s slow) Lease(ctx context.Context, owner string, wants []queue.Want, ttl time.Duration) ([]queue.Lease, error) {
	time.Sleep(10 * time.Millisecond)
	return s.Store.Lease(ctx, owner, wants, ttl)
}

// A run that finds something to start whenever it looks must still notice that
// it is to stop.
func TestRun_stopsWhileBusy(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 8)
		o, err := orchestrator.New(slow{s}, handler(func(_ context.Context, _ string, j queue.Job) queue.Outcome {
			time.Sleep(time.Duration(j.ID) * 2 * time.Millisecond)
			return queue.Outcome{Verb: queue.Advance}
		}), orchestrator.Config{Owner: "test", For: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := o.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 1100*time.Millisecond {
			t.Errorf("told to stop after 1 s, the run ended after %v", took)
		}
	})
}

// What no store accepts is the handler's fault: a failed attempt at once, not a
// lease that somebody has to outlive.
func TestRun_badOutcomeIsAFailedAttempt(t *testing.T) {
	for name, out := range map[string]queue.Outcome{
		"no verb":        {},
		"no final state": {Verb: queue.Finish, State: queue.Queued},
		"endless key":    {Verb: queue.Advance, Key: strings.Repeat("k", queue.MaxKey+1)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sqlite.Store) {
				enqueue(t, s, "host:a", 1)
				h := handler(func(context.Context, string, queue.Job) queue.Outcome { return out })
				start := time.Now()
				sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true, Retry: queue.RetryPolicy{Base: time.Second}})
				j := job(t, s, "host:a/0")
				if sum.Error != 1 || j.Class != queue.ClassCrashed || j.Attempts != 3 || time.Since(start) > 10*time.Second {
					t.Errorf("after %v Run = %+v, job %+v; want an error of class crashed after 3 attempts", time.Since(start), sum, j)
				}
			})
		})
	}
}
