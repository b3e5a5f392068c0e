package orchestrator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// A job that is cancelled while it runs stops soon, although its next heartbeat
// would be long in coming, and stays cancelled whatever its step says.
func TestRun_cancelledJobStops(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 1)
		var stopped time.Duration
		h := newCounter(func(ctx context.Context, _ string, _ queue.Job) queue.Outcome {
			start := time.Now()
			time.AfterFunc(10*time.Second, func() {
				if n, err := s.Cancel(t.Context(), queue.Filter{}); err != nil || n != 1 {
					t.Errorf("Cancel: %d, %v", n, err)
				}
			})
			<-ctx.Done()
			stopped = time.Since(start)
			if !errors.Is(context.Cause(ctx), queue.ErrLeaseLost) {
				t.Errorf("the step ended for %v, want ErrLeaseLost", context.Cause(ctx))
			}
			return done
		})
		sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true, LeaseTTL: time.Hour, Heartbeat: 20 * time.Minute})
		if stopped < 10*time.Second || stopped > 12*time.Second {
			t.Errorf("the step ended after %v, want about 10 s", stopped)
		}
		if j := job(t, s, "host:a/0"); sum.Done != 0 || j.State != queue.Skipped || j.Reason != queue.ReasonCancelled {
			t.Errorf("Run = %+v, job %s %q", sum, j.State, j.Reason)
		}
	})
}

// A drain does not wait for what is paused, nor for what is delayed there, and
// says how much that is.
func TestRun_drainEndsWhenTheRestIsPaused(t *testing.T) {
	for name, key := range map[string]string{"a key": "host:b", "the queue": ""} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sqlite.Store) {
				enqueue(t, s, "host:b", 3)
				late := queue.NewJob{ArtifactID: "late", Key: "host:b", Delay: 24 * time.Hour}
				if _, err := s.Enqueue(t.Context(), []queue.NewJob{late}); err != nil {
					t.Fatal(err)
				}
				if err := s.Pause(t.Context(), key); err != nil {
					t.Fatal(err)
				}
				h := newCounter(func(context.Context, string, queue.Job) queue.Outcome { return done })
				start := time.Now()
				sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true})
				if want := (orchestrator.Summary{Paused: 4}); sum != want || time.Since(start) > time.Minute {
					t.Errorf("Run = %+v after %v, want %+v soon", sum, time.Since(start), want)
				}
			})
		})
	}
}

// A key that is paused while the run goes on gets no further jobs until it is
// resumed, which the run hears of.
func TestRun_pauseAndResume(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 20)
		start := time.Now()
		var late, early int
		h := newCounter(func(context.Context, string, queue.Job) queue.Outcome {
			time.Sleep(time.Second)
			switch at := time.Since(start); {
			case at > time.Hour:
				late++
			case at < 7*time.Second:
				early++
			default:
				t.Errorf("a job ended %v after the start: the key was paused", at)
			}
			return done
		})
		time.AfterFunc(5*time.Second+time.Millisecond, func() { check(t, s.Pause(t.Context(), "host:a")) })
		time.AfterFunc(time.Hour, func() { check(t, s.Resume(t.Context(), "host:a")) })
		one := func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 1} }
		sum := run(t.Context(), t, s, h, orchestrator.Config{MaxJobs: 20, Limit: one})
		if sum.Done != 20 || early != 6 && early != 5 || late != 20-early {
			t.Errorf("Run = %+v, %d jobs before the pause and %d after it", sum, early, late)
		}
	})
}

// Ten jobs of a small run that come behind a bulk run on the same key are
// started within the next 25.
func TestRun_smallRunIsNotBehindABulkRun(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		var bulk, small []queue.NewJob
		for i := range 5000 {
			bulk = append(bulk, queue.NewJob{ArtifactID: "bulk/" + string(rune('0'+i)), Key: "host:a", Run: "bulk"})
		}
		for i := range 10 {
			small = append(small, queue.NewJob{ArtifactID: "small/" + string(rune('0'+i)), Key: "host:a", Run: "small"})
		}
		if _, err := s.Enqueue(t.Context(), bulk); err != nil {
			t.Fatal(err)
		}
		starts, last := 0, 0
		h := newCounter(func(_ context.Context, _ string, j queue.Job) queue.Outcome {
			switch starts++; {
			case starts == 100:
				if _, err := s.Enqueue(t.Context(), small); err != nil {
					t.Error(err)
				}
			case j.Run == "small":
				last = starts
			}
			return done
		})
		one := func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 1} }
		run(t.Context(), t, s, h, orchestrator.Config{MaxJobs: 200, Limit: one})
		if last == 0 || last > 125 {
			t.Errorf("the last job of the small run was start %d after it came, want at most 25", last-100)
		}
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// New limits hold at every key of a run that goes on, also where SetLimit has set
// another before.
func TestRun_newLimits(t *testing.T) {
	every := func(pace time.Duration) func(string) orchestrator.Limit {
		return func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 1, Every: pace} }
	}
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 10)
		enqueue(t, s, "host:b", 10)
		h := newCounter(func(context.Context, string, queue.Job) queue.Outcome { return done })
		o, err := orchestrator.New(s, h, orchestrator.Config{Owner: "test", Drain: true, Workers: 4, Limit: every(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.AfterFunc(time.Minute, func() { o.SetLimit("host:b", orchestrator.Limit{InFlight: 1, Every: 24 * time.Hour}) })
		time.AfterFunc(2*time.Minute, func() { o.SetLimits(every(10 * time.Second)) })
		if sum, err := o.Run(t.Context()); err != nil || sum.Done != 20 {
			t.Fatalf("Run = %+v, %v", sum, err)
		}
		for _, key := range []string{"host:a", "host:b"} {
			starts := h.starts[key]
			if first := starts[1].Sub(start); first < 2*time.Minute || first > 2*time.Minute+2*time.Second {
				t.Errorf("%s went on after %v, want soon after two minutes", key, first)
			}
			if took := starts[9].Sub(starts[1]); took < 80*time.Second || took > 90*time.Second {
				t.Errorf("the other eight of %s took %v, want one in ten seconds", key, took)
			}
		}
	})
}
