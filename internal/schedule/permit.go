package schedule

import (
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/queue"
)

// Permit is the right to run one step at Key. It is spent by the first call of
// Unpick or Finish; all later calls with it do nothing.
type Permit struct {
	Key  string
	N    int           // rows that the step may take, at least 1
	Gap  time.Duration // least time to the key's next start; 0 for none
	Down bool          // the key is given up: no request may be made there

	serial uint64 // never used twice
	grant  int32
}

// grant is the table's side of a permit.
type grant struct {
	serial uint64 // of its permit; 0 if unused
	key    *key
	ticket limit.Ticket
	began  time.Duration
	rows   int    // taken
	told   uint32 // of the key, at the pick
	fair   bool   // picked by turns
	down   bool   // no request: the key is not held
	left   bool   // slot and key are free already
}

// Took tells that n rows came for a permit, at least 1. If they are fewer than
// Permit.N, the key has no ready row left but those told of since the pick.
func (t *Table) Took(p Permit, at time.Time, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	g := t.held(p)
	if g == nil || n >= g.rows {
		return
	}
	t.flow[g.key.class].running -= g.rows - n
	g.rows = n
	if g.key.told == g.told {
		t.setRows(g.key, 0, now)
		t.place(g.key, now)
	}
}

// Unpick gives back a permit for which no row came: the slot, and the key's
// place and pace as if it had not been picked. The rows it stood for are counted
// again, unless empty says that the key has no ready row left; rows told of
// since the pick are not in question.
func (t *Table) Unpick(p Permit, at time.Time, empty bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	g := t.held(p)
	if g == nil {
		return
	}
	k := g.key
	if !g.left && !g.down {
		k.limit.Cancel(g.ticket, now)
		k.group.vacate()
	}
	switch {
	case !empty:
		t.setRows(k, k.rows+g.rows, now)
	case k.told == g.told:
		t.setRows(k, 0, now)
	}
	t.release(p)
	t.place(k, now)
	t.unpark(k.group, now)
}

// Send tells that the request of a permit is about to go out, and returns how
// long it must be held back for the key's pace: 0 unless it was delayed on its
// way, or one before it was.
func (t *Table) Send(p Permit, at time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	g := t.held(p)
	if g == nil || g.left || g.down {
		return 0
	}
	t.handover.add((now - g.began).Seconds())
	wait = g.key.limit.Send(now)
	t.place(g.key, now)
	return wait
}

// Leave frees slot and key of a permit for other requests, while its step does what
// comes after its own. A second call does nothing.
func (t *Table) Leave(p Permit, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	if g := t.held(p); g != nil {
		t.leave(g, now)
		t.place(g.key, now)
		t.unpark(g.key.group, now)
	}
}

// leave ends the request of a grant, unless that has been told.
func (t *Table) leave(g *grant, now time.Duration) {
	if g.left || g.down {
		return
	}
	t.freeSlot(g)
	g.key.limit.Done()
	g.key.group.vacate()
	took := (now - g.began).Seconds()
	g.key.service.add(took)
	t.flow[g.key.class].service.add(took)
}

// freeSlot ends the part of a grant that counts as a request.
func (t *Table) freeSlot(g *grant) {
	if g.left {
		return
	}
	g.left = true
	t.active--
	if g.fair {
		t.fair--
	}
}

// Finish frees slot and key of a permit, unless Leave has, and tells the key's
// limits what the step learnt about it. It reports whether that has changed
// the key's gate, breaker, cap or pace.
func (t *Table) Finish(p Permit, at time.Time, s queue.Signal) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	g := t.held(p)
	if g == nil {
		return false
	}
	k := g.key
	before := k.outlook(now)
	t.leave(g, now)
	if !g.down {
		k.learn(g.ticket, now, s)
	}
	t.release(p)
	t.place(k, now)
	t.unpark(k.group, now)
	changed = k.outlook(now) != before
	k.unsaved = true
	return changed
}

// learn tells the limits of a key what a request has met.
func (k *key) learn(t limit.Ticket, now time.Duration, s queue.Signal) {
	if a := (limit.Allowance{Every: s.Allowance.Every, InFlight: s.Allowance.InFlight}); a != (limit.Allowance{}) {
		k.limit.Announce(a)
	}
	if s.Allowance.Wait > 0 {
		k.limit.Spend(now, s.Allowance.Wait)
	}
	switch s.Kind {
	case queue.OK:
		k.limit.OK(t, now)
	case queue.Throttled:
		k.limit.Throttle(t, now, s.For)
	case queue.Troubled:
		k.limit.Trouble(t, now)
	case queue.Refused:
		k.limit.Refuse(t, now)
	case queue.Blocked:
		k.limit.Block(t, now, s.For)
	case queue.None:
	}
}

// outlook is what others may want to be told of when it changes.
type outlook struct {
	until   time.Duration
	breaker string
	width   int
	every   time.Duration
}

func (k *key) outlook(now time.Duration) outlook {
	o := outlook{breaker: k.limit.Breaker(now), width: k.limit.Cap()}
	o.every, _ = k.limit.Every()
	if left, _ := k.limit.Gate(now); left > 0 {
		o.until = now + left
	}
	return o
}

// Retry takes a retry out of a key's budget and returns how long it must wait
// at least: not at all at a key that is given up, where it makes no request.
func (t *Table) Retry(at time.Time, name string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	k := t.key(name, now)
	if k.limit.Down() {
		return 0
	}
	return k.limit.Retry(now)
}

// grant takes a slot for a start at k. The caller holds mu, as for all methods
// below.
func (t *Table) grant(k *key, now time.Duration, rows int, fair bool) Permit {
	if len(t.free) == 0 {
		t.free = append(t.free, int32(len(t.grants)))
		t.grants = append(t.grants, grant{})
	}
	last := len(t.free) - 1
	i := t.free[last]
	t.free = t.free[:last]

	t.serial++
	t.active++
	t.out++
	if fair {
		t.fair++
	}
	k.held++
	t.flow[k.class].running += rows
	g := &t.grants[i]
	g.serial, g.key, g.began, g.rows, g.told = t.serial, k, now, rows, k.told
	g.fair, g.down, g.left = fair, k.limit.Down(), false
	p := Permit{Key: k.name, N: rows, Down: g.down, serial: t.serial, grant: i}
	if !g.down {
		g.ticket = k.limit.Start(now)
		p.Gap = k.limit.Gap()
		if k.group != nil {
			k.group.inFlight++
		}
	}
	return p
}

// held returns the grant of p, or nil if p is spent.
func (t *Table) held(p Permit) *grant {
	if p.serial == 0 || t.grants[p.grant].serial != p.serial {
		return nil
	}
	return &t.grants[p.grant]
}

func (t *Table) release(p Permit) {
	g := &t.grants[p.grant]
	t.freeSlot(g)
	g.key.held--
	t.flow[g.key.class].running -= g.rows
	g.serial, g.key = 0, nil
	t.free = append(t.free, p.grant)
	t.out--
}
