package sqlite

import (
	"cmp"
	"maps"
	"slices"
)

// names are the numbers of keys and runs that the writer has met. They never
// change, but one that was given in a transaction that was rolled back is void.
type names struct {
	ids    map[string]int64
	names  map[int64]string
	find   string // SELECT id … WHERE name = ?
	name   string // SELECT name … WHERE id = ?
	insert string
}

// maxNames bounds the memory for names; beyond it they are read anew.
const maxNames = 100_000

func newNames(table string) *names {
	n := &names{
		find:   `SELECT id FROM ` + table + ` WHERE name = ?`,
		name:   `SELECT name FROM ` + table + ` WHERE id = ?`,
		insert: `INSERT INTO ` + table + ` (name) VALUES (?) RETURNING id`,
	}
	n.forget()
	return n
}

func (n *names) forget() { n.ids, n.names = make(map[string]int64), make(map[int64]string) }

func (n *names) keep(id int64, name string) {
	if len(n.ids) >= maxNames {
		n.forget()
	}
	n.ids[name], n.names[id] = id, name
}

// number returns the number of a name, giving it one if need be.
func (t *tx) number(n *names, name string) (int64, error) {
	id, err := t.known(n, name)
	if id > 0 || err != nil {
		return id, err
	}
	if id, err = t.integer(n.insert, name); err == nil {
		n.keep(id, name)
	}
	return id, err
}

// known returns the number of a name, 0 if it has none.
func (t *tx) known(n *names, name string) (int64, error) {
	if id, ok := n.ids[name]; ok {
		return id, nil
	}
	id, err := t.integerOr(0, n.find, name)
	if id > 0 && err == nil {
		n.keep(id, name)
	}
	return id, err
}

// nameOf returns the name of a number.
func (t *tx) nameOf(n *names, id int64) (string, error) {
	if name, ok := n.names[id]; ok {
		return name, nil
	}
	found, err := t.texts(n.name, id)
	if err != nil || len(found) == 0 {
		return "", err
	}
	n.keep(id, found[0])
	return found[0], nil
}

// A share is what a run has had of a key.
type share struct{ key, run int64 }

// A head is the first ready job of a key and priority.
type head struct {
	key      int64
	priority int
}

// serving is what is known of a head.
type serving struct {
	first  int64 // rank of the first ready job
	empty  bool  // there is none
	served int64 // the greatest rank that was leased at the key
}

// ranks are what a transaction knows of ranks. Shares are written at its end;
// heads hold until something else than arrivals moves them.
type ranks struct {
	dirty map[share]bool // shares in memory that have grown
	heads map[head]serving
}

func newRanks() ranks {
	return ranks{make(map[share]bool), make(map[head]serving)}
}

const (
	shareQuery  = `SELECT rank FROM shares WHERE key = ? AND run = ?`
	headQuery   = `SELECT rank FROM jobs INDEXED BY jobs_ready WHERE key = ? AND state = 0 AND priority = ? ORDER BY rank LIMIT 1`
	servedQuery = `SELECT served FROM keys WHERE id = ?`
)

// arrive returns the rank of a job that arrives at a key, as [queue.Job].Rank
// defines it.
func (t *tx) arrive(s share, priority int, ready bool) (int64, error) {
	shares := t.w.memory.shares
	last, ok := shares[s]
	if !ok {
		var err error
		if last, err = t.integerOr(-1, shareQuery, s.key, s.run); err != nil {
			return 0, err
		}
	}
	h := head{s.key, priority}
	now, err := t.serving(h)
	if err != nil {
		return 0, err
	}
	rank := max(last+1, now.rank())
	shares[s], t.ranks.dirty[s] = rank, true
	if ready && (now.empty || rank < now.first) {
		now.first, now.empty = rank, false
		t.ranks.heads[h] = now
	}
	return rank, nil
}

// rank is that of what is being served.
func (s serving) rank() int64 {
	switch {
	case s.empty:
		return s.served
	case s.served < s.first:
		return s.first - 1
	default:
		return s.first
	}
}

func (t *tx) serving(h head) (serving, error) {
	if now, ok := t.ranks.heads[h]; ok {
		return now, nil
	}
	if err := t.promoteOnce(); err != nil { // a job whose time has come is ready
		return serving{}, err
	}
	first, err := t.integerOr(-1, headQuery, h.key, h.priority)
	if err != nil {
		return serving{}, err
	}
	served, err := t.integer(servedQuery, h.key)
	if err != nil {
		return serving{}, err
	}
	if k := t.counts.keys[h.key]; k != nil {
		served = max(served, k.served)
	}
	now := serving{first: first, empty: first < 0, served: served}
	t.ranks.heads[h] = now
	return now, nil
}

// moveHeads says that ready jobs have come or gone by other ways than arrive.
func (t *tx) moveHeads() { clear(t.ranks.heads) }

// keepShares writes the shares that have grown.
func (t *tx) keepShares() error {
	const query = `INSERT INTO shares (key, run, rank) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET rank = excluded.rank`
	for _, s := range slices.SortedFunc(maps.Keys(t.ranks.dirty), compareShares) {
		if _, err := t.exec(query, s.key, s.run, t.w.memory.shares[s]); err != nil {
			return err
		}
	}
	clear(t.ranks.dirty)
	return nil
}

func compareShares(a, b share) int {
	return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.run, b.run))
}
