package schedule

import (
	"slices"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// status says what a key waits for.
type status uint8

const (
	idle   status = iota // no row is ready
	ready                // a slot
	capped               // the end of a request
	parked               // the end of a request at another key of its group
	paced                // the next start, or more rows for its batch
	gated                // the gate or the breaker
	statuses
)

// key is what the table knows of one key. Instants are those of the table.
type key struct {
	limit   limit.Key // first: what a pick looks at lies together
	rows    int       // ready rows in the store
	number  int32     // its place in the table
	timer   int32     // its place in the timers, from 1; 0: not there
	held    int32     // grants that point here
	status  status
	class   uint8 // of classes
	delayed bool  // waited is not all 0
	parked  bool  // it is among its group's parked keys

	unsaved bool                    // something has happened since the latest note
	group   *group                  // nil: none
	head    time.Duration           // since when the first row has been first
	since   time.Duration           // since when the status has been as it is
	waited  [statuses]time.Duration // of the first row so far
	told    uint32                  // counts the times that rows were told of
	refresh uint32                  // the latest that listed the key
	picks   uint32

	service mean                // seconds that a request takes
	fed     [classes]float32    // jobs that came here from keys of each class
	waits   [statuses]Histogram // of the picks that did wait
	name    string
}

// group is what keys share a cap by.
type group struct {
	inFlight, most int
	parked         []*key // that only wait for it, or did when they were put here
	keys           int    // that belong to it
}

// vacate ends a request. The caller then lets another key have its place.
func (g *group) vacate() {
	if g != nil {
		g.inFlight--
	}
}

// full reports whether no key of the group may start.
func (g *group) full() bool { return g != nil && g.most > 0 && g.inFlight >= g.most }

// key returns the named key and makes it at first sight. The caller holds mu, as
// for all methods in this file.
func (t *Table) key(name string, now time.Duration) *key {
	if k := t.keys[name]; k != nil {
		return k
	}
	if len(t.keys) >= t.sweepAt {
		t.sweep(now)
	}
	rule := t.rule(name)
	k := &key{name: name, limit: limit.NewKey(rule, t.seedOf(name), t.epoch), class: t.classOf(name), since: now, number: t.number()}
	t.all[k.number] = k
	t.keys[name] = k
	t.join(k, rule)
	if m, known := t.memory[name]; known {
		t.recall(k, m)
		delete(t.memory, name)
	}
	if t.recalled {
		k.limit.Doubt(t.dark)
	}
	if rule.Batch > 1 {
		t.batching = append(t.batching, k)
	}
	return k
}

// number returns one that no key has.
func (t *Table) number() int32 {
	if n := len(t.unused); n > 0 {
		number := t.unused[n-1]
		t.unused = t.unused[:n-1]
		return number
	}
	t.all = append(t.all, nil)
	t.byWeight.grow()
	t.turns.grow()
	return int32(len(t.all) - 1)
}

// join makes k, with the requests that it has in flight, a member of the group
// that its rule names.
func (t *Table) join(k *key, r limit.Rule) {
	if r.Group == "" {
		return
	}
	g := t.groups[r.Group]
	if g == nil {
		g = &group{}
		t.groups[r.Group] = g
	}
	g.most = r.GroupInFlight
	g.keys++
	g.inFlight += k.limit.InFlight()
	k.group = g
}

func (t *Table) seedOf(name string) uint64 {
	if t.seed == 0 {
		return 0
	}
	// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
	h := t.seed ^ 0xcbf29ce484222325
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	return h | 1
}

// classes is how many kinds of key are told apart; the last stands for all others.
const classes = 4

// classOf returns the number of a key's class, which is the word before its colon.
func (t *Table) classOf(name string) uint8 {
	word, _, _ := strings.Cut(name, ":")
	for i := range t.flow {
		c := &t.flow[i]
		if c.word == "" {
			c.word = word
		}
		if c.word == word || i == classes-1 {
			return uint8(i)
		}
	}
	return classes - 1
}

// sweep drops the keys that are not in use and know nothing worth keeping. It
// runs at each Refresh and whenever the number of keys has doubled, so its cost
// per key is constant.
func (t *Table) sweep(now time.Duration) {
	for name, k := range t.keys {
		if k.rows == 0 && k.held == 0 && k.limit.Forgettable(now) && k.limit.Rule().Batch <= 1 {
			t.unlist(k)
			t.quit(k)
			t.all[k.number] = nil
			t.unused = append(t.unused, k.number)
			delete(t.keys, name)
		}
	}
	t.sweepAt = max(firstSweep, 2*len(t.keys))
}

// quit ends k's membership in its group, which its rule must still name.
func (t *Table) quit(k *key) {
	g := k.group
	if g == nil {
		return
	}
	g.inFlight -= k.limit.InFlight()
	if k.parked {
		g.parked = slices.DeleteFunc(g.parked, func(other *key) bool { return other == k })
		k.parked = false
	}
	if g.keys--; g.keys == 0 {
		delete(t.groups, k.limit.Rule().Group)
	}
	k.group = nil
}

// setRows is the only place that changes k.rows.
func (t *Table) setRows(k *key, rows int, now time.Duration) {
	switch {
	case k.rows == 0 && rows > 0:
		t.backlogged++
		k.head = now
	case k.rows > 0 && rows == 0:
		t.backlogged--
		k.waited, k.delayed = [statuses]time.Duration{}, false
	}
	t.flow[k.class].rows += rows - k.rows
	k.rows = rows
}
