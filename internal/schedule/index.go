package schedule

import "time"

// linger is how long a batch key waits for more rows while some may be on their
// way.
const linger = 200 * time.Millisecond

// place lists k where it belongs after something happened to it. The caller
// holds mu, as for all methods in this file.
func (t *Table) place(k *key, now time.Time) {
	what, at := t.look(k, now)
	before := k.status
	if what != before {
		t.enter(k, what, now)
	}
	switch {
	case what == ready:
		t.timers.drop(k)
		t.byAge.put(k, ageRing(k.oldest))
		t.byWeight.put(k, weightRing(int64(t.weight(k)*1000)))
	case what == paced || what == gated:
		t.unready(k)
		t.timers.set(k, t.rank(at))
	case what == parked && k.links[byAge].in == &k.group.parked:
	case what == parked:
		t.unlist(k)
		k.group.parked.push(k)
	default:
		t.unlist(k)
	}
	if before == ready && what != ready {
		t.unpark(k.group, now) // what k might have taken is free for another
	}
}

// unpark lists a key that waits for a place in g, if there is one and any may
// start.
func (t *Table) unpark(g *group, now time.Time) {
	for g != nil && g.parked.first != nil && !g.full() {
		k := g.parked.first
		g.parked.remove(k)
		if t.place(k, now); k.status == ready {
			return
		}
	}
}

// look says what k waits for, and until when if it is for an instant.
func (t *Table) look(k *key, now time.Time) (status, time.Time) {
	if k.rows == 0 {
		return idle, time.Time{}
	}
	if k.limit.Down() {
		return ready, now
	}
	at, ok := k.limit.Free(now)
	switch {
	case !ok && at.IsZero():
		return capped, at
	case !ok:
		if left, _ := k.limit.Gate(now); left >= at.Sub(now) {
			return gated, at
		}
		return paced, at
	case k.group.full():
		return parked, time.Time{}
	}
	if until := k.head.Add(linger); k.rows < k.limit.Rule().Batch && t.active > 0 && until.After(now) {
		return paced, until
	}
	return ready, now
}

// enter notes that k waits for something else from now on.
func (t *Table) enter(k *key, what status, now time.Time) {
	k.waited[k.status] += max(0, now.Sub(k.since))
	k.status, k.since = what, now
}

func (t *Table) unlist(k *key) {
	t.timers.drop(k)
	t.unready(k)
}

func (t *Table) unready(k *key) {
	t.byWeight.drop(k)
	t.byAge.drop(k)
}

// due moves the keys whose instant has come to where they belong.
func (t *Table) due(now time.Time) {
	for rank := t.rank(now); len(t.timers.nodes) > 0 && t.timers.nodes[0].at <= rank; {
		k := t.timers.nodes[0].key
		t.timers.drop(k)
		t.place(k, now)
		if k.timer != 0 && t.timers.nodes[k.timer-1].at <= rank {
			return // rounding: it will be due in a moment
		}
	}
}

// next returns the key to pick from, or nil, and whether by age.
//
// Half of the slots take the key whose first row is the oldest, so that none waits
// for ever. The others take the key with the most work left, so that it does not
// remain when all else is done.
func (t *Table) next(now time.Time) (k *key, fair bool) {
	t.due(now)
	if t.active == 0 {
		for _, k := range t.batching {
			t.place(k, now) // nothing is on its way that it could wait for
		}
	}
	fair = 2*t.fair < t.slots
	for {
		if fair {
			k = t.byAge.lowest()
		} else {
			k = t.byWeight.highest()
		}
		if k == nil {
			return nil, fair
		}
		if what, _ := t.look(k, now); what == ready {
			return k, fair
		}
		t.place(k, now) // its group is full meanwhile, or its rows came from a caller whose clock was ahead
	}
}

// see notes an instant that the table is told.
func (t *Table) see(now time.Time) {
	if t.epoch.IsZero() {
		t.epoch = now
	}
	if now.After(t.latest) {
		t.latest = now
	}
}

// rank turns an instant into a number that timers can order by. Counting from an
// instant of the process keeps it on the monotonic clock.
func (t *Table) rank(at time.Time) int64 { return int64(at.Sub(t.epoch)) }
