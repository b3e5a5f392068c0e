package forecast

import (
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// Estimate says how long the rest of a run takes.
type Estimate struct {
	OK    bool          // enough has been seen to say it; otherwise only Paused means anything
	Left  time.Duration // with what is known now; smoothed, to be shown
	Raw   time.Duration // as computed
	Binds Binding
	Key   string // that binds; empty if none does by itself
	// Paused is how many jobs wait at paused keys. They are not part of the rest.
	Paused int
}

// Binding is what the length of a run comes from.
type Binding string

// What may bind a run.
const (
	Nothing Binding = ""      // nothing is left, or too little is known
	Key     Binding = "key"   // what one key may serve
	Slots   Binding = "slots" // the number of requests at once
	Waits   Binding = "waits" // rows that wait to be tried again
)

// Left estimates how long the rest takes: jobs that are known now, those of stats.
// keys and stats should have been read at the same moment, at. It is made to be
// called once a second or so.
func (f *Forecast) Left(at time.Time, keys []schedule.KeyState, stats queue.Stats, slots int) Estimate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.began.IsZero() {
		f.began = at
	}
	f.letGo(stats.Queued + stats.InProgress)
	f.look(at, keys, slots)
	m := f.model(at, keys, stats, slots)
	e := Estimate{Paused: m.paused}
	if !f.enough(stats) {
		return e
	}
	seconds := m.run()
	e.OK, e.Raw = true, time.Duration(min(seconds, mostLeft.Seconds())*float64(time.Second))
	e.Binds, e.Key = m.binds(seconds)
	e.Left = f.smooth(at, e.Raw)
	return e
}

const (
	// mostLeft is the longest that is foretold.
	mostLeft = 10 * 365 * 24 * time.Hour
	// leastFinished is how many jobs must have finished before anything is said.
	leastFinished = 3
	// enoughShare is the part of all jobs that must have as well, unless
	// enoughFinished have.
	enoughShare    = 0.02
	enoughFinished = 100
)

// enough reports whether enough has been seen to say anything.
func (f *Forecast) enough(stats queue.Stats) bool {
	open := stats.Queued + stats.InProgress
	all := float64(f.finished + open)
	return open == 0 || f.finished >= leastFinished && float64(f.finished) >= min(enoughShare*all, enoughFinished)
}

// smooth takes out jumps: the end that is shown goes a part of the way to the one
// that was computed, further while little of the run has been seen or is left.
func (f *Forecast) smooth(at time.Time, raw time.Duration) time.Duration {
	end := at.Add(raw)
	if !f.shown.IsZero() && raw > 0 {
		lag := max(min(raw/16, at.Sub(f.began)/16, 30*time.Second), time.Second).Seconds()
		dt := max(0, at.Sub(f.shown).Seconds())
		end = f.end.Add(time.Duration(float64(end.Sub(f.end)) * dt / (dt + lag)))
	}
	f.shown, f.end = at, end
	return max(0, end.Sub(at))
}

// binds tells what the length of the run comes from.
func (m *model) binds(seconds float64) (Binding, string) {
	if seconds <= 0 {
		return Nothing, ""
	}
	what, name := Waits, ""
	longest := waits * seconds
	for i := range m.cells {
		c := &m.cells[i]
		if c.requests < oneJob || m.keys[i] == nil {
			continue
		}
		if t := c.gate + c.requests*c.batch/c.rate; t > longest {
			what, name, longest = Key, m.keys[i].name, t
		}
	}
	if t := m.spent / m.slots; t > longest {
		return Slots, ""
	}
	return what, name
}

// waits is the part of the time that a key or the slots must be at work for it to
// be them that bind. Otherwise it is that rows wait.
const waits = 0.5
