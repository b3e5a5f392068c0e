package limit

import "time"

// The circuit breaker (Nygard: Release It!, 2007). The counts are those common in
// libraries (resilience4j, gobreaker); that it is given up for the run after three
// openings turned 658 attempts of 30 s at a hanging host into 10 in a simulation.
const (
	openAfter    = 5   // failures in a row
	openShare    = 0.5 // or this share of failures
	openOf       = 20  // among at least so many requests
	openWindow   = time.Minute
	firstOpen    = 30 * time.Second // doubles with each opening
	longestOpen  = 20               // of the first, as 10 min are of 30 s
	openJitter   = 0.2
	closeAfter   = 3 // answers
	opensToBreak = 3 // without an answer in between: down for this run
	// blocksToBreak is the same for a challenge: one may be about one document.
	blocksToBreak = 2
)

// breaker is closed while opens is 0, open until an instant, and then half-open:
// one request at a time tries, until three were answered or one fails.
type breaker struct {
	until    time.Duration
	opens    uint32 // without a closing in between
	barren   uint32 // openings without an answer in between
	opening  uint32 // numbers the openings
	probes   uint32 // answers since it is half-open
	troubles uint32 // failures without an OK in between
	down     bool

	since           time.Duration // the present half of the window began
	total, failed   uint32        // in the present half
	total0, failed0 uint32        // in the half before
}

// Breaker returns the state: "closed", "open", "half-open" or "down".
func (k *Key) Breaker(now time.Duration) string {
	switch b := &k.breaker; {
	case b.down:
		return "down"
	case b.opens == 0:
		return "closed"
	case now < b.until:
		return "open"
	default:
		return "half-open"
	}
}

// Down reports whether the key is given up for this run.
func (k *Key) Down() bool { return k.breaker.down }

// Troubles returns how many failures came without an OK in between.
func (k *Key) Troubles() int { return int(k.breaker.troubles) }

// Trouble tells that the request of t failed through the fault of the key: a
// timeout, a broken connection, a server error. Failures in a row halve the cap and
// open the breaker. Those of requests from before the breaker opened change
// nothing.
func (k *Key) Trouble(t Ticket, now time.Duration) {
	defer k.adjust()
	b := &k.breaker
	b.troubles++
	b.note(now, true)
	if t.opening != b.opening {
		return
	}
	if b.opens > 0 || b.troubles >= openAfter || b.failing() {
		k.trip(now)
		return
	}
	if b.troubles%troublesToHalve == 0 {
		k.width.halve(k.width.now(k.rule, k.told), int(k.inFlight)+1, now)
	}
}

// Block tells that the key shuts us out as such. If wait is not 0, its gate closes
// for so long. Otherwise the breaker opens at once, and the key is given up for this
// run when that happens twice without an answer in between.
func (k *Key) Block(t Ticket, now, wait time.Duration) {
	defer k.adjust()
	if wait > 0 {
		k.gate.close(now+min(wait, maxWait), ReasonBlocked)
		return
	}
	if t.opening == k.breaker.opening {
		k.trip(now)
		k.breaker.down = k.breaker.barren >= blocksToBreak
	}
}

// trip opens the breaker.
func (k *Key) trip(now time.Duration) {
	b := &k.breaker
	b.opens++
	b.barren++
	b.opening++
	b.probes = 0
	first := k.rule.Break
	if first <= 0 {
		first = firstOpen
	}
	wait := first
	for n := uint32(1); n < b.opens && wait < longestOpen*first; n++ {
		wait *= 2
	}
	// ±20 %, as those who saw it fail together should not come back together.
	wait = time.Duration(float64(min(wait, longestOpen*first)) * (1 + openJitter*(2*k.centred()-1)))
	b.until = now + wait
	b.down = b.barren >= opensToBreak
}

// centred is random, and a half without a seed.
func (k *Key) centred() float64 {
	if k.seed == 0 {
		return 0.5
	}
	return k.random()
}

// succeed counts an answer.
func (b *breaker) succeed(now time.Duration) {
	b.troubles, b.barren = 0, 0
	b.note(now, false)
	if b.opens == 0 {
		return
	}
	if b.probes++; b.probes >= closeAfter {
		b.opens, b.probes = 0, 0
		b.total, b.failed, b.total0, b.failed0 = 0, 0, 0, 0
	}
}

// note counts an outcome in the window, of which it keeps two halves.
func (b *breaker) note(now time.Duration, failed bool) {
	if since := now - b.since; since >= openWindow/2 {
		b.total0, b.failed0 = b.total, b.failed
		if since >= openWindow {
			b.total0, b.failed0 = 0, 0
		}
		b.total, b.failed, b.since = 0, 0, now
	}
	b.total++
	if failed {
		b.failed++
	}
}

// failing reports whether too many of the latest requests failed.
func (b *breaker) failing() bool {
	total, failed := b.total+b.total0, b.failed+b.failed0
	return total >= openOf && float64(failed) >= openShare*float64(total)
}
