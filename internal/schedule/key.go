package schedule

import (
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// key is what the table knows of one key.
type key struct {
	name   string
	limit  limit.Key
	rows   int    // ready rows in the store
	oldest int64  // the first of them has at least this order
	told   uint32 // counts the times that rows were told of
	held   int32  // grants that point here
	in     *heap  // where the key is, if anywhere
	at     int    // its place in there
}

// key returns the named key and makes it at first sight. The caller holds mu, as
// for all methods in this file.
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
			t.unlist(k)
			delete(t.keys, name)
		}
	}
	t.sweepAt = max(firstSweep, 2*len(t.keys))
}

// setRows is the only place that changes k.rows.
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
func (t *Table) giveRows(k *key, rows int, oldest int64) {
	if k.rows == 0 || oldest < k.oldest {
		k.oldest = oldest
	}
	t.setRows(k, k.rows+rows)
}
