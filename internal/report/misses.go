package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Misses counts works that ended without a file, to say what to do about them, in
// memory that does not grow with their number. It is not safe for concurrent use.
type Misses struct {
	ways     tally
	rechecks map[string]time.Time // the first of each class
}

// NewMisses returns a count of nothing.
func NewMisses() *Misses {
	return &Misses{ways: newTally(), rechecks: make(map[string]time.Time)}
}

// Add counts a job that ended as skipped or in error. Of j the state, class,
// reason and result count.
func (m *Misses) Add(j queue.Job) {
	m.ways.add(cmp.Or(j.Class, j.Reason), false, 0)
	// Only failure classes have a time to look again, so that there are few.
	at := RecheckAt(j)
	if first, known := m.rechecks[j.Class]; !at.IsZero() && (!known || at.Before(first)) && slices.Contains(paper.Classes(), paper.Class(j.Class)) {
		m.rechecks[j.Class] = at
	}
}

// Advice says what to do about each way to end, those of most works first. run is
// the batch that commands are to keep to; empty for all jobs.
func (m *Misses) Advice(run string) []Advice { return m.advice(run, m.ways.table()) }

// advice is Advice with the table of what was counted.
func (m *Misses) advice(run string, t Table) (list []Advice) {
	for _, r := range t.Rows {
		list = append(list, adviseOn(run, r, m.rechecks[orEmpty(r.Name)]))
	}
	if o := t.Overflow; o != nil {
		list = append(list, Advice{Count: o.Count, Text: fmt.Sprintf("%d ended for other reasons: see quire queue list.", o.Count)})
	}
	return list
}
