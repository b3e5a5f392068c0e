package schedule

import (
	"cmp"
	"slices"
	"time"
)

// KeyState is how one key stands.
type KeyState struct {
	Key       string
	InFlight  int
	Cap       int           // requests at once, in force; 0 for none
	PerSecond float64       // starts allowed, in force; 0 for any number
	From      string        // where PerSecond comes from: "configured", "announced" or "learnt"
	Gate      time.Duration // until the key may start again; 0 if its gate is open
	Reason    string        // why the gate is closed: "throttled", "quota", "breaker", "daily"
	Breaker   string        // "closed", "open", "half-open", or "down" for the rest of the run
	Ready     int           // rows
	Oldest    int64         // least order that the first of them can have; 0 if there are none
	Head      time.Duration // how long the first of them has been first
	Service   time.Duration // what a request takes, as estimated; 0 if nothing is known
	Left      time.Duration // the least that the ready rows and those on their way will take
	Today     int           // requests since midnight UTC, of keys with a daily budget
	Throttles int           // since the last answer
	Troubles  int           // since the last answer
}

// Active returns how many permits are out.
func (t *Table) Active() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.active
}

// HasReady reports whether any key has ready rows, even if it may not start.
func (t *Table) HasReady() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.backlogged > 0
}

// Keys returns the state of all keys the table knows, by name.
func (t *Table) Keys(now time.Time) []KeyState {
	states := t.states(now)
	slices.SortFunc(states, func(a, b KeyState) int { return cmp.Compare(a.Key, b.Key) })
	return states
}

func (t *Table) states(now time.Time) []KeyState {
	t.mu.Lock()
	defer t.mu.Unlock()
	states := make([]KeyState, 0, len(t.keys))
	for _, k := range t.keys {
		s := KeyState{
			Key:       k.name,
			InFlight:  k.limit.InFlight(),
			Cap:       k.limit.Cap(),
			PerSecond: k.limit.Rule().PerSecond(),
			Ready:     k.rows,
			Throttles: k.limit.Streak(),
			Troubles:  k.limit.Troubles(),
		}
		s.Gate, s.Reason = k.limit.Gate(now)
		if k.rows > 0 {
			s.Oldest = k.oldest
		}
		states = append(states, s)
	}
	return states
}
