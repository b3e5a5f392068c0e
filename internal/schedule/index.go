package schedule

import "time"

// place lists k where it belongs after something happened to it. The caller
// holds mu, as for all methods in this file.
func (t *Table) place(k *key, now time.Time) {
	if k.rows == 0 {
		t.unlist(k)
		return
	}
	at, ok := k.limit.Free(now)
	switch {
	case ok:
		t.list(k, &t.ready, k.oldest)
	case at.IsZero():
		t.unlist(k)
	default:
		t.list(k, &t.timed, t.rank(at))
	}
}

func (t *Table) list(k *key, h *heap, rank int64) {
	if k.in == h {
		h.move(k, rank)
		return
	}
	t.unlist(k)
	h.push(k, rank)
}

func (t *Table) unlist(k *key) {
	if k.in != nil {
		k.in.remove(k)
	}
}

// next returns the key that may start now and has the oldest row, or nil.
func (t *Table) next(now time.Time) *key {
	for due := t.rank(now); len(t.timed.nodes) > 0 && t.timed.nodes[0].rank <= due; {
		k := t.timed.nodes[0].key
		t.list(k, &t.ready, k.oldest)
	}
	for len(t.ready.nodes) > 0 {
		k := t.ready.nodes[0].key
		if _, ok := k.limit.Free(now); ok {
			return k
		}
		t.place(k, now) // it got here through a caller whose clock was ahead
	}
	return nil
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

// rank turns an instant into a number that a heap can order by. Counting from an
// instant of the process keeps it on the monotonic clock.
func (t *Table) rank(at time.Time) int64 { return int64(at.Sub(t.epoch)) }
