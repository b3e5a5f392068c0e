package progress

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quire-dev/quire/internal/forecast"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
)

// Source is what a snapshot asks the run that it is of.
type Source interface {
	Stats(ctx context.Context) (queue.Stats, error)
	Keys() []orchestrator.KeyState           // nil while the run has not begun, or is over
	Bound() (key string, left time.Duration) // the least that the rest takes; 0 while nothing is known
	Requests() int64                         // sent, since the beginning
	Slots() int                              // requests at once over all keys
}

// Snapshot is how a run stands at one moment.
type Snapshot struct {
	Elapsed time.Duration

	// Works of this run that have ended.
	Done, Skipped, Failed int

	// Works in the queue that have not: ready, delayed or running. Paused of them
	// wait because of a pause.
	Ready, Delayed, Running, Paused int
	QueuePaused                     bool // the whole queue is

	// Of the last half minute.
	WorksPerSecond, RequestsPerSecond, BytesPerSecond float64

	Bytes    int64 // of the files that were got
	Requests int64

	Left Left  // how long the rest takes
	Keys []Key // with work, or paused; those that will take longest first

	Ended  []Ending // done and skipped, the latest first
	Errors []Ending // the same of those that ended in error
}

// Left says how long the rest of a run takes.
type Left struct {
	Known bool             // enough has been seen to say About
	About time.Duration    // how long it takes, likely
	Binds forecast.Binding // what that comes from
	Key   string           // that binds, if one does

	Least    time.Duration // it can't take less; 0 if nothing is known
	LeastKey string        // the key that takes so long; empty if it is the number of workers
}

// Bound says what the rest takes so long for: a key, max_workers or retries. It is
// empty if nothing is known of that.
func (l Left) Bound() string {
	switch {
	case !l.Known:
		return ""
	case l.Binds == forecast.Slots:
		return "max_workers"
	case l.Binds == forecast.Waits:
		return "retries"
	}
	return l.Key
}

// Key is how one key stands.
type Key struct {
	orchestrator.KeyState
	Delayed int
	Paused  bool // it, or the whole queue
}

// Waits reports whether nothing may start at the key now.
func (k Key) Waits() bool {
	return k.Paused || k.Gate > 0 || k.Breaker == "open" || k.Breaker == "down"
}

// Rest is how many works have not ended.
func (s Snapshot) Rest() int { return s.Ready + s.Delayed + s.Running }

// Total is how many works the run is about: those that it has ended, and those
// that are in the queue.
func (s Snapshot) Total() int { return s.Done + s.Skipped + s.Failed + s.Rest() }

// Share is the part of them that have ended, from 0 to 1.
func (s Snapshot) Share() float64 {
	if s.Total() == 0 {
		return 0
	}
	return float64(s.Total()-s.Rest()) / float64(s.Total())
}

// Snapshot returns how the run stands now. It costs a look into the store and one
// at every key with work.
func (r *Run) Snapshot(ctx context.Context, of Source) (Snapshot, error) {
	stats, err := of.Stats(ctx)
	if err != nil {
		return Snapshot{}, fmt.Errorf("count jobs: %w", err)
	}
	running := of.Keys()
	keys := merge(running, stats)
	s := Snapshot{
		Ready: stats.Ready, Delayed: stats.Delayed, Running: stats.InProgress, QueuePaused: stats.Paused,
		Requests: of.Requests(), Keys: keys,
	}
	s.Left = r.left(running, stats, of.Slots())
	s.Left.LeastKey, s.Left.Least = of.Bound()
	for _, k := range keys {
		if k.Paused {
			s.Paused += k.Ready + k.Delayed
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Elapsed = time.Since(r.began)
	s.Done, s.Skipped, s.Failed = r.counts[queue.Done], r.counts[queue.Skipped], r.counts[queue.Error]
	s.Bytes = r.bytes
	now := r.rate.rates(s.Elapsed)
	s.WorksPerSecond, s.BytesPerSecond = now.works, now.bytes
	s.RequestsPerSecond = r.sent.rate(s.Elapsed, s.Requests)
	s.Ended, s.Errors = r.ended.latest(), r.failed.latest()
	return s, nil
}

// left tells how long the rest is likely to take.
func (r *Run) left(running []orchestrator.KeyState, stats queue.Stats, slots int) Left {
	if running == nil {
		return Left{} // the run has not begun, or is over
	}
	e := r.forecast.Left(time.Now(), running, stats, slots)
	return Left{Known: e.OK, About: max(e.Left, 0), Binds: e.Binds, Key: e.Key}
}

// merge puts together what the run and what the store know of each key that has
// work. The store knows more keys: those at which all is delayed or paused.
func merge(running []orchestrator.KeyState, stats queue.Stats) []Key {
	keys := make(map[string]Key, len(stats.Keys))
	for _, k := range stats.Keys {
		key := Key{Delayed: k.Delayed, Paused: k.Paused || stats.Paused}
		key.Key, key.Ready, key.InFlight = k.Key, k.Ready, k.InFlight
		keys[k.Key] = key
	}
	for _, k := range running {
		key, known := keys[k.Key]
		if !known && k.InFlight == 0 {
			continue // nothing is there any more
		}
		ready := key.Ready
		key.KeyState = k
		key.Ready = max(ready, k.Ready)
		keys[k.Key] = key
	}
	return slices.SortedFunc(maps.Values(keys), func(a, b Key) int {
		return cmp.Or(cmp.Compare(b.Left, a.Left), cmp.Compare(b.Ready+b.Delayed, a.Ready+a.Delayed), cmp.Compare(a.Key, b.Key))
	})
}
