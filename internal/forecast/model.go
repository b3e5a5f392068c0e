package forecast

import (
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// model is a flow and what it is made from.
type model struct {
	flow
	at      time.Time
	weight  float64 // of now
	width   int     // slots
	sift    float64 // jobs for each that is followed
	halted  bool    // the whole queue is paused
	paused  int
	keys    []*key  // of the cells; nil for those of no single key
	spots   []*spot // of the lanes; nil where jobs are gone
	divided []part
	coming  float64 // jobs that will come to a key for each that has come, by weight
}

// sink is the cell and the lane of jobs that go to paused keys. They are gone at once.
const sink = 0

// open is the rate of what nothing holds up, in rows a second.
const open = 1e9

// model makes the flow of the rest of the run.
func (f *Forecast) model(at time.Time, keys []schedule.KeyState, stats queue.Stats, slots int) *model {
	slots = max(slots, 1)
	m := &model{
		flow: flow{slots: float64(slots)}, at: at, weight: f.weight(at), width: slots, sift: float64(f.sift + 1),
		halted: stats.Paused,
	}
	known := f.known(keys, stats.Keys)
	m.addCell(nil, cell{rate: open, batch: 1})
	m.addLane(nil, sink)
	var ended float64
	for _, c := range f.classes {
		c.cell = m.addCell(nil, cell{rate: open, service: c.service(), batch: 1})
		for _, s := range c.spots {
			if s != nil {
				s.lane = m.addLane(s, c.cell)
				ended += s.ended
			}
		}
	}
	m.coming = float64(stats.Queued+stats.InProgress) / max(ended, 1)
	for _, k := range m.worth(f.order) {
		k.cell = m.addCell(k, m.speedOf(k))
	}
	for _, k := range f.order {
		m.lanesOf(k)
	}
	m.teach()
	for _, k := range known {
		m.fill(k)
		k.state, k.queue = nil, nil
	}
	return m
}

// known ties what is told of keys now to what is known of them.
func (f *Forecast) known(keys []schedule.KeyState, queued []queue.KeyStats) (known []*key) {
	note := func(k *key) {
		if k.state == nil && k.queue == nil {
			known = append(known, k)
			k.spot(0) // of its rows that no step has been seen of
			k.class.spot(0)
		}
	}
	for i := range keys {
		k := f.key(keys[i].Key)
		note(k)
		k.state = &keys[i]
	}
	for i := range queued {
		k, q := f.key(queued[i].Key), &queued[i]
		note(k)
		if before := k.queue; before != nil { // of one class, and more keys than are known one by one
			sum := *before
			sum.Ready, sum.Delayed, sum.InFlight = sum.Ready+q.Ready, sum.Delayed+q.Delayed, sum.InFlight+q.InFlight
			q = &sum
		}
		k.queue = q
	}
	return known
}

func (m *model) addCell(k *key, c cell) int32 {
	m.keys = append(m.keys, k)
	m.cells = append(m.cells, c)
	return int32(len(m.cells) - 1)
}

func (m *model) addLane(s *spot, cell int32) int32 {
	m.spots = append(m.spots, s)
	m.lanes = append(m.lanes, lane{cell: cell})
	return int32(len(m.lanes) - 1)
}

// speedOf says how fast a key is.
func (m *model) speedOf(k *key) cell {
	s, service := k.state, k.service(m.weight)
	switch {
	case s == nil:
		return cell{rate: float64(m.width) / service, service: service, batch: 1}
	case s.Breaker == "down":
		return cell{rate: open, batch: 1} // its rows are passed by
	}
	c := cell{service: service, batch: float64(max(s.Batch, 1)), gate: s.Gate.Seconds()}
	c.rate = k.rate(s, m.width, m.weight)
	return c
}

// lanesOf makes the lanes of a key. Where few jobs have come to, the next ones go to
// other keys of its kind.
func (m *model) lanesOf(k *key) {
	for _, s := range k.spots {
		switch {
		case k.cell == sink:
			s.lane = sink
		case k.cell != k.class.cell && (s.here > 0 || s.came >= few*m.weight || s == k.spot(0)):
			s.lane = m.addLane(s, k.cell)
		default:
			s.lane = s.kind().lane
		}
	}
}

// few is how many jobs must have come to a spot for it to be counted on.
const few = 2.0
