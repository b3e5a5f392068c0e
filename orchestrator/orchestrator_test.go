package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// handler is a queue.Handler made of a function for one job.
type handler func(ctx context.Context, key string, job queue.Job) queue.Outcome

func (h handler) Step(ctx context.Context, s queue.Step) []queue.Outcome {
	return []queue.Outcome{h(ctx, s.Key, s.Jobs[0])}
}

var done = queue.Outcome{Verb: queue.Finish, State: queue.Done, Reason: "stored", Signal: queue.Signal{Kind: queue.OK}}

// counter is a handler that counts what runs at once, per key.
type counter struct {
	mu      sync.Mutex
	now     map[string]int
	peak    map[string]int
	starts  map[string][]time.Time
	perJob  map[string]int
	outcome func(ctx context.Context, key string, job queue.Job) queue.Outcome
}

func newCounter(outcome func(ctx context.Context, key string, job queue.Job) queue.Outcome) *counter {
	return &counter{
		now: make(map[string]int), peak: make(map[string]int), perJob: make(map[string]int),
		starts: make(map[string][]time.Time), outcome: outcome,
	}
}

func (c *counter) Step(ctx context.Context, s queue.Step) []queue.Outcome {
	c.mu.Lock()
	c.now[s.Key]++
	c.peak[s.Key] = max(c.peak[s.Key], c.now[s.Key])
	c.starts[s.Key] = append(c.starts[s.Key], time.Now())
	c.perJob[s.Jobs[0].ArtifactID]++
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.now[s.Key]--
		c.mu.Unlock()
	}()
	return []queue.Outcome{c.outcome(ctx, s.Key, s.Jobs[0])}
}

// inBubble runs test in fake time with an empty store on a real file.
func inBubble(t *testing.T, test func(t *testing.T, s *sqlite.Store)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "quire.db"), sqlite.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		test(t, s)
	})
}

func enqueue(t *testing.T, s *sqlite.Store, key string, n int) {
	t.Helper()
	jobs := make([]queue.NewJob, n)
	for i := range jobs {
		jobs[i] = queue.NewJob{ArtifactID: fmt.Sprintf("%s/%d", key, i), Key: key}
	}
	if _, err := s.Enqueue(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
}

func run(ctx context.Context, t *testing.T, s orchestrator.Store, h queue.Handler, cfg orchestrator.Config) orchestrator.Summary {
	t.Helper()
	if cfg.Owner == "" {
		cfg.Owner = "test"
	}
	o, err := orchestrator.New(s, h, cfg)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := o.Run(ctx)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return sum
}

func job(t *testing.T, s *sqlite.Store, id string) queue.Job {
	t.Helper()
	j, err := s.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestRun_drainsEachJobOnceWithinLimits(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 40)
		enqueue(t, s, "host:b", 40)
		h := newCounter(func(context.Context, string, queue.Job) queue.Outcome {
			time.Sleep(time.Second)
			return done
		})
		limits := map[string]orchestrator.Limit{"host:a": {InFlight: 3}, "host:b": {InFlight: 9, Every: 300 * time.Millisecond}}
		sum := run(t.Context(), t, s, h, orchestrator.Config{
			Workers: 8, Drain: true, Limit: func(key string) orchestrator.Limit { return limits[key] },
		})
		if want := (orchestrator.Summary{Done: 80, Drained: true}); sum != want {
			t.Errorf("Run = %+v, want %+v", sum, want)
		}
		for id, n := range h.perJob {
			if n != 1 {
				t.Errorf("%s ran %d times, want once", id, n)
			}
		}
		if h.peak["host:a"] != 3 {
			t.Errorf("host:a: %d at once, want its cap of 3 reached and kept", h.peak["host:a"])
		}
		for i, at := range h.starts["host:b"][1:] {
			if gap := at.Sub(h.starts["host:b"][i]); gap < 300*time.Millisecond {
				t.Errorf("host:b: start %d came %v after the one before, want at least 300 ms", i+1, gap)
			}
		}
	})
}

func TestRun_aHangingHostDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:hangs", 100)
		for i := range 20 {
			enqueue(t, s, fmt.Sprintf("host:good%d", i), 10)
		}
		var mu sync.Mutex
		var last time.Duration
		start := time.Now()
		h := handler(func(ctx context.Context, key string, _ queue.Job) queue.Outcome {
			if key == "host:hangs" {
				time.Sleep(30 * time.Second)
				return queue.Outcome{Verb: queue.Finish, State: queue.Error, Signal: queue.Signal{Kind: queue.Troubled}}
			}
			time.Sleep(100 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			last = max(last, time.Since(start))
			return done
		})
		run(t.Context(), t, s, h, orchestrator.Config{
			Workers: 16, Drain: true, Limit: func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 4} },
		})
		// 200 steps of 0.1 s on the 12 slots that the hanging host leaves: 1.7 s.
		if bound := 1800 * time.Millisecond; last > bound {
			t.Errorf("the good hosts' jobs took %v, want at most %v", last, bound)
		}
	})
}

func TestRun_retriesWithBackoffUntilAttemptsAreUsedUp(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 1)
		h := newCounter(func(context.Context, string, queue.Job) queue.Outcome {
			return queue.Outcome{Verb: queue.Retry, Class: "transient", Reason: "transient", Error: "get x: reset", Signal: queue.Signal{Kind: queue.Troubled}}
		})
		sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true, Retry: queue.RetryPolicy{MaxAttempts: 4, Base: time.Minute}})
		if sum.Error != 1 || !sum.Drained {
			t.Errorf("Run = %+v, want one error, drained", sum)
		}
		j := job(t, s, "host:a/0")
		if j.State != queue.Error || j.Attempts != 4 || j.Class != "transient" || j.LastError != "get x: reset" {
			t.Errorf("job ended %+v, want an error after 4 attempts with its class", j)
		}
		starts := h.starts["host:a"]
		if len(starts) != 4 {
			t.Fatalf("%d attempts, want 4", len(starts))
		}
		for i := range 3 {
			if gap, most := starts[i+1].Sub(starts[i]), time.Minute<<i+10*time.Second; gap > most {
				t.Errorf("attempt %d came after %v, want at most %v", i+2, gap, most)
			}
		}
	})
}

func TestRun_throttlingCostsNoAttemptAndGatesTheKey(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 6)
		var mu sync.Mutex
		refused := 0
		var gate time.Time
		h := newCounter(nil)
		h.outcome = func(_ context.Context, _ string, _ queue.Job) queue.Outcome {
			mu.Lock()
			defer mu.Unlock()
			if time.Now().Before(gate) {
				t.Errorf("a step started %v before the gate opened", time.Until(gate))
			}
			if refused < 5 {
				refused++
				gate = time.Now().Add(20 * time.Second)
				return queue.Outcome{Verb: queue.Release, Reason: "throttled", Signal: queue.Signal{Kind: queue.Throttled, For: 20 * time.Second}}
			}
			return done
		}
		sum := run(t.Context(), t, s, h, orchestrator.Config{
			Drain: true, Limit: func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 1} },
		})
		if sum.Done != 6 {
			t.Errorf("Run = %+v, want 6 done", sum)
		}
		for i := range 6 {
			if j := job(t, s, fmt.Sprintf("host:a/%d", i)); j.Attempts != 1 {
				t.Errorf("%s counts %d attempts, want 1", j.ArtifactID, j.Attempts)
			}
		}
	})
}

func TestRun_advancesFromKeyToKey(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "resolver:r", 5)
		h := handler(func(_ context.Context, key string, j queue.Job) queue.Outcome {
			if key == "resolver:r" {
				return queue.Outcome{Verb: queue.Advance, Key: "host:a", Progress: []byte(`{"url":"x"}`)}
			}
			if string(j.Progress) != `{"url":"x"}` || j.Attempts != 1 {
				t.Errorf("second step sees %s, attempt %d; want the first one's progress, attempt 1", j.Progress, j.Attempts)
			}
			return done
		})
		if sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true}); sum.Done != 5 {
			t.Errorf("Run = %+v, want 5 done", sum)
		}
	})
}

func TestRun_stopsWithinGraceAndHandsBack(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:quick", 1)
		enqueue(t, s, "host:slow", 1)
		enqueue(t, s, "host:late", 3)
		h := handler(func(ctx context.Context, key string, _ queue.Job) queue.Outcome {
			wait := map[string]time.Duration{"host:quick": 15 * time.Second, "host:slow": time.Hour, "host:late": 15 * time.Second}[key]
			select {
			case <-time.After(wait):
				return done
			case <-ctx.Done():
				return queue.Outcome{Verb: queue.Retry, Class: "transient"}
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		sum := run(ctx, t, s, h, orchestrator.Config{
			Workers: 3, Grace: 20 * time.Second, Drain: true, Limit: func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 1} },
		})
		if took := time.Since(start); took > 31*time.Second {
			t.Errorf("stopping took until %v, want the signal at 10 s and 20 s of grace", took)
		}
		if sum.Done != 2 || sum.Drained {
			t.Errorf("Run = %+v, want the two quick jobs done, not drained", sum)
		}
		for _, id := range []string{"host:slow/0", "host:late/1", "host:late/2"} {
			if j := job(t, s, id); j.State != queue.Queued || j.Attempts != 0 {
				t.Errorf("%s is %s with %d attempts, want queued with none", id, j.State, j.Attempts)
			}
		}
	})
}

func TestRun_heartbeatKeepsALongJob(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 1)
		h := newCounter(func(context.Context, string, queue.Job) queue.Outcome {
			time.Sleep(10 * time.Minute)
			return done
		})
		sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true, LeaseTTL: time.Minute, Heartbeat: 20 * time.Second})
		if sum.Done != 1 || h.perJob["host:a/0"] != 1 {
			t.Errorf("Run = %+v after %d tries, want one done after one", sum, h.perJob["host:a/0"])
		}
	})
}

func TestRun_cancelsTheWorkOfALostLease(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 1)
		first := true
		h := handler(func(ctx context.Context, _ string, j queue.Job) queue.Outcome {
			if !first {
				return done
			}
			first = false
			// Somebody else takes the job: as if this process had been frozen.
			if _, err := s.Settle(t.Context(), queue.Settlement{Lease: queue.Lease{Job: j, Token: 1}, Verb: queue.Release}); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), queue.ErrLeaseLost) {
				t.Errorf("step was cancelled by %v, want ErrLeaseLost", context.Cause(ctx))
			}
			return done
		})
		sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true, Workers: 1, LeaseTTL: time.Minute, Heartbeat: 10 * time.Second})
		if sum.Done != 1 {
			t.Errorf("Run = %+v, want the job done once, by its second lease", sum)
		}
	})
}

func TestRun_panicIsAFailedAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 1)
		h := handler(func(context.Context, string, queue.Job) queue.Outcome { panic("poison") })
		sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true})
		if j := job(t, s, "host:a/0"); sum.Error != 1 || j.Class != queue.ClassCrashed || j.Attempts != 3 {
			t.Errorf("Run = %+v, job %+v; want an error of class crashed after 3 attempts", sum, j)
		}
	})
}

func TestRun_endsByMaxJobsAndFor(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 50)
		h := handler(func(context.Context, string, queue.Job) queue.Outcome {
			time.Sleep(time.Second)
			return done
		})
		if sum := run(t.Context(), t, s, h, orchestrator.Config{MaxJobs: 7, Workers: 4}); sum.Done != 7 {
			t.Errorf("Run with MaxJobs 7 = %+v, want 7 done", sum)
		}
		sum := run(t.Context(), t, s, h, orchestrator.Config{For: 3500 * time.Millisecond, Workers: 4})
		if sum.Done != 16 {
			t.Errorf("Run for 3.5 s = %+v, want 4 rounds of 4 done", sum)
		}
	})
}

func TestRun_takesUpWhatIsAddedMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 1)
		ctx, cancel := context.WithCancel(t.Context())
		began := make(chan time.Time, 10)
		h := handler(func(_ context.Context, key string, _ queue.Job) queue.Outcome {
			began <- time.Now()
			if key == "host:b" {
				cancel()
			}
			return done
		})
		go func() {
			<-began
			time.Sleep(time.Minute)
			enqueue(t, s, "host:b", 1)
		}()
		start := time.Now()
		sum := run(ctx, t, s, h, orchestrator.Config{})
		if late := (<-began).Sub(start) - time.Minute; sum.Done != 2 || late > 200*time.Millisecond {
			t.Errorf("Run = %+v, the new job began %v after it was added; want 2 done, at once", sum, late)
		}
	})
}

func TestRun_observesEachStateChange(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "resolver:r", 1)
		h := handler(func(_ context.Context, key string, j queue.Job) queue.Outcome {
			switch {
			case key == "resolver:r":
				return queue.Outcome{Verb: queue.Advance, Key: "host:a"}
			case j.Attempts == 1:
				return queue.Outcome{Verb: queue.Retry, Class: "transient", Reason: "transient"}
			}
			return queue.Outcome{Verb: queue.Finish, State: queue.Skipped, Reason: "no_oa_location"}
		})
		var got []string
		var mu sync.Mutex
		run(t.Context(), t, s, h, orchestrator.Config{Drain: true, Observe: func(e orchestrator.Event) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprint(e.Key, " ", e.Verb, " ", e.State, " ", e.Reason))
		}})
		want := []string{"resolver:r advance queued ", "host:a retry queued transient", "host:a finish skipped no_oa_location"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("observed %q, want %q", got, want)
		}
	})
}
