package forecast

import (
	"cmp"
	"slices"

	"github.com/quire-dev/quire/queue"
)

const (
	// worthShare is the part of the longest time of a key under which one can't
	// bind the run.
	worthShare = 0.02
	// mostCells is how many keys are played through one by one.
	mostCells = 400
)

// worth returns the keys that may matter one by one, in the order in which jobs
// meet them. The others count to their class.
func (m *model) worth(order []*key) []*key {
	type candidate struct {
		number int
		time   float64
	}
	var all []candidate
	longest := 0.0
	for n, p := range order {
		if p.cell = p.class.cell; m.isPaused(p.queue) {
			p.cell = sink
		} else if t := m.outlook(p); t > 0 {
			all = append(all, candidate{n, t})
			longest = max(longest, t)
		}
	}
	all = slices.DeleteFunc(all, func(c candidate) bool { return c.time < worthShare*longest })
	if len(all) > mostCells {
		slices.SortFunc(all, func(a, b candidate) int { return cmp.Compare(b.time, a.time) })
		all = all[:mostCells]
		slices.SortFunc(all, func(a, b candidate) int { return a.number - b.number })
	}
	keys := make([]*key, len(all))
	for i, c := range all {
		keys[i] = order[c.number]
	}
	return keys
}

func (m *model) isPaused(k *queue.KeyStats) bool { return k != nil && (k.Paused || m.halted) }

// outlook is about how many seconds a key will take, 0 if it can't be told.
func (m *model) outlook(p *key) float64 {
	if p.state == nil && p.queue == nil {
		return 0
	}
	c := m.speedOf(p)
	rows := m.coming * p.came
	if k := p.queue; k != nil {
		rows += float64(k.Ready + k.Delayed + k.InFlight)
	}
	return c.gate + rows/c.rate
}
