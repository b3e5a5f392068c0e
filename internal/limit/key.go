package limit

import (
	"math"
	"time"
)

// Never is the instant that does not come.
const Never = time.Duration(math.MaxInt64)

// Key is the state of one key. Instants are durations since the epoch that NewKey
// was told, by a clock that never goes back. It is not safe for concurrent use, and
// it does not enforce: the caller asks [Key.Free] first and starts only if that
// says so.
type Key struct {
	// What Free looks at; adjust brings it up to date after any change.
	open     time.Duration // the earliest start, apart from the cap
	most     int32         // requests at once; 0 for any number
	inFlight int32

	pace    pace
	starts  uint32 // numbers the starts
	gate    gate
	learnt  learnt
	width   width
	breaker breaker
	day     day
	retries retries
	rule    Rule
	told    Allowance // what the key has announced
	seed    uint64    // of the jitter; 0 for none
}

// Ticket stands for one start. It is spent by [Key.Cancel] or [Key.Done].
type Ticket struct {
	before  mark // the pace before the start
	number  uint32
	episode uint32 // of throttles
	opening uint32 // of the breaker
}

// NewKey returns a key that nothing has happened to. Waits that somebody else
// may be waiting out as well, such as Retry-After, get a little longer by an
// amount that depends on seed; with 0 they do not. Days are those of UTC.
func NewKey(r Rule, seed uint64, epoch time.Time) Key {
	k := Key{seed: seed, day: day{epoch: time.Duration(epoch.Unix())*time.Second + time.Duration(epoch.Nanosecond())}}
	k.SetRule(r)
	return k
}

// Rule returns the configured allowance.
func (k *Key) Rule() Rule { return k.rule }

// Batch returns how many jobs a request may take, at least 1.
func (k *Key) Batch() int { return max(k.rule.Batch, 1) }

// SetRule changes the allowance. Pace counts from the last start, and requests in
// flight beyond a lower cap are left to end.
func (k *Key) SetRule(r Rule) {
	k.rule = r
	k.day.limit(r.Daily)
	k.adjust()
}

// Announce takes over what the key says that it allows, instead of what it said
// before. It narrows the rule and never widens it.
func (k *Key) Announce(a Allowance) {
	k.told = a
	k.adjust()
}

// adjust works out what follows from a change.
func (k *Key) adjust() {
	k.pace.set(max(k.rule.Every, k.told.Every, k.learnt.every()))
	k.open = max(k.pace.next(k.rule.Burst), k.gate.until, k.breaker.until, k.day.until)
	if k.gate.streak > 0 || k.breaker.opens > 0 {
		k.most = 1
		return
	}
	k.most = int32(min(k.width.now(k.rule, k.told), math.MaxInt32))
}

// Gap returns the least time between two starts that is in force; 0 for none.
func (k *Key) Gap() time.Duration { return k.pace.every }

// Every returns the least time between two starts that is in force, and where it
// comes from.
func (k *Key) Every() (time.Duration, From) {
	every := k.pace.every
	switch every {
	case 0, k.rule.Every:
		return every, Configured
	case k.told.Every:
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
// is when it may; if a request must end first, at is [Never].
func (k *Key) Free(now time.Duration) (at time.Duration, ok bool) {
	switch {
	case k.most > 0 && k.inFlight >= k.most:
		return Never, false
	case k.open > now:
		return k.open, false
	}
	return now, true
}

// Soon reports whether a request may start now that goes out, held back by Send,
// in at most lead: nothing but the pace is in its way.
func (k *Key) Soon(now, lead time.Duration) bool {
	return k.rule.Burst <= 1 && (k.most == 0 || k.inFlight < k.most) &&
		k.open <= now+lead && max(k.gate.until, k.breaker.until, k.day.until) <= now
}

// Start counts a request that starts now or, after Soon, when the pace allows it.
func (k *Key) Start(now time.Duration) Ticket {
	k.starts++
	k.inFlight++
	t := Ticket{before: k.pace.mark(), number: k.starts, episode: k.gate.episode, opening: k.breaker.opening}
	if k.learnt.grow(now, k.pace) {
		k.pace.set(max(k.rule.Every, k.told.Every, k.learnt.every()))
	}
	at := now
	if k.rule.Burst <= 1 {
		at = max(now, k.pace.next(1))
	}
	k.pace.start(at)
	k.learnt.sends.add(now)
	k.day.count(now, 1, k.rule.Daily)
	k.retries.earn(now)
	k.open = max(k.open, k.pace.next(k.rule.Burst), k.day.until)
	return t
}

// Send tells that a request that has started is about to go out, and returns how
// long it must be held back for. Between its start and its request lie a lease
// and perhaps a handshake, so requests may come to go out closer together than
// they started: then the later one is held back, and the pace goes on from when
// it really went.
func (k *Key) Send(now time.Duration) (wait time.Duration) {
	if k.rule.Burst > 1 {
		return 0
	}
	wait = k.pace.send(now)
	k.open = max(k.open, k.pace.next(k.rule.Burst))
	return wait
}

// Cancel takes back a start that did not happen: its place in flight and, if
// none has started since, its place in the pace.
func (k *Key) Cancel(t Ticket, now time.Duration) {
	k.inFlight--
	k.day.count(now, -1, k.rule.Daily)
	if t.number == k.starts {
		k.starts--
		k.pace.restore(t.before)
	}
	k.adjust()
}

// Done counts the end of a request.
func (k *Key) Done() { k.inFlight-- }

// InFlight returns how many requests have started and not ended.
func (k *Key) InFlight() int { return int(k.inFlight) }

// Cap returns how many requests may be in flight at once; 0 means any number.
// After a throttle or a breaker's opening it is 1 until later requests are
// answered, so that one request tries first.
func (k *Key) Cap() int { return int(k.most) }

// Widest returns the cap that Cap can rise to; 0 for none.
func (k *Key) Widest() int { return least(max(k.rule.InFlight, 0), k.told.InFlight) }

// keep is for how long a key that is not in use remembers what it has learnt.
const keep = 30 * time.Minute

// Forgettable reports whether nothing is lost if a new Key takes this one's
// place: nothing is in flight, gate, breaker and pace have long passed, and no
// daily budget is being counted.
func (k *Key) Forgettable(now time.Duration) bool {
	return k.inFlight == 0 && !k.breaker.down && !k.day.counting(k.rule.Daily, now) &&
		longAgo(k.gate.until, now) && longAgo(k.breaker.until, now) && (!k.pace.started || now-k.pace.last >= max(keep, k.pace.every))
}

// longAgo reports whether an instant has long passed; 0 stands for none.
func longAgo(at, now time.Duration) bool { return at == 0 || now-at >= keep }
