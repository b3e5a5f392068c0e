package schedule

import (
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// key is what the table knows of one key.
type key struct {
	name   string
	limit  limit.Key
	rows   int    // ready rows in the store, none of them leased
	oldest int64  // the first ready row's order is at least this; rows of 0 make it void
	told   uint32 // counts the calls that told of rows
	held   int32  // grants that point here
	in     *heap  // where the key is, if anywhere
	at     int    // its place in there
}

// key returns the named key and makes it at first sight. The caller holds mu,
// as for all methods in this file.
func (t *Table) key(name string, now time.Time) *key {
	if k := t.keys[name]; k != nil {
		return k
	}
	if len(t.keys) >= t.sweepAt {
		t.sweep(now)
	}
	k := &key{name: name, limit: limit.NewKey(t.rule(name))}
	t.keys[name] = k
	return k
}

// sweep drops the keys that are not in use and know nothing worth keeping. It
// runs at each Refresh and whenever the number of keys has doubled, so its cost
// per key is constant.
func (t *Table) sweep(now time.Time) {
	for name, k := range t.keys {
		if k.rows == 0 && k.held == 0 && k.limit.Forgettable(now) {
			t.leave(k)
			delete(t.keys, name)
		}
	}
	t.sweepAt = max(firstSweep, 2*len(t.keys))
}

func (t *Table) setRows(k *key, rows int) {
	switch {
	case k.rows == 0 && rows > 0:
		t.backlogged++
	case k.rows > 0 && rows == 0:
		t.backlogged--
	}
	k.rows = rows
}

// giveRows adds rows to those that k has, the first of them being oldest.
func (k *key) giveRows(t *Table, rows int, oldest int64) {
	if k.rows == 0 || oldest < k.oldest {
		k.oldest = oldest
	}
	t.setRows(k, k.rows+rows)
}

// place puts k where it belongs after something happened to it.
func (t *Table) place(k *key, now time.Time) {
	if k.rows == 0 {
		t.leave(k)
		return
	}
	at, ok := k.limit.Free(now)
	switch {
	case ok:
		t.enter(k, &t.ready, k.oldest)
	case at.IsZero():
		t.leave(k)
	default:
		t.enter(k, &t.timed, t.rank(at))
	}
}

func (t *Table) enter(k *key, h *heap, rank int64) {
	if k.in == h {
		h.move(k, rank)
		return
	}
	t.leave(k)
	h.push(k, rank)
}

func (t *Table) leave(k *key) {
	if k.in != nil {
		k.in.remove(k)
	}
}

// next returns the key that may start now and has the oldest row, or nil.
func (t *Table) next(now time.Time) *key {
	for due := t.rank(now); len(t.timed.nodes) > 0 && t.timed.nodes[0].rank <= due; {
		k := t.timed.nodes[0].key
		t.enter(k, &t.ready, k.oldest)
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
