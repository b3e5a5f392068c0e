// Package schedule decides which key may start its next step. It keeps, for each
// key, how many rows of the queue are ready and how old the first of them is,
// and gives out permits: a slot and a start at the key, taken together or not at
// all, so that neither is ever held while waiting for the other. The rows
// themselves stay in the store; the caller leases one for each permit.
//
// The package starts no goroutines and reads no clock: callers pass instants.
package schedule

import (
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/queue"
)

// Config is what a [Table] obeys.
type Config struct {
	Slots int // steps at once over all keys

	// Rule is the allowance of a key on first sight; nil allows everything. It is
	// called under the table's lock and must not call the table.
	Rule func(key string) limit.Rule
}

// Table is the key table. A key that may start its next step, as far as the key
// itself is concerned, is in ready; one that only has to wait for an instant is
// in timed; all others are in neither until something happens to them.
//
// All methods are safe for concurrent use.
type Table struct {
	mu    sync.Mutex
	rule  func(key string) limit.Rule
	keys  map[string]*key
	ready heap // ranked by oldest row
	timed heap // ranked by the instant, as told by rank

	slots  int // steps allowed at once
	active int // steps under way
	grants []grant
	free   []int32 // unused grants
	serial uint64  // of the latest grant

	backlogged int       // keys with ready rows
	epoch      time.Time // the first instant told, from which ranks count
	latest     time.Time // the latest instant told
	sweepAt    int       // number of keys at which the forgettable ones are dropped
}

// firstSweep is the number of keys below which none is worth dropping.
const firstSweep = 1024

// New returns a table without keys.
func New(cfg Config) *Table {
	rule := cfg.Rule
	if rule == nil {
		rule = func(string) limit.Rule { return limit.Rule{} }
	}
	return &Table{rule: rule, keys: make(map[string]*key), slots: cfg.Slots, sweepAt: firstSweep}
}

// Refresh takes over an exact count of the ready rows: keys that backlog leaves
// out have none. Rows that become ready after the snapshot was read must be told
// by Add after Refresh. Rows leased since then may still be in it; the permits
// that they lead to are given back with Unpick.
func (t *Table) Refresh(now time.Time, backlog []queue.KeyBacklog) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	for _, k := range t.keys {
		t.setRows(k, 0)
	}
	for _, b := range backlog {
		if b.Ready <= 0 {
			continue
		}
		k := t.key(b.Key, now)
		k.told++
		k.oldest = b.Oldest
		t.setRows(k, b.Ready)
	}
	for _, k := range t.keys {
		t.place(k, now)
	}
	t.sweep(now)
}

// Add tells that more rows of a key became ready; oldest is the order of the
// first of them, as in [queue.KeyBacklog].
func (t *Table) Add(name string, rows int, oldest int64) {
	if rows <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// Add knows no instant, and the latest one told will do: a key that seems to
	// have to wait is looked at again when its time comes.
	k := t.key(name, t.latest)
	k.told++
	t.giveRows(k, rows, oldest)
	t.place(k, t.latest)
}

// Pick takes a slot, a place in flight and the turn of a key together, or
// nothing. Among the keys that may start it takes the one whose oldest ready row
// comes first. Every permit ends with Finish or Unpick.
func (t *Table) Pick(now time.Time) (Permit, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	if t.active >= t.slots {
		return Permit{}, false
	}
	k := t.next(now)
	if k == nil {
		return Permit{}, false
	}
	p := t.grant(k, k.limit.Start(now))
	t.setRows(k, k.rows-1)
	k.oldest++ // ids are unique: priorities aside, the next row's is greater
	t.place(k, now)
	return p, true
}

// Wake returns when Pick will succeed if nothing else happens; that may be now.
// It reports false if time alone changes nothing.
func (t *Table) Wake(now time.Time) (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	if t.active >= t.slots {
		return time.Time{}, false
	}
	if t.next(now) != nil {
		return now, true
	}
	if len(t.timed.nodes) == 0 {
		return time.Time{}, false
	}
	return t.epoch.Add(time.Duration(t.timed.nodes[0].rank)), true
}

// SetSlots changes how many steps may run at once. Steps beyond a lower number
// are left to end.
func (t *Table) SetSlots(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slots = n
}

// SetRule changes the allowance of one key. The table may forget a key that is
// not in use, so Config.Rule must give the same answer from now on.
func (t *Table) SetRule(now time.Time, name string, r limit.Rule) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	if k := t.keys[name]; k != nil {
		k.limit.SetRule(r)
		t.place(k, now)
	}
}

// SetRules replaces Config.Rule and asks the new one for every key.
func (t *Table) SetRules(now time.Time, rule func(key string) limit.Rule) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	t.rule = rule
	for name, k := range t.keys {
		k.limit.SetRule(rule(name))
		t.place(k, now)
	}
}
