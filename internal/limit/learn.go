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
	busyShare    = 0.8         // sending at this share of the pace or more is using it
	rateWindow   = 10          // seconds over which sends are counted
	leastElapsed = time.Second // what is sent in less is no rate
)

// learnt is the rate that a key seems to bear.
type learnt struct {
	rate    float64 // starts a second; 0: none learnt
	bad     float64 // the rate that was refused last
	sends   [rateWindow]uint16
	second  int64     // of the latest send, since 1970
	resting time.Time // the window began to fill then
}

func (l *learnt) every() time.Duration {
	if l.rate <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / l.rate)
}

// sent counts a request in the window.
func (l *learnt) sent(now time.Time) {
	if l.slide(now) == 0 {
		l.resting = now
	}
	if n := &l.sends[l.second%rateWindow]; *n < 1<<16-1 {
		*n++
	}
}

// slide forgets the seconds that have left the window and returns what is in it.
func (l *learnt) slide(now time.Time) (n int) {
	second := now.Unix()
	for gone := min(second-l.second, rateWindow); gone > 0; gone-- {
		l.sends[(second-gone+1)%rateWindow] = 0
	}
	l.second = max(second, l.second)
	for _, s := range l.sends {
		n += int(s)
	}
	return n
}

// cut learns from a refusal. pace is the rate that was allowed, 0 for any.
func (l *learnt) cut(now time.Time, pace float64) {
	elapsed := min(max(now.Sub(l.resting), leastElapsed), rateWindow*time.Second)
	rate := float64(max(l.slide(now), 1)) / elapsed.Seconds()
	if pace > 0 && rate >= busyShare*pace {
		rate = pace // counting a few sends is less exact
	}
	l.bad = rate
	l.rate = max(cutTo*rate, leastRate)
}

// grow raises the rate for the time since the last start, if the key was sending
// about as fast as it may, and reports whether it did.
func (l *learnt) grow(now time.Time, p pace) bool {
	if l.rate <= 0 || p.last.IsZero() {
		return false
	}
	since := now.Sub(p.last)
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
