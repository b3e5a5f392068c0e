package forecast

import (
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// model is a flow and what it is made from.
type model struct {
	flow
	at     time.Time
	weight float64 // of now
	width  int     // slots
	halted bool    // the whole queue is paused
	paused int
	places []*place // of the cells
	sink   int32    // the cell where paused keys are
	coming float64  // jobs that will come to a key for each that has come, by weight
}

// model makes the flow of the rest of the run.
func (f *Forecast) model(at time.Time, keys []schedule.KeyState, stats queue.Stats, slots int) *model {
	slots = max(slots, 1)
	m := &model{flow: flow{slots: float64(slots)}, at: at, weight: f.weight(at), width: slots, halted: stats.Paused}
	var ended float64
	for _, class := range f.classes {
		ended += class.ended
	}
	m.coming = float64(stats.Queued+stats.InProgress) / max(ended, 1)
	known := f.known(keys, stats.Keys)
	for _, class := range f.classes {
		m.add(class, cell{rate: open, service: class.service(m.weight), batch: 1})
	}
	m.add(&place{}, cell{batch: 1, rate: open}) // what comes here is gone at once
	m.sink = int32(len(m.cells) - 1)
	for _, p := range m.worth(f.order) {
		m.add(p, m.cell(p))
	}
	for _, p := range m.places {
		m.teach(p)
	}
	for _, p := range known {
		m.fill(p)
		p.state, p.queue = nil, nil
	}
	return m
}

// known ties what is told of keys now to their places, and returns those.
func (f *Forecast) known(keys []schedule.KeyState, queued []queue.KeyStats) (known []*place) {
	note := func(p *place) {
		if p.state == nil && p.queue == nil {
			known = append(known, p)
		}
	}
	for i := range keys {
		p := f.place(keys[i].Key)
		note(p)
		p.state = &keys[i]
	}
	for i := range queued {
		p, k := f.place(queued[i].Key), &queued[i]
		note(p)
		if before := p.queue; before != nil { // of one class, and more keys than are known one by one
			sum := *before
			sum.Ready, sum.Delayed, sum.InFlight = sum.Ready+k.Ready, sum.Delayed+k.Delayed, sum.InFlight+k.InFlight
			k = &sum
		}
		p.queue = k
	}
	return known
}

// open is the rate of what nothing holds up, in rows a second.
const open = 1e9

func (m *model) add(p *place, c cell) {
	p.cell = int32(len(m.cells))
	m.places = append(m.places, p)
	m.cells = append(m.cells, c)
}

// cell says how fast a key is.
func (m *model) cell(p *place) cell {
	k, service := p.state, p.service(m.weight)
	switch {
	case k == nil:
		return cell{rate: float64(m.width) / service, service: service, batch: 1}
	case k.Breaker == "down":
		return cell{rate: open, batch: 1} // its rows are passed by
	}
	c := cell{service: service, batch: float64(max(k.Batch, 1)), gate: k.Gate.Seconds()}
	c.rate = p.rate(k, m.width, m.weight)
	return c
}

// teach tells a cell where its rows go.
func (m *model) teach(p *place) {
	c := &m.cells[p.cell]
	c.class = p.kind().cell
	c.teach(p, m.weight)
}

// fill puts the rows of a key into its cell.
func (m *model) fill(p *place) {
	c, k := &m.cells[p.cell], p.queue
	if k == nil {
		return
	}
	if m.isPaused(k) {
		m.paused += k.Ready + k.Delayed
		return
	}
	c.mass[0] += float64(k.Ready + k.InFlight)
	if k.Delayed > 0 {
		m.delay(c, p, float64(k.Delayed))
	}
}

// delay puts rows into a cell that wait. Of each it is not known how long, nor for
// which attempt; but when the last one for each is due.
func (m *model) delay(c *cell, p *place, rows float64) {
	var due, weight [stages]float64
	var all, longest float64
	for stage := 1; stage < stages; stage++ {
		due[stage] = max(0, p.due[stage].Sub(m.at).Seconds())
		weight[stage] = due[stage] * max(c.again[stage-1], least)
		all += weight[stage]
		longest = max(longest, due[stage])
	}
	if all == 0 { // an earlier run made them wait
		due[1], weight[1], all = max(c.wait[0], c.wait[1], 1), 1, 1
		longest = due[1]
	}
	c.patience(max(longest, c.wait[0], c.wait[1], c.wait[2]))
	const parts = 8
	for stage := 1; stage < stages; stage++ {
		for i := range parts {
			c.later.put(due[stage]*(float64(i)+0.5)/parts, rows*weight[stage]/all/parts, stage)
		}
	}
}
