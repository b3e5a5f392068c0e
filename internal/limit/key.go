package limit

import "time"

// Key is the state of one key. The zero Key allows everything. It is not safe
// for concurrent use, and it does not enforce: the caller asks [Key.Free] first
// and starts only if that says so.
//
// The pace is GCRA without a burst. Its one instant is kept as the last start,
// not as the next one allowed, so that a new Rule counts from what really
// happened. Intervals get no jitter: the one caller of a key has no crowd to
// leave.
type Key struct {
	rule     Rule
	last     time.Time // the latest start
	gate     time.Time // no start before
	inFlight int32
	starts   uint32    // numbers the starts
	episode  uint32    // numbers the throttles that began a wait
	streak   uint32    // episodes without an OK in between
	troubles uint32    // failures without an OK in between
	quota    bool      // the gate is closed for a spent allowance
	sent     time.Time // the latest request that was told of went out
}

// Ticket stands for one start. It is spent by [Key.Cancel] or [Key.Done].
type Ticket struct {
	before  time.Time // the start before this one
	number  uint32
	episode uint32
}

// NewKey returns a key that nothing has happened to.
func NewKey(r Rule) Key { return Key{rule: r} }

// Rule returns the allowance in force.
func (k *Key) Rule() Rule { return k.rule }

// SetRule changes the allowance. It counts from the last start, and requests in
// flight beyond a lower cap are left to end.
func (k *Key) SetRule(r Rule) { k.rule = r }

// Free reports whether a request may start now. If only time is in the way, at
// is when it may; if a request must end first, at is zero.
func (k *Key) Free(now time.Time) (at time.Time, ok bool) {
	if limit := k.Cap(); limit > 0 && int(k.inFlight) >= limit {
		return time.Time{}, false
	}
	at = k.gate
	if k.rule.Every > 0 && !k.last.IsZero() {
		if next := k.last.Add(k.rule.Every); next.After(at) {
			at = next
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
	t := Ticket{before: k.last, number: k.starts, episode: k.episode}
	k.last = now
	k.inFlight++
	return t
}

// Send tells that a request that has started is about to go out, and returns how
// long it must be held back for. Between its start and its request lie a lease
// and perhaps a handshake, so requests may come to go out closer together than
// they started: then the later one is held back, and the pace goes on from when
// it really went.
func (k *Key) Send(now time.Time) (wait time.Duration) {
	at := now
	if k.rule.Every > 0 && !k.sent.IsZero() {
		if next := k.sent.Add(k.rule.Every); next.After(at) {
			at = next
		}
	}
	k.sent = at
	if at.After(k.last) {
		k.last = at
	}
	return at.Sub(now)
}

// Cancel takes back a start that did not happen: its place in flight and, if
// none has started since, its place in the pace.
func (k *Key) Cancel(t Ticket) {
	k.inFlight--
	if t.number == k.starts {
		k.starts--
		k.last = t.before
	}
}

// Done counts the end of a request.
func (k *Key) Done() { k.inFlight-- }

// InFlight returns how many requests have started and not ended.
func (k *Key) InFlight() int { return int(k.inFlight) }

// Cap returns how many requests may be in flight at once; 0 means any number.
// After a throttle it is 1 until a later request is answered, so that a gate
// that opens lets one request try first.
func (k *Key) Cap() int {
	if k.streak > 0 {
		return 1
	}
	return max(k.rule.InFlight, 0)
}

// keep is for how long a key that is not in use remembers what it has learnt.
const keep = 10 * time.Minute

// Forgettable reports whether nothing is lost if a new Key takes this one's
// place: nothing is in flight and gate and pace have long passed.
func (k *Key) Forgettable(now time.Time) bool {
	if k.inFlight > 0 {
		return false
	}
	return now.Sub(k.gate) >= keep && now.Sub(k.last) >= max(keep, k.rule.Every)
}
