package schedule

import (
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/queue"
)

// Permit is the right to run one step at Key. It is spent by the first call of
// Unpick or Finish; all later calls with it do nothing.
type Permit struct {
	Key    string
	serial uint64 // never used twice
	grant  int32
}

// grant is the table's side of a permit: a slot that is taken.
type grant struct {
	serial uint64 // of its permit; 0 if unused
	key    *key
	ticket limit.Ticket
	oldest int64  // of the key, before the pick
	told   uint32 // of the key, at the pick
	left   bool   // the key is free already
}

// Unpick gives back a permit for which no row came: the slot, and the key's
// place and pace as if it had not been picked. The row it stood for is counted
// again, unless empty says that the key has no ready row left; rows told of
// since the pick are not in question.
func (t *Table) Unpick(p Permit, now time.Time, empty bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	g := t.held(p)
	if g == nil {
		return
	}
	k := g.key
	if !g.left {
		k.limit.Cancel(g.ticket)
	}
	switch {
	case !empty:
		t.giveRows(k, 1, g.oldest)
	case k.told == g.told:
		t.setRows(k, 0)
	}
	t.release(p)
	t.place(k, now)
}

// Send tells that the request of a permit is about to go out, and returns how
// long it must be held back for the key's pace: 0 unless it was delayed on its
// way, or one before it was.
func (t *Table) Send(p Permit, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	g := t.held(p)
	if g == nil || g.left {
		return 0
	}
	wait = g.key.limit.Send(now)
	t.place(g.key, now)
	return wait
}

// Leave frees the key of a permit for others while its slot is still held. A
// second call does nothing.
func (t *Table) Leave(p Permit, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	g := t.held(p)
	if g == nil || g.left {
		return
	}
	g.left = true
	g.key.limit.Done()
	t.place(g.key, now)
}

// Finish frees the slot of a permit, and its key unless Leave has, and tells the
// key's limits what the step learnt about it.
func (t *Table) Finish(p Permit, now time.Time, s queue.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	g := t.held(p)
	if g == nil {
		return
	}
	k := g.key
	if !g.left {
		k.limit.Done()
	}
	switch s.Kind {
	case queue.OK, queue.Refused, queue.Blocked:
		k.limit.OK(g.ticket)
	case queue.Throttled:
		k.limit.Throttle(g.ticket, now, s.For)
	case queue.Troubled:
		k.limit.Trouble()
	case queue.None:
	}
	t.release(p)
	t.place(k, now)
}

// Gate closes a key for a while, as a throttle does that somebody else met.
func (t *Table) Gate(now time.Time, name string, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	k := t.key(name, now)
	k.limit.Throttle(limit.Ticket{}, now, wait)
	t.place(k, now)
}

// grant takes a slot for a start at k. The caller holds mu, as for all methods
// below.
func (t *Table) grant(k *key, ticket limit.Ticket) Permit {
	if len(t.free) == 0 {
		t.free = append(t.free, int32(len(t.grants)))
		t.grants = append(t.grants, grant{})
	}
	last := len(t.free) - 1
	i := t.free[last]
	t.free = t.free[:last]

	t.serial++
	t.active++
	k.held++
	t.grants[i] = grant{serial: t.serial, key: k, ticket: ticket, oldest: k.oldest, told: k.told}
	return Permit{Key: k.name, serial: t.serial, grant: i}
}

// held returns the grant of p, or nil if p is spent.
func (t *Table) held(p Permit) *grant {
	if p.serial == 0 || t.grants[p.grant].serial != p.serial {
		return nil
	}
	return &t.grants[p.grant]
}

func (t *Table) release(p Permit) {
	t.grants[p.grant].key.held--
	t.grants[p.grant] = grant{}
	t.free = append(t.free, p.grant)
	t.active--
}
