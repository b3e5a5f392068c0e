package sqlite

import (
	"maps"
	"slices"
)

// counts gathers, over a transaction, by how much the counts of keys, outcomes
// and seconds change. They are written once at its end.
type counts struct {
	keys     map[int64]*keyCount
	outcomes map[outcome]int
	seconds  map[int64]int // ready jobs by the second in which they became ready
}

// keyCount is how much the counts of a key have grown, and the greatest rank
// that was leased there.
type keyCount struct {
	ready, delayed, inFlight int
	served                   int64
}

// An outcome is what terminal jobs are counted by.
type outcome struct {
	state         int
	reason, class string
}

func newCounts() counts {
	return counts{make(map[int64]*keyCount), make(map[outcome]int), make(map[int64]int)}
}

func (c *counts) key(key int64) *keyCount {
	k := c.keys[key]
	if k == nil {
		k = new(keyCount)
		c.keys[key] = k
	}
	return k
}

// add counts n more jobs of a key, or fewer, in an unfinished state that they are
// in since or until due.
func (c *counts) add(n int, key int64, state int, due int64) {
	k := c.key(key)
	switch state {
	case stateReady:
		k.ready += n
		c.seconds[due/1000] += n
	case stateDelayed:
		k.delayed += n
	case stateInProgress:
		k.inFlight += n
	}
}

// keepCounts writes what the transaction has counted so far.
func (t *tx) keepCounts() error {
	const query = `
		UPDATE keys SET ready = ready + ?, delayed = delayed + ?, in_flight = in_flight + ?, served = max(served, ?) WHERE id = ?`
	for _, key := range slices.Sorted(maps.Keys(t.counts.keys)) {
		k := t.counts.keys[key]
		if _, err := t.exec(query, k.ready, k.delayed, k.inFlight, k.served, key); err != nil {
			return err
		}
	}
	if err := t.keepOutcomes(); err != nil {
		return err
	}
	if err := t.keepSeconds(); err != nil {
		return err
	}
	t.counts = newCounts()
	return nil
}

func (t *tx) keepOutcomes() error {
	const (
		add = `
		INSERT INTO outcomes (state, reason, class, n) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET n = n + excluded.n`
		drop = `DELETE FROM outcomes WHERE state = ? AND reason = ? AND class = ? AND n = 0`
	)
	for o, n := range t.counts.outcomes {
		if n == 0 {
			continue
		}
		if _, err := t.exec(add, o.state, o.reason, o.class, n); err != nil {
			return err
		}
		if n < 0 {
			if _, err := t.exec(drop, o.state, o.reason, o.class); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) keepSeconds() error {
	const (
		add  = `INSERT INTO ready_since (second, n) VALUES (?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n`
		drop = `DELETE FROM ready_since WHERE second = ? AND n = 0`
	)
	for second, n := range t.counts.seconds {
		if n == 0 {
			continue
		}
		if _, err := t.exec(add, second, n); err != nil {
			return err
		}
		if n < 0 {
			if _, err := t.exec(drop, second); err != nil {
				return err
			}
		}
	}
	return nil
}
