// Package schedule decides which key may start its next step. It keeps, for each
// key, how many rows of the queue are ready and how old the first of them is,
// and gives out permits: a slot and a start at the key, taken together or not at
// all, so that neither is ever held while waiting for the other. The rows
// themselves stay in the store; the caller leases one for each permit.
//
// The package starts no goroutines and reads no clock: callers pass instants.
package schedule

import (
	"slices"
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/queue"
)

// Config is what a [Table] obeys.
type Config struct {
	Slots int // requests at once over all keys

	// Rule is the allowance of a key on first sight; nil allows everything. It is
	// called under the table's lock and must not call the table.
	Rule func(key string) limit.Rule

	// Seed varies the waits that others may be waiting out as well; 0: as told.
	Seed uint64

	Explain bool // keep of each permit why it was picked, for [Table.Why]
}

// Table is the key table. A key that may start its next step, as far as the key
// itself is concerned, is in byWeight and in turns; one that only has to wait for an
// instant is in timers; one that only has to wait for its group is parked there;
// all others are in none until something happens to them.
//
// All methods are safe for concurrent use.
type Table struct {
	mu       sync.Mutex
	rule     func(key string) limit.Rule
	seed     uint64
	keys     map[string]*key
	all      []*key  // by number; nil: not in use
	unused   []int32 // numbers
	groups   map[string]*group
	batching []*key // those whose requests may take several rows
	memory   map[string]memory
	recalled bool          // an earlier run may have ended just before dark
	dark     time.Duration // what started shortly before this is not known

	byWeight order
	turns    order // one ring: who may start for longest is first
	timers   timers

	slots  int // requests allowed at once
	active int // permits that have neither left nor ended
	fair   int // of them, picked by turns
	out    int // permits
	grants []grant
	free   []int32 // unused grants
	serial uint64  // of the latest grant

	explain bool
	whys    []Why // by number of grant, if explain is set

	handover   mean // seconds from a pick to when its request is about to go out
	flow       [classes]flow
	backlogged int           // keys with ready rows
	refreshes  uint32        // counted
	epoch      time.Time     // the first instant told, from which the table counts
	latest     time.Duration // the latest instant told
	sweepAt    int           // number of keys at which the forgettable ones are dropped
}

// firstSweep is the number of keys below which none is worth dropping.
const firstSweep = 1024

// New returns a table without keys.
func New(cfg Config) *Table {
	rule := cfg.Rule
	if rule == nil {
		rule = func(string) limit.Rule { return limit.Rule{} }
	}
	return &Table{
		rule: rule, seed: cfg.Seed, slots: cfg.Slots, sweepAt: firstSweep, explain: cfg.Explain,
		keys: make(map[string]*key), groups: make(map[string]*group), memory: make(map[string]memory),
		byWeight: newOrder(weightRings), turns: newOrder(1),
	}
}

// Refresh takes over an exact count of the ready rows: keys that backlog leaves
// out have none. Rows that become ready after the snapshot was read must be told
// by Add after Refresh. Rows leased since then may still be in it; the permits
// that they lead to are given back with Unpick.
func (t *Table) Refresh(at time.Time, backlog []queue.KeyBacklog) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	t.refreshes++
	for _, b := range backlog {
		if b.Ready <= 0 {
			continue
		}
		k := t.key(b.Key, now)
		k.told++
		k.refresh = t.refreshes
		t.setRows(k, b.Ready, now)
		t.place(k, now)
	}
	for _, k := range t.keys {
		if k.refresh != t.refreshes {
			t.setRows(k, 0, now)
			t.place(k, now)
		}
	}
	t.sweep(now)
}

// Add tells that more rows of a key became ready.
func (t *Table) Add(name string, rows int) {
	if rows <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// Add knows no instant, and the latest one told will do: a key that seems to
	// have to wait is looked at again when its time comes.
	k := t.key(name, t.latest)
	k.told++
	t.setRows(k, k.rows+rows, t.latest)
	t.place(k, t.latest)
}

// Pick takes a slot, a place in flight and the turn of a key together, or
// nothing, for at most most rows. Every permit ends with Finish or Unpick.
func (t *Table) Pick(at time.Time, most int) (Permit, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	if t.taken() || most <= 0 {
		return Permit{}, false
	}
	k, fair := t.next(now)
	if k == nil {
		return Permit{}, false
	}
	rows := k.limit.Batch()
	if k.limit.Down() {
		rows = downBatch
	}
	rows = min(k.rows, rows, most)
	var why Why
	if t.explain {
		why = t.why(k, now, fair)
	}
	t.served(k, now)
	p := t.grant(k, now, rows, fair)
	if t.explain {
		t.explained(p, why)
	}
	t.setRows(k, k.rows-rows, now)
	if what, _ := t.look(k, now); what == ready {
		// To the end of its rings. Its weight has hardly changed.
		t.turns.requeue(k.number, 0)
		t.byWeight.requeue(k.number, int(t.byWeight.links[k.number].ring))
		return p, true
	}
	t.place(k, now)
	return p, true
}

// downBatch is how many rows a step at a key takes that is given up.
const downBatch = 16

// served counts what the first row of k has waited for, apart from a slot.
func (t *Table) served(k *key, now time.Duration) {
	k.picks++
	k.head, k.since = now, now
	if !k.delayed {
		return
	}
	for what, waited := range k.waited {
		if waited > 0 {
			k.waits[what].add(waited)
			k.waited[what] = 0
		}
	}
	k.delayed = false
}

// Wake returns when Pick will succeed if nothing else happens; that may be now.
// It reports false if time alone changes nothing.
func (t *Table) Wake(at time.Time) (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	if t.taken() {
		return time.Time{}, false
	}
	if k, _ := t.next(now); k != nil {
		return at, true
	}
	if len(t.timers.nodes) == 0 {
		return time.Time{}, false
	}
	return t.epoch.Add(t.timers.nodes[0].at), true
}

// afterwork is how many steps there may be for each slot, with those that have left
// their key and do what comes after the request. If that takes longer than the
// requests, it must hold them up.
const afterwork = 3

// taken reports whether there is no slot for another request.
func (t *Table) taken() bool { return t.active >= t.slots || t.out >= afterwork*t.slots }

// SetSlots changes how many requests may be under way at once. Those beyond a
// lower number are left to end.
func (t *Table) SetSlots(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slots = n
}

// SetRule changes the allowance of one key. The table may forget a key that is
// not in use, so Config.Rule must give the same answer from now on.
func (t *Table) SetRule(at time.Time, name string, r limit.Rule) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	if k := t.keys[name]; k != nil {
		t.setRule(k, r, now)
	}
}

// SetRules replaces Config.Rule and asks the new one for every key.
func (t *Table) SetRules(at time.Time, rule func(key string) limit.Rule) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	t.rule = rule
	for name, k := range t.keys {
		t.setRule(k, rule(name), now)
	}
}

// setRule changes the allowance of a key, and with it perhaps its group.
func (t *Table) setRule(k *key, r limit.Rule, now time.Duration) {
	before := k.limit.Rule()
	left := k.group
	if r.Group != before.Group {
		t.quit(k)
	}
	k.limit.SetRule(r)
	if r.Group != before.Group {
		t.join(k, r)
	} else if k.group != nil {
		k.group.most = r.GroupInFlight
	}
	switch {
	case before.Batch <= 1 && r.Batch > 1:
		t.batching = append(t.batching, k)
	case before.Batch > 1 && r.Batch <= 1:
		t.batching = slices.DeleteFunc(t.batching, func(other *key) bool { return other == k })
	}
	t.place(k, now)
	t.unpark(k.group, now)
	if left != k.group {
		t.unpark(left, now)
	}
}
