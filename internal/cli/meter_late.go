package cli

import (
	"time"

	"github.com/quire-dev/quire/internal/report"
)

// late is what a meter has read of late, by which it tells rates and what is left:
// the last half minute, as of runs (internal/progress). Its zero value is empty.
type late struct {
	read []point // oldest first, a second apart at least but for the newest
}

// point is a reading and when it was taken, since the beginning.
type point struct {
	at time.Duration
	reading
}

const (
	lateSpan = 30 * time.Second
	lateStep = time.Second
)

// add takes in a reading.
func (l *late) add(at time.Duration, r reading) {
	if len(l.read) == 0 {
		l.read = append(l.read, point{}) // all began with nothing done
	}
	if n := len(l.read); n > 1 && l.read[n-1].at < l.read[n-2].at+lateStep {
		l.read = l.read[:n-1] // the newest was only passing
	}
	l.read = append(l.read, point{at, r})
	for len(l.read) > 2 && l.read[1].at <= at-lateSpan {
		l.read = l.read[1:]
	}
}

// ends are the oldest and the newest of the readings, and the seconds in between.
func (l *late) ends() (from, to point, seconds float64) {
	if len(l.read) == 0 {
		return from, to, 0
	}
	from, to = l.read[0], l.read[len(l.read)-1]
	return from, to, (to.at - from.at).Seconds()
}

// rates are the units and the bytes that are done in a second.
func (l *late) rates() (units, bytes float64) {
	from, to, seconds := l.ends()
	if seconds <= 0 {
		return 0, 0
	}
	return max(0, float64(to.done-from.done)/seconds), max(0, float64(to.bytes-from.bytes)/seconds)
}

// left is how long the rest of r takes if it goes on like this. ok is false if
// nobody knows, which is so for the first second.
func (l *late) left(r reading) (left time.Duration, ok bool) {
	from, to, seconds := l.ends()
	if to.at < lateStep || seconds <= 0 {
		return 0, false
	}
	rest, moved := float64(r.of-r.done), float64(to.done-from.done)
	if r.size > 0 {
		rest, moved = float64(r.size-r.read), float64(to.read-from.read)
	}
	if moved <= 0 || rest <= 0 {
		return 0, false
	}
	return report.Seconds(rest / moved * seconds), true
}
