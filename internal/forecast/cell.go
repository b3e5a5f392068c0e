package forecast

// cell is a key in a flow, or all keys of a class of which too little is known.
// Masses are numbers of jobs.
type cell struct {
	mass    [stages]float64
	fresh   float64 // rows that have come in this step of time
	heavy   uint8   // bucket of the time that its work takes
	share   float64 // of the slots that it would use
	open    float64 // seconds of this step of time in which it is at work
	room    float64 // rows that it can still serve in this step of time
	rate    float64 // rows a second at most
	service float64 // seconds of a request
	batch   float64 // rows of a request
	gate    float64 // seconds until it may start

	again    [stages]float64 // shares of rows that come back after a wait
	wait     [stages]float64 // seconds
	stay     float64         // share that comes back at once
	own      []way           // shares that move on from here
	shared   float64         // share that moves on as from the whole class
	class    int32
	later    *later
	requests float64 // made so far, in the flow
}

// way is a share of rows that move on to a cell.
type way struct {
	to    int32
	share float64
}

func (c *cell) all() float64 { return c.mass[0] + c.mass[1] + c.mass[2] }

// trust is how many steps of its own a key needs until they count as much as
// those of its class.
const trust = 8.0

// teach gives a cell the shares of a place. w is the weight of now.
func (c *cell) teach(p *place, w float64) {
	for stage, steps := range p.steps {
		again, wait, base := p.again[stage], p.waits[stage], steps
		if of := p.class; of != nil && of.steps[stage] > 0 {
			t := trust * w / of.steps[stage]
			again, wait, base = again+t*of.again[stage], wait+t*of.waits[stage], base+trust*w
		}
		if base > 0 && again > 0 {
			c.again[stage], c.wait[stage] = again/base, wait/again
		}
	}
	c.patience(max(c.wait[0], c.wait[1], c.wait[2]))
	final := p.final()
	own := 1.0
	if of := p.class; of != nil {
		own = final / (final + trust*w)
		c.stay, c.shared = (1-own)*of.stayed/max(of.final(), 1), 1-own
	}
	if final <= 0 {
		return
	}
	c.stay += own * p.stayed / final
	rest := make(map[int32]float64) // of the keys that have no cell of their own
	for next, count := range p.moved {
		share := own * count / final
		if next.class == nil || next.cell == next.class.cell || next.came < few*w {
			rest[next.kind().cell] += share
			continue
		}
		c.own = append(c.own, way{next.cell, share})
	}
	for to, share := range rest {
		c.own = append(c.own, way{to, share})
	}
}

// kind is the class of a place.
func (p *place) kind() *place {
	if p.class != nil {
		return p.class
	}
	return p
}

// final is how many steps did not end in a wait, weighted.
func (p *place) final() (n float64) {
	for stage, steps := range p.steps {
		n += steps - p.again[stage]
	}
	return n
}

// few is how many jobs must have come to a key for it to be counted on. Where most
// keys are met once or twice, the next jobs go to others of their kind.
const few = 2.0

const laterParts = 10

// later holds rows that wait, by when they are due.
type later struct {
	width float64 // seconds of a part
	rows  float64 // in all
	past  float64 // seconds of the first part that are over
	parts [laterParts][stages]float64
}

// patience makes a cell able to hold rows that wait for so many seconds.
func (c *cell) patience(longest float64) {
	switch {
	case longest <= 0 || c.later != nil && c.later.width*(laterParts-2) >= longest:
	case c.later == nil:
		c.later = &later{width: longest / (laterParts - 2)}
	default:
		c.later.width = longest / (laterParts - 2)
	}
}

// put adds rows that are due after so many seconds.
func (l *later) put(wait, rows float64, stage int) {
	i := min(int((wait+l.past)/l.width), len(l.parts)-1)
	l.parts[i][stage] += rows
	l.rows += rows
}

// pass lets time pass and adds what is due to mass.
func (l *later) pass(dt float64, mass *[stages]float64) {
	if l.rows < least {
		return
	}
	l.past += dt
	for n := 0; l.past >= l.width && n < len(l.parts); n++ {
		for stage, rows := range l.parts[0] {
			mass[stage] += rows
			l.rows -= rows
		}
		copy(l.parts[:], l.parts[1:])
		l.parts[len(l.parts)-1] = [stages]float64{}
		l.past -= l.width
	}
	if l.past >= l.width {
		l.past = 0
	}
}

// last returns for how many seconds the last half row waits; 0 if there is none.
func (l *later) last() float64 {
	rows := 0.0
	if l.rows < least {
		return 0
	}
	for i := len(l.parts) - 1; i >= 0; i-- {
		for _, n := range l.parts[i] {
			rows += n
		}
		if rows > 0.5 {
			return float64(i+1)*l.width - l.past
		}
	}
	return 0
}
