package progress_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/progress"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// still is a run that stands still.
type still struct {
	stats queue.Stats
	keys  []orchestrator.KeyState
	fault error
}

func (s still) Stats(context.Context) (queue.Stats, error) { return s.stats, s.fault }
func (s still) Keys() []orchestrator.KeyState              { return s.keys }
func (s still) Bound() (string, time.Duration)             { return "host:a", time.Minute }
func (s still) Requests() int64                            { return 7 }
func (s still) Slots() int                                 { return 32 }

func end(id string, state queue.State, bytes int64) orchestrator.Event {
	e := orchestrator.Event{Job: queue.Job{ArtifactID: id}, Key: "host:a", State: state, Reason: string(state) + " it is"}
	if state == queue.Done {
		e.Result, _ = json.Marshal(paper.File{Bytes: bytes, Resolver: "unpaywall"})
	}
	return e
}

func TestSnapshot_counts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := progress.New()
		time.Sleep(10 * time.Second)
		r.Observe(end("doi:1", queue.Done, 1000))
		r.Observe(end("doi:2", queue.Skipped, 0))
		r.Observe(end("doi:3", queue.Error, 0))
		r.Observe(orchestrator.Event{State: queue.Queued, Key: "host:a", NextKey: "host:b"})
		s, err := r.Snapshot(t.Context(), still{stats: queue.Stats{Ready: 2, Delayed: 3, InProgress: 1, Queued: 5, Done: 100}})
		if err != nil {
			t.Fatal(err)
		}
		if s.Done != 1 || s.Skipped != 1 || s.Failed != 1 || s.Rest() != 6 || s.Total() != 9 || s.Bytes != 1000 || s.Requests != 7 {
			t.Errorf("Snapshot = %+v", s)
		}
		if s.Share() != 3.0/9 {
			t.Errorf("Share = %v, want a third", s.Share())
		}
		if s.WorksPerSecond != 0.3 || s.RequestsPerSecond != 0.7 || s.BytesPerSecond != 100 {
			t.Errorf("rates %v, %v, %v, want 0.3, 0.7, 100", s.WorksPerSecond, s.RequestsPerSecond, s.BytesPerSecond)
		}
		if s.Elapsed != 10*time.Second || s.Left != (progress.Left{Least: time.Minute, LeastKey: "host:a"}) {
			t.Errorf("Elapsed = %v, Left = %+v", s.Elapsed, s.Left)
		}
		if diff := cmp.Diff(map[string]int{"error it is": 1}, r.Reasons(queue.Error)); diff != "" {
			t.Errorf("reasons (-want +got):\n%s", diff)
		}
		if len(s.Ended) != 2 || s.Ended[0].ArtifactID != "doi:2" || s.Ended[1].Resolver != "unpaywall" || len(s.Errors) != 1 {
			t.Errorf("Ended = %+v, Errors = %+v", s.Ended, s.Errors)
		}
	})
}

// Rates are those of the last half minute: what was before does not count.
func TestSnapshot_rates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := progress.New()
		rate := func() float64 {
			s, err := r.Snapshot(t.Context(), still{})
			if err != nil {
				t.Fatal(err)
			}
			return s.WorksPerSecond
		}
		for range 600 { // 10 a second for a minute
			time.Sleep(100 * time.Millisecond)
			r.Observe(end("doi:1", queue.Skipped, 0))
		}
		if got := rate(); got < 9.7 || got > 10.3 {
			t.Errorf("%v works/s, want 10", got)
		}
		time.Sleep(15 * time.Second)
		if got := rate(); got < 4.7 || got > 5.3 {
			t.Errorf("%v works/s after 15 s of nothing, want 5", got)
		}
		time.Sleep(time.Hour)
		if got := rate(); got != 0 {
			t.Errorf("%v works/s after an hour of nothing, want 0", got)
		}
	})
}

// Of the works that ended the latest are kept, the latest first.
func TestSnapshot_latest(t *testing.T) {
	r := progress.New()
	for i := range 1234 {
		r.Observe(end(fmt.Sprint(i), queue.Error, 0))
	}
	s, err := r.Snapshot(t.Context(), still{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Errors); n != 500 || s.Errors[0].ArtifactID != "1233" || s.Errors[n-1].ArtifactID != "734" {
		t.Errorf("%d kept, from %s to %s", n, s.Errors[0].ArtifactID, s.Errors[n-1].ArtifactID)
	}
}

// What the run knows of a key and what the store knows of it are one key. What
// takes longest is first.
func TestSnapshot_keys(t *testing.T) {
	s, err := progress.New().Snapshot(t.Context(), still{
		stats: queue.Stats{Ready: 9, Delayed: 4, Keys: []queue.KeyStats{
			{Key: "host:a", Ready: 5, InFlight: 1},
			{Key: "host:b", Delayed: 4},
			{Key: "host:c", Ready: 4, Paused: true},
		}},
		keys: []orchestrator.KeyState{
			{Key: "host:a", Ready: 4, InFlight: 2, Left: time.Minute},
			{Key: "host:gone"},
			{Key: "host:new", InFlight: 1, Left: time.Second},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []progress.Key{
		{KeyState: orchestrator.KeyState{Key: "host:a", Ready: 5, InFlight: 2, Left: time.Minute}},
		{KeyState: orchestrator.KeyState{Key: "host:new", InFlight: 1, Left: time.Second}},
		{KeyState: orchestrator.KeyState{Key: "host:b"}, Delayed: 4},
		{KeyState: orchestrator.KeyState{Key: "host:c", Ready: 4}, Paused: true},
	}
	if diff := cmp.Diff(want, s.Keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if s.Paused != 4 {
		t.Errorf("Paused = %d, want 4", s.Paused)
	}
	for i, waits := range []bool{false, false, false, true} {
		if s.Keys[i].Waits() != waits {
			t.Errorf("%s waits: %v", s.Keys[i].Key, !waits)
		}
	}
}

func TestSnapshot_storeFails(t *testing.T) {
	broken := errors.New("broken")
	if _, err := progress.New().Snapshot(t.Context(), still{fault: broken}); !errors.Is(err, broken) {
		t.Errorf("Snapshot: %v", err)
	}
}

func BenchmarkObserve(b *testing.B) {
	r, e := progress.New(), end("doi:10.5555/1", queue.Done, 1000)
	for b.Loop() {
		r.Observe(e)
	}
}
