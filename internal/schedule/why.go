package schedule

import "time"

// Why tells how a permit came to be picked.
type Why struct {
	ByTurn bool          // it was the key's turn; else it had the most work left
	Rows   int           // that were ready at the key
	Left   time.Duration // the least that they and those on their way took
	Head   time.Duration // how long the first of them had been first

	// What of that the key waited for: its pace, its cap, its group's cap, its gate,
	// and last for a slot.
	Pace, Full, Group, Gated, Slot time.Duration
}

// Why tells why a permit was picked, if Config.Explain is set and the permit is not
// spent.
func (t *Table) Why(p Permit) (Why, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.explain || t.held(p) == nil {
		return Why{}, false
	}
	return t.whys[p.grant], true
}

// why tells of a pick at k that is about to be made. The caller holds mu, as for the
// methods below.
func (t *Table) why(k *key, now time.Duration, fair bool) Why {
	return Why{
		ByTurn: fair, Rows: k.rows, Left: seconds(t.weight(k)), Head: max(0, now-k.head),
		Pace: k.waited[paced], Full: k.waited[capped], Group: k.waited[parked], Gated: k.waited[gated],
		Slot: max(0, now-k.since),
	}
}

// explained keeps why a permit was picked.
func (t *Table) explained(p Permit, w Why) {
	for len(t.whys) <= int(p.grant) {
		t.whys = append(t.whys, Why{})
	}
	t.whys[p.grant] = w
}
