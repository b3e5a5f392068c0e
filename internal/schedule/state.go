package schedule

import (
	"cmp"
	"slices"
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// KeyState is how one key stands.
type KeyState struct {
	Key       string
	InFlight  int
	Cap       int           // requests at once, in force; 0 for none
	Widest    int           // that Cap can rise to; 0 for none
	Batch     int           // rows that a request may take, at least 1
	PerSecond float64       // starts allowed, in force; 0 for any number
	From      string        // where PerSecond comes from: "configured", "announced" or "learnt"
	Gate      time.Duration // until the key may start again; 0 if its gate is open
	Reason    string        // why the gate is closed: "throttled", "quota", "blocked", "breaker", "daily"
	Next      time.Duration // until a request may start, by its gate and its pace; 0 if only the cap is in the way
	Breaker   string        // "closed", "open", "half-open", or "down" for the rest of the run
	Ready     int           // rows
	Head      time.Duration // how long the first of them has been first
	Service   time.Duration // what a request takes, as estimated; 0 if nothing is known
	Left      time.Duration // the least that the ready rows and those on their way will take
	Today     int           // requests since midnight UTC, of keys with a daily budget
	Throttles int           // since the last answer
	Troubles  int           // since the last answer

	// How long requests had to wait for the key's pace, its cap, its group's cap
	// and its gate.
	Pace, Full, Group, Gated Histogram
}

// Active returns how many permits are out.
func (t *Table) Active() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out
}

// HasReady reports whether any key has ready rows, even if it may not start.
func (t *Table) HasReady() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.backlogged > 0
}

// Keys returns the state of all keys the table knows, by name.
func (t *Table) Keys(at time.Time) []KeyState {
	states := t.states(at)
	slices.SortFunc(states, func(a, b KeyState) int { return cmp.Compare(a.Key, b.Key) })
	return states
}

func (t *Table) states(at time.Time) []KeyState {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	states := make([]KeyState, 0, len(t.keys))
	for _, k := range t.keys {
		states = append(states, t.state(k, now))
	}
	return states
}

// Key returns the state of one key, and whether the table knows it.
func (t *Table) Key(at time.Time, name string) (KeyState, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	k := t.keys[name]
	if k == nil {
		return KeyState{}, false
	}
	return t.state(k, now), true
}

// waitsFor returns the histogram of all picks, with those that did not wait.
func (k *key) waitsFor(what status) Histogram {
	h := k.waits[what]
	h[0] += k.picks - uint32(h.Count())
	return h
}

func (t *Table) state(k *key, now time.Duration) KeyState {
	s := KeyState{
		Key:       k.name,
		InFlight:  k.limit.InFlight(),
		Cap:       k.limit.Cap(),
		Widest:    k.limit.Widest(),
		Batch:     k.limit.Batch(),
		Breaker:   k.limit.Breaker(now),
		Ready:     k.rows,
		Today:     k.limit.Today(now),
		Throttles: k.limit.Streak(),
		Troubles:  k.limit.Troubles(),
		Pace:      k.waitsFor(paced),
		Full:      k.waitsFor(capped),
		Group:     k.waitsFor(parked),
		Gated:     k.waitsFor(gated),
	}
	every, from := k.limit.Every()
	s.PerSecond, s.From = limit.Rule{Every: every}.PerSecond(), string(from)
	s.Gate, s.Reason = k.limit.Gate(now)
	if at, _ := k.limit.Free(now); at != limit.Never {
		s.Next = at - now
	}
	if k.service.n > 0 {
		s.Service = seconds(t.serviceOf(k))
	}
	if k.rows > 0 {
		s.Head = max(0, now-k.head)
		s.Left = seconds(t.weight(k)) + s.Gate
	}
	return s
}
