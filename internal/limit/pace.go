package limit

import (
	"math/bits"
	"time"
)

// pace is GCRA (ITU-T I.371), kept as the last start and the debt that it left,
// not as the theoretical arrival time that is their sum: a new interval then
// counts from what really happened. Intervals get no jitter: the one caller of a
// key has no crowd to leave.
type pace struct {
	every time.Duration // between two starts; 0 for none
	last  time.Time     // the latest start
	debt  time.Duration // from the last start until the key is as if rested
	sent  time.Time     // the latest request that was told of went out
}

// set changes the interval: a debt of one interval becomes one of the new.
func (p *pace) set(every time.Duration) {
	switch {
	case every == p.every || p.last.IsZero():
	case every <= 0:
		p.debt = 0
	case p.every <= 0:
		p.debt = every
	default:
		p.debt = scale(p.debt, every, p.every)
	}
	p.every = max(every, 0)
}

// scale returns d·to/from, exactly, or the longest Duration.
func scale(d, to, from time.Duration) time.Duration {
	const longest = 1<<63 - 1
	high, low := bits.Mul64(uint64(max(d, 0)), uint64(to))
	if high >= uint64(from) {
		return longest
	}
	quotient, _ := bits.Div64(high, low, uint64(from))
	return time.Duration(min(quotient, longest))
}

// next is when the next start may be.
func (p *pace) next(burst int) time.Time {
	if p.every <= 0 || p.last.IsZero() {
		return time.Time{}
	}
	return p.last.Add(p.debt - time.Duration(max(burst, 1)-1)*p.every)
}

func (p *pace) start(now time.Time) {
	left := time.Duration(0)
	if !p.last.IsZero() {
		left = max(0, p.last.Add(p.debt).Sub(now))
	}
	p.last, p.debt = now, left+p.every
}

// restore takes back the latest start.
func (p *pace) restore(before pace) {
	every, sent := p.every, p.sent
	*p = before
	p.set(every)
	p.sent = sent
	if sent.After(p.last) {
		p.last = sent
	}
}

// send returns how long a request that is about to go out must wait for the one
// before it.
func (p *pace) send(now time.Time) time.Duration {
	at := now
	if p.every > 0 && !p.sent.IsZero() {
		if next := p.sent.Add(p.every); next.After(at) {
			at = next
		}
	}
	p.sent = at
	if at.After(p.last) {
		p.last = at
	}
	return at.Sub(now)
}
