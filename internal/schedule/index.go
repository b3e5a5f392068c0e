package schedule

import (
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// linger is how long a batch key waits for more rows while some may be on their
// way.
const linger = 200 * time.Millisecond

// place lists k where it belongs after something happened to it. The caller
// holds mu, as for all methods in this file.
func (t *Table) place(k *key, now time.Duration) {
	what, at := t.look(k, now)
	before := k.status
	if what != before {
		t.enter(k, what, now)
	}
	switch what {
	case ready:
		t.timers.drop(k)
		t.turns.put(k.number, 0)
		t.byWeight.put(k.number, weightRing(int64(t.weight(k)*1000)))
	case paced, gated:
		t.unready(k)
		t.timers.set(k, at)
	case parked:
		t.unlist(k)
		if !k.parked {
			k.parked = true
			k.group.parked = append(k.group.parked, k)
		}
	default:
		t.unlist(k)
	}
	if before == ready && what != ready {
		t.unpark(k.group, now) // what k might have taken is free for another
	}
}

// unpark lists a key that waits for a place in g, if there is one and any may
// start.
func (t *Table) unpark(g *group, now time.Duration) {
	for g != nil && len(g.parked) > 0 && !g.full() {
		k := g.parked[0]
		g.parked = g.parked[1:]
		k.parked = false
		if k.status != parked {
			continue
		}
		if t.place(k, now); k.status == ready {
			return
		}
	}
}

// look says what k waits for, and until when if it is for an instant.
func (t *Table) look(k *key, now time.Duration) (status, time.Duration) {
	if k.rows == 0 {
		return idle, limit.Never
	}
	if k.limit.Down() {
		return ready, now
	}
	switch at, ok := k.limit.Free(now); {
	case at == limit.Never:
		return capped, at
	case !ok:
		if what, at := t.closed(k, at, now); what != ready {
			return what, at
		}
	}
	switch {
	case k.group.full():
		return parked, limit.Never
	case t.lingers(k, now):
		return paced, k.head + linger
	}
	return ready, now
}

// closed says what keeps k from starting until at. It may be picked somewhat
// sooner if that is its pace, which holds the request itself back.
func (t *Table) closed(k *key, at, now time.Duration) (status, time.Duration) {
	lead := t.lead()
	if k.limit.Soon(now, lead) {
		return ready, now
	}
	if left, _ := k.limit.Gate(now); left >= at-now {
		return gated, at
	}
	if k.limit.Soon(at-lead, lead) {
		at -= lead
	}
	return paced, at
}

// maxLead bounds how long a slot may be held for a pace.
const maxLead = 20 * time.Millisecond

// lead is by how much a paced key is picked before its next request may go out, so
// that its row has been leased by then.
func (t *Table) lead() time.Duration {
	return min(time.Duration(float64(t.handover.value)*1.5*float64(time.Second)), maxLead)
}

// lingers reports whether k had better wait for more rows.
func (t *Table) lingers(k *key, now time.Duration) bool {
	return k.rows < k.limit.Batch() && t.out > 0 && k.head+linger > now
}

// enter notes that k waits for something else from now on.
func (t *Table) enter(k *key, what status, now time.Duration) {
	if waited := now - k.since; waited > 0 && k.status > ready {
		k.waited[k.status] += waited
		k.delayed = true
	}
	k.status, k.since = what, now
}

func (t *Table) unlist(k *key) {
	t.timers.drop(k)
	t.unready(k)
}

func (t *Table) unready(k *key) {
	t.byWeight.drop(k.number)
	t.turns.drop(k.number)
}

// due moves the keys whose instant has come to where they belong.
func (t *Table) due(now time.Duration) {
	for len(t.timers.nodes) > 0 && t.timers.nodes[0].at <= now {
		t.place(t.timers.nodes[0].key, now)
	}
}

// next returns the key to pick from, or nil, and whether by turns.
//
// Half of the slots take the key that has been able to start for the longest, so
// that none waits for ever and few rows of one key never wait for many of others,
// however old those are. The other slots take the key with the most work left, so
// that it does not
// remain when all else is done.
func (t *Table) next(now time.Duration) (k *key, fair bool) {
	t.due(now)
	if t.out == 0 {
		for _, k := range t.batching {
			t.place(k, now) // nothing is on its way that it could wait for
		}
	}
	fair = 2*t.fair < t.slots
	for {
		n := t.byWeight.highest()
		if fair {
			n = t.turns.lowest()
		}
		if n < 0 {
			return nil, fair
		}
		k = t.all[n]
		if what, _ := t.look(k, now); what == ready {
			return k, fair
		}
		t.place(k, now) // its group is full meanwhile, or its rows came from a caller whose clock was ahead
	}
}

// see turns an instant that the table is told into one of its own: since the
// first, on the monotonic clock.
func (t *Table) see(at time.Time) time.Duration {
	if t.epoch.IsZero() {
		t.epoch = at
	}
	now := at.Sub(t.epoch)
	t.latest = max(t.latest, now)
	return now
}
