package limit

import (
	"math"
	"math/bits"
	"time"
)

// pace is GCRA (ITU-T I.371), kept as the last start and the debt that it left,
// not as the theoretical arrival time that is their sum: a new interval then
// counts from what really happened. Intervals get no jitter: the one caller of a
// key has no crowd to leave.
type pace struct {
	every   time.Duration // between two starts; 0 for none
	last    time.Duration // the latest start
	debt    time.Duration // from the last start until the key is as if rested
	sent    time.Duration // the latest request that was told of went out
	started bool          // last is one
	told    bool          // sent is one
}

// set changes the interval: a debt of one interval becomes one of the new.
func (p *pace) set(every time.Duration) {
	switch {
	case every == p.every || !p.started:
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
func (p *pace) next(burst int) time.Duration {
	if p.every <= 0 || !p.started {
		return math.MinInt64
	}
	return p.last + p.debt - time.Duration(max(burst, 1)-1)*p.every
}

func (p *pace) start(now time.Duration) {
	left := time.Duration(0)
	if p.started {
		left = max(0, p.last+p.debt-now)
	}
	p.last, p.debt, p.started = now, left+p.every, true
}

// mark is what a start changes.
type mark struct {
	every, last, debt time.Duration
	started           bool
}

func (p *pace) mark() mark { return mark{p.every, p.last, p.debt, p.started} }

// restore takes back the latest start.
func (p *pace) restore(before mark) {
	every := p.every
	p.every, p.last, p.debt, p.started = before.every, before.last, before.debt, before.started
	p.set(every)
	if p.told && p.started {
		p.last = max(p.last, p.sent)
	}
}

// send returns how long a request that is about to go out must wait for the one
// before it.
func (p *pace) send(now time.Duration) time.Duration {
	at := now
	if p.every > 0 && p.told {
		at = max(at, p.sent+p.every)
	}
	p.sent, p.told = at, true
	p.last = max(p.last, at)
	return at - now
}
