package orchestrator_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// polite is a handler that makes one request of a second.
type polite struct{}

func (polite) Step(_ context.Context, s queue.Step) []queue.Outcome {
	s.Send()
	time.Sleep(time.Second)
	s.Leave()
	time.Sleep(time.Second / 2)
	return []queue.Outcome{done}
}

// What is decided of a job can be followed: why its key was picked and for what it
// had waited, when it was sent, when it left, and how long it took.
func TestRun_traces(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store) {
		enqueue(t, s, "host:a", 2)
		var mu sync.Mutex
		var got []orchestrator.Trace
		var took []time.Duration
		run(t.Context(), t, s, polite{}, orchestrator.Config{
			Drain: true, Workers: 8,
			Limit: func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 4, Every: 10 * time.Second} },
			Trace: func(tr orchestrator.Trace) {
				mu.Lock()
				defer mu.Unlock()
				if tr.Job.ArtifactID == "host:a/1" {
					tr.Job = queue.Job{}
					got = append(got, tr)
				}
			},
			Observe: func(e orchestrator.Event) {
				mu.Lock()
				defer mu.Unlock()
				took = append(took, e.Took.Round(time.Second/2))
			},
		})
		want := []orchestrator.Trace{
			{Moment: orchestrator.Leased, Key: "host:a", Jobs: 1, Why: orchestrator.Why{ByTurn: true, Rows: 1, Pace: 10 * time.Second}},
			{Moment: orchestrator.Sent, Key: "host:a", Jobs: 1},
			{Moment: orchestrator.Left, Key: "host:a", Jobs: 1, Since: time.Second},
		}
		for i := range got {
			w := &got[i].Why
			w.Head, w.Left, w.Pace, w.Slot = 0, 0, w.Pace.Round(time.Second), w.Slot.Round(time.Second)
			got[i].Since, got[i].Held = got[i].Since.Round(time.Second), got[i].Held.Round(time.Second)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("traces (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]time.Duration{3 * time.Second / 2, 3 * time.Second / 2}, took); diff != "" {
			t.Errorf("steps took (-want +got):\n%s", diff)
		}
	})
}

// The trace of a step's panic is for those who debug; the others are told in a line.
func TestRun_panicTellsNoTrace(t *testing.T) {
	for level, traced := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelDebug: true} {
		inBubble(t, func(t *testing.T, s *sqlite.Store) {
			enqueue(t, s, "host:a", 1)
			var log bytes.Buffer
			sum := run(t.Context(), t, s, handler(func(context.Context, string, queue.Job) queue.Outcome { panic("boom") }), orchestrator.Config{
				Drain: true, Retry: queue.RetryPolicy{MaxAttempts: 1}, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})),
			})
			if sum.Error != 1 || !strings.Contains(log.String(), "panic=boom") || strings.Contains(log.String(), "goroutine ") != traced {
				t.Errorf("at %s: %+v\n%s", level, sum, log.String())
			}
		})
	}
}
