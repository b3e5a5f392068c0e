package forecast

import (
	"cmp"
	"slices"
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
		p := f.place(queued[i].Key)
		note(p)
		p.queue = &queued[i]
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

const (
	// worthShare is the part of the longest time of a key under which one can't
	// bind the run.
	worthShare = 0.02
	// mostCells is how many keys are played through one by one.
	mostCells = 400
)

// worth returns the places that may matter one by one, in the order in which jobs
// meet them. The others count to their class.
func (m *model) worth(order []*place) []*place {
	type candidate struct {
		number int
		time   float64
	}
	var all []candidate
	longest := 0.0
	for n, p := range order {
		p.cell = p.class.cell
		if t := m.outlook(p); t > 0 {
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
	places := make([]*place, len(all))
	for i, c := range all {
		places[i] = order[c.number]
	}
	return places
}

// outlook is about how many seconds a key will take, 0 if it can't be told.
func (m *model) outlook(p *place) float64 {
	if p.state == nil && p.queue == nil {
		return 0
	}
	c := m.cell(p)
	rows := m.coming * p.came
	if k := p.queue; k != nil {
		rows += float64(k.Ready + k.Delayed + k.InFlight)
	}
	return c.gate + rows/c.rate
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
	if k.Paused || m.halted {
		m.paused += k.Ready + k.Delayed
		c.sink = c.sink || p.cell != p.kind().cell
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

// binds tells what the length of the run comes from.
func (m *model) binds(seconds float64) (Binding, string) {
	if seconds <= 0 {
		return Nothing, ""
	}
	what, name := Waits, ""
	longest := waits * seconds
	for i := range m.cells {
		c := &m.cells[i]
		if t := c.gate + c.requests*c.batch/c.rate; t > longest && m.places[i].class != nil {
			what, name, longest = Key, m.places[i].name, t
		}
	}
	if t := m.spent / m.slots; t > longest {
		return Slots, ""
	}
	return what, name
}

// waits is the part of the time that a key or the slots must be at work for it to
// be them that bind. Otherwise it is that rows wait.
const waits = 0.5
