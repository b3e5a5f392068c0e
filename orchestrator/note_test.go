package orchestrator_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// What a run learns of a key holds for the next one, whichever way the first
// ended: here it is cut off in the middle, so nothing is noted at its end.
func TestRun_keyStateOutlivesTheProcess(t *testing.T) {
	tests := map[string]struct {
		limit   orchestrator.Limit
		outcome queue.Outcome
		least   time.Duration // from the first run's request to the next run's
	}{
		"a gate": {
			orchestrator.Limit{}, queue.Outcome{Verb: queue.Release, Signal: queue.Signal{Kind: queue.Throttled, For: 2 * time.Minute}}, 2 * time.Minute,
		},
		"a slow pace": {orchestrator.Limit{Every: time.Minute}, queue.Outcome{Verb: queue.Release}, time.Minute},
		"a pace of half a second": {
			orchestrator.Limit{Every: time.Second / 2}, queue.Outcome{Verb: queue.Release}, time.Second / 2,
		},
		"a pace that was announced": {
			orchestrator.Limit{}, queue.Outcome{Verb: queue.Release, Signal: queue.Signal{Kind: queue.OK, Allowance: queue.Allowance{Every: time.Minute}}}, time.Minute,
		},
		"a breaker": {
			orchestrator.Limit{}, queue.Outcome{Verb: queue.Release, Signal: queue.Signal{Kind: queue.Blocked}}, 24 * time.Second, // 30 s, less a fifth
		},
		"a block": {
			orchestrator.Limit{}, queue.Outcome{Verb: queue.Release, Signal: queue.Signal{Kind: queue.Blocked, For: 3 * time.Minute}}, 3 * time.Minute,
		},
		"a spent allowance": {
			orchestrator.Limit{}, queue.Outcome{Verb: queue.Release, Signal: queue.Signal{Kind: queue.OK, Allowance: queue.Allowance{Wait: 2 * time.Minute}}}, 2 * time.Minute,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sqlite.Store) {
				enqueue(t, s, "host:a", 5)
				cfg := orchestrator.Config{Limit: func(string) orchestrator.Limit { return tt.limit }}
				var mu sync.Mutex
				var asked []time.Time
				ctx, cut := context.WithCancel(t.Context())
				run(ctx, t, unsaving{s, ctx}, handler(func(context.Context, string, queue.Job) queue.Outcome {
					mu.Lock()
					defer mu.Unlock()
					if len(asked) == 0 {
						asked = append(asked, time.Now())
						time.AfterFunc(time.Millisecond, cut)
					}
					return tt.outcome
				}), cfg)
				ctx, cut = context.WithCancel(t.Context())
				run(ctx, t, s, handler(func(context.Context, string, queue.Job) queue.Outcome {
					mu.Lock()
					defer mu.Unlock()
					asked = append(asked, time.Now())
					cut()
					return done
				}), cfg)
				if gap := asked[1].Sub(asked[0]); gap < tt.least || gap > tt.least*3/2+time.Second {
					t.Errorf("the next run asked after %v, want %v", gap, tt.least)
				}
			})
		})
	}
}

// unsaving is the store of a process that is killed when ctx ends.
type unsaving struct {
	*sqlite.Store
	killed context.Context // stands for the process
}

func (s unsaving) SaveKeyNotes(ctx context.Context, notes ...queue.KeyNote) error {
	if s.killed.Err() != nil {
		return context.Canceled
	}
	return s.Store.SaveKeyNotes(ctx, notes...)
}

// A slow pace is noted before the request goes out: a crash may come with it.
func TestRun_notesSlowPaceBeforeTheRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 1)
		run(t.Context(), t, s, handler(func(context.Context, string, queue.Job) queue.Outcome {
			notes, err := s.KeyNotes(t.Context())
			if err != nil || len(notes) != 1 {
				t.Errorf("while the request is under way: %d notes, %v", len(notes), err)
			}
			return done
		}), orchestrator.Config{Drain: true, Limit: func(string) orchestrator.Limit { return orchestrator.Limit{Every: 3 * time.Second} }})
	})
}

// Notes of another process tell how its keys stand; old ones are dropped.
func TestNoted(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		if err := s.SaveKeyNotes(t.Context(), queue.KeyNote{Key: "host:old", Doc: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(31 * 24 * time.Hour)
		enqueue(t, s, "host:a", 5)
		limit := orchestrator.Limit{InFlight: 4}
		var mu sync.Mutex
		var seen []orchestrator.KeyState
		run(t.Context(), t, s, handler(func(context.Context, string, queue.Job) queue.Outcome {
			return queue.Outcome{Verb: queue.Finish, State: queue.Done, Signal: queue.Signal{Kind: queue.Throttled, For: time.Minute}}
		}), orchestrator.Config{
			MaxJobs: 1, Limit: func(string) orchestrator.Limit { return limit },
			ObserveKey: func(s orchestrator.KeyState) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, s)
			},
		})
		notes, err := s.KeyNotes(t.Context())
		if err != nil || len(notes) != 1 || notes[0].Key != "host:a" {
			t.Fatalf("notes %+v, %v; want one, of host:a", notes, err)
		}
		state, err := orchestrator.Noted(notes[0], limit)
		if err != nil || state.Gate < time.Minute || state.Reason != "throttled" || state.From != "learnt" || state.Cap != 1 {
			t.Errorf("%+v, %v; want a gate of a minute, a learnt pace and a cap of 1", state, err)
		}
		if !slices.ContainsFunc(seen, func(s orchestrator.KeyState) bool { return s.Key == "host:a" && s.Reason == "throttled" }) {
			t.Errorf("the observer was told %+v", seen)
		}
	})
}

// A host that is dead gets few requests, and its jobs are then passed on.
func TestRun_givesUpADeadKey(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:dead", 100)
		enqueue(t, s, "host:good", 100)
		var requests, passed atomic.Int64
		h := stepper(func(_ context.Context, st queue.Step) []queue.Outcome {
			switch {
			case st.Key == "host:good":
				time.Sleep(time.Second)
				return same(len(st.Jobs), done)
			case st.Down:
				passed.Add(int64(len(st.Jobs)))
				return same(len(st.Jobs), queue.Outcome{Verb: queue.Advance, Key: "host:good"})
			}
			requests.Add(1)
			time.Sleep(30 * time.Second)
			return same(1, queue.Outcome{Verb: queue.Retry, Class: "transient", Signal: queue.Signal{Kind: queue.Troubled}})
		})
		start := time.Now()
		sum := run(t.Context(), t, s, h, orchestrator.Config{Workers: 8, Drain: true, Retry: queue.RetryPolicy{MaxAttempts: 9}, Limit: func(string) orchestrator.Limit {
			return orchestrator.Limit{InFlight: 4}
		}})
		if sum.Done != 200 || requests.Load() > 12 || passed.Load() < 88 {
			t.Errorf("%+v with %d requests at the dead host, %d passed on; want all done with at most 12", sum, requests.Load(), passed.Load())
		}
		if took := time.Since(start); took > 10*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// stepper is a queue.Handler made of a function.
type stepper func(ctx context.Context, s queue.Step) []queue.Outcome

func (h stepper) Step(ctx context.Context, s queue.Step) []queue.Outcome { return h(ctx, s) }

// Retries beyond a key's budget wait longer than the policy says.
func TestRun_retryBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 60)
		h := handler(func(_ context.Context, _ string, j queue.Job) queue.Outcome {
			if j.Attempts > 1 || j.ID%2 == 0 {
				return done
			}
			return queue.Outcome{Verb: queue.Retry, Class: "transient", Signal: queue.Signal{Kind: queue.OK}}
		})
		start := time.Now()
		sum := run(t.Context(), t, s, h, orchestrator.Config{
			Workers: 1, Drain: true, Retry: queue.RetryPolicy{Base: time.Nanosecond},
			Limit: func(string) orchestrator.Limit { return orchestrator.Limit{Every: 100 * time.Millisecond} },
		})
		// 90 requests take 9 s. Of 30 retries 10 are saved up and at most 18 earned by
		// requests; the others come one in 10 s.
		if took := time.Since(start); sum.Done != 60 || took < 20*time.Second || took > time.Minute {
			t.Errorf("%+v after %v, want about half a minute", sum, took)
		}
	})
}
