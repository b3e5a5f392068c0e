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
	starts   uint32 // numbers the starts
	episode  uint32 // numbers the throttles that began a wait
	streak   uint32 // episodes without an OK in between
	troubles uint32 // failures without an OK in between
	quota    bool   // the gate is closed for a spent allowance
	awaits   bool   // the pace counts from when requests are sent
	unsent   int32  // requests that have started and are not sent yet
}

// Ticket stands for one start. It is spent by [Key.Cancel] or [Key.Done].
type Ticket struct {
	before  time.Time // the start before this one
	number  uint32
	episode uint32
}

// NewKey returns a key that nothing has happened to.
func NewKey(r Rule) Key { return Key{rule: r} }

// AwaitSent makes the pace count from the moment requests are sent. Between a
// start and its request lie a lease and perhaps a handshake; counting from the
// start would let two requests arrive closer together than Rule.Every. Every
// start is then followed by Sent, Skip or Cancel, and while one is not, none
// starts at a paced key. To be called before the first start.
func (k *Key) AwaitSent() { k.awaits = true }

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
	if k.rule.Every > 0 && k.unsent > 0 {
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
	if k.awaits {
		k.unsent++
	}
	return t
}

// Sent tells that a request went out. It counts with AwaitSent only.
func (k *Key) Sent(now time.Time) {
	if !k.awaits {
		return
	}
	k.unsent--
	if now.After(k.last) {
		k.last = now
	}
}

// Skip tells that no request will follow the start of t, whose place in flight
// is still to be given back with Done. It counts with AwaitSent only.
func (k *Key) Skip(t Ticket) {
	if !k.awaits {
		return
	}
	k.unsent--
	k.unpace(t)
}

// Cancel takes back a start that did not happen: its place in flight and, if
// none has started since, its place in the pace.
func (k *Key) Cancel(t Ticket) {
	k.inFlight--
	if k.awaits {
		k.unsent--
	}
	k.unpace(t)
}

// unpace takes a start out of the pace, if none has started since.
func (k *Key) unpace(t Ticket) {
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
