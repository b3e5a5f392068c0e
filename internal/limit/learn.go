package limit

import "time"

// How a rate is learnt from refusals: additive increase, multiplicative decrease
// (Chiu, Jain: Computer Networks and ISDN Systems 17, 1989). Simulated against
// unannounced limits of 0.33 to 10 requests a second, a cut to 0.85 and a growth
// of 0.5 % a second got the most through of all pairs tried that kept refusals
// under 9 %.
const (
	cutTo        = 0.85     // of the rate that was refused
	growBy       = 0.005    // of that rate, for each second of sending at the pace
	leastRate    = 1.0 / 60 // a second
	nearStep     = 0.01     // of that rate, is the most that one start near it adds:
	nearFrom     = 0.8      // slow limits get as few refusals per request as quick ones
	nearTo       = 1.1
	busyShare    = 0.8              // sending at this share of the pace or more is using it
	rateWindow   = 10 * time.Second // over which sends are counted
	leastElapsed = time.Second      // what is sent in less is no rate
)

// learnt is the rate that a key seems to bear.
type learnt struct {
	rate  float64 // starts a second; 0: none learnt
	bad   float64 // the rate that was refused last
	sends window
}

func (l *learnt) every() time.Duration {
	if l.rate <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / l.rate)
}

// window counts events over about the last rateWindow, in two halves.
type window struct {
	since   time.Duration // the present half began
	now     uint32        // in it
	before  uint32        // in the half before, if that was full
	resting bool          // nothing was counted before since
}

func (w *window) add(now time.Duration) {
	if w.now == 0 && w.before == 0 {
		w.since, w.resting = now, true
	}
	w.turn(now)
	w.now++
}

// turn begins a new half when the present one is over.
func (w *window) turn(now time.Duration) {
	over := now - w.since
	if over < rateWindow/2 {
		return
	}
	w.before, w.now, w.resting = w.now, 0, false
	w.since += rateWindow / 2
	if over >= rateWindow {
		*w = window{since: now, resting: true}
	}
}

// rate is how many events there were in a second.
func (w *window) rate(now time.Duration) float64 {
	w.turn(now)
	over := now - w.since
	if !w.resting {
		over += rateWindow / 2
	}
	return float64(max(w.now+w.before, 1)) / max(over, leastElapsed).Seconds()
}

// cut learns from a refusal. pace is the rate that was allowed, 0 for any.
func (l *learnt) cut(now time.Duration, pace float64) {
	rate := l.sends.rate(now)
	if pace > 0 && rate >= busyShare*pace {
		rate = pace // counting a few sends is less exact
	}
	l.bad = rate
	l.rate = max(cutTo*rate, leastRate)
}

// grow raises the rate for the time since the last start, if the key was sending
// about as fast as it may, and reports whether it did.
func (l *learnt) grow(now time.Duration, p pace) bool {
	if l.rate <= 0 || !p.started {
		return false
	}
	since := now - p.last
	if since <= 0 || float64(since)*busyShare > float64(l.every()) {
		return false
	}
	step := growBy * since.Seconds()
	if l.rate > nearFrom*l.bad && l.rate < nearTo*l.bad {
		step = min(step, nearStep)
	}
	l.rate += step * l.bad
	return true
}
