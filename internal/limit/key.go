package limit

import "time"

// Key is the state of one key. The zero Key allows everything. It is not safe
// for concurrent use, and it does not enforce: the caller asks [Key.Free] first
// and starts only if that says so.
type Key struct {
	rule     Rule
	told     Allowance // what the key has announced
	seed     uint64    // of the jitter; 0 for none
	inFlight int32
	starts   uint32 // numbers the starts

	pace    pace
	width   width
	learnt  learnt
	gate    gate
	breaker breaker
	day     day
	retries retries
}

// Ticket stands for one start. It is spent by [Key.Cancel] or [Key.Done].
type Ticket struct {
	before  pace // as it was before the start
	number  uint32
	episode uint32 // of throttles
	opening uint32 // of the breaker
}

// NewKey returns a key that nothing has happened to. Waits that somebody else
// may be waiting out as well, such as Retry-After, get a little longer by an
// amount that depends on seed; with 0 they do not.
func NewKey(r Rule, seed uint64) Key {
	k := Key{seed: seed}
	k.SetRule(r)
	return k
}

// Rule returns the configured allowance.
func (k *Key) Rule() Rule { return k.rule }

// SetRule changes the allowance. Pace counts from the last start, and requests in
// flight beyond a lower cap are left to end.
func (k *Key) SetRule(r Rule) {
	k.rule = r
	k.adjust()
}

// Announce takes over what the key says that it allows, instead of what it said
// before. It narrows the rule and never widens it.
func (k *Key) Announce(a Allowance) {
	k.told = a
	k.adjust()
}

// adjust brings the pace up to date after one of its sources has changed.
func (k *Key) adjust() {
	k.pace.set(max(k.rule.Every, k.told.Every, k.learnt.every()))
}

// Every returns the least time between two starts that is in force, and where it
// comes from.
func (k *Key) Every() (time.Duration, From) {
	every := k.pace.every
	switch {
	case every == 0 || every == k.rule.Every:
		return every, Configured
	case every == k.told.Every:
		return every, Announced
	default:
		return every, Learnt
	}
}

// From says where a pace comes from.
type From string

// The sources of a pace.
const (
	Configured From = "configured"
	Announced  From = "announced"
	Learnt     From = "learnt"
)

// Free reports whether a request may start now. If only time is in the way, at
// is when it may; if a request must end first, at is zero.
func (k *Key) Free(now time.Time) (at time.Time, ok bool) {
	if most := k.Cap(); most > 0 && int(k.inFlight) >= most {
		return time.Time{}, false
	}
	at = k.pace.next(k.rule.Burst)
	for _, until := range [...]time.Time{k.gate.until, k.breaker.until, k.day.until(k.rule.Daily, now)} {
		if until.After(at) {
			at = until
		}
	}
	if at.After(now) {
		return at, false
	}
	return now, true
}

// Start counts a request that starts now.
func (k *Key) Start(now time.Time) Ticket {
	k.starts++
	k.inFlight++
	t := Ticket{before: k.pace, number: k.starts, episode: k.gate.episode, opening: k.breaker.opening}
	if k.learnt.grow(now, k.pace) {
		k.adjust()
	}
	k.pace.start(now)
	k.learnt.sent(now)
	k.day.count(now, 1)
	k.retries.earn(now)
	return t
}

// Send tells that a request that has started is about to go out, and returns how
// long it must be held back for. Between its start and its request lie a lease
// and perhaps a handshake, so requests may come to go out closer together than
// they started: then the later one is held back, and the pace goes on from when
// it really went.
func (k *Key) Send(now time.Time) (wait time.Duration) {
	if k.rule.Burst > 1 {
		return 0
	}
	return k.pace.send(now)
}

// Cancel takes back a start that did not happen: its place in flight and, if
// none has started since, its place in the pace.
func (k *Key) Cancel(t Ticket, now time.Time) {
	k.inFlight--
	k.day.count(now, -1)
	if t.number == k.starts {
		k.starts--
		k.pace.restore(t.before)
	}
}

// Done counts the end of a request.
func (k *Key) Done() { k.inFlight-- }

// InFlight returns how many requests have started and not ended.
func (k *Key) InFlight() int { return int(k.inFlight) }

// Cap returns how many requests may be in flight at once; 0 means any number.
// After a throttle or a breaker's opening it is 1 until later requests are
// answered, so that one request tries first.
func (k *Key) Cap() int {
	if k.gate.streak > 0 || k.breaker.opens > 0 {
		return 1
	}
	return k.width.now(k.rule, k.told)
}

// keep is for how long a key that is not in use remembers what it has learnt.
const keep = 30 * time.Minute

// Forgettable reports whether nothing is lost if a new Key takes this one's
// place: nothing is in flight, gate, breaker and pace have long passed, and no
// daily budget is being counted.
func (k *Key) Forgettable(now time.Time) bool {
	return k.inFlight == 0 && !k.breaker.down && !k.day.counting(k.rule.Daily, now) &&
		now.Sub(k.gate.until) >= keep && now.Sub(k.breaker.until) >= keep && now.Sub(k.pace.last) >= max(keep, k.pace.every)
}
