package sqlite

import (
	"encoding/json"
	"maps"
	"slices"
)

// counts gathers, over a transaction, by how much the counts of keys and of
// outcomes change. They are written once at its end.
type counts struct {
	keys     map[int64]*keyCount
	outcomes map[outcome]int
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

func newCounts() counts { return counts{make(map[int64]*keyCount), make(map[outcome]int)} }

func (c *counts) key(key int64) *keyCount {
	k := c.keys[key]
	if k == nil {
		k = new(keyCount)
		c.keys[key] = k
	}
	return k
}

// queued counts n more jobs of a key in an unfinished state, or fewer.
func (c *counts) queued(key int64, state, n int) {
	k := c.key(key)
	switch state {
	case stateReady:
		k.ready += n
	case stateDelayed:
		k.delayed += n
	case stateInProgress:
		k.inFlight += n
	}
}

const (
	countKeysQuery = `
	UPDATE keys SET ready = ready + (d.value ->> 1), delayed = delayed + (d.value ->> 2), in_flight = in_flight + (d.value ->> 3),
		served = max(served, d.value ->> 4)
	FROM json_each(?) d WHERE keys.id = d.value ->> 0`
	countOutcomeQuery = `
	INSERT INTO outcomes (state, reason, class, n) VALUES (?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET n = n + excluded.n`
	dropOutcomeQuery = `DELETE FROM outcomes WHERE state = ? AND reason = ? AND class = ? AND n = 0`
)

// keepCounts writes what the transaction has counted so far.
func (t *tx) keepCounts() error {
	if len(t.counts.keys) > 0 {
		rows := make([][5]int64, 0, len(t.counts.keys))
		for _, key := range slices.Sorted(maps.Keys(t.counts.keys)) {
			k := t.counts.keys[key]
			rows = append(rows, [5]int64{key, int64(k.ready), int64(k.delayed), int64(k.inFlight), k.served})
		}
		list, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		if _, err := t.exec(countKeysQuery, string(list)); err != nil {
			return err
		}
	}
	for o, n := range t.counts.outcomes {
		if _, err := t.exec(countOutcomeQuery, o.state, o.reason, o.class, n); err != nil {
			return err
		}
		if n < 0 {
			if _, err := t.exec(dropOutcomeQuery, o.state, o.reason, o.class); err != nil {
				return err
			}
		}
	}
	t.counts = newCounts()
	return nil
}
