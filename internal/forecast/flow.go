package forecast

// flow is the rest of a run, as quantities instead of jobs.
type flow struct {
	cells  []cell // in the order in which jobs meet them
	routed []float64
	slots  float64
	spent  float64 // seconds of slots
}

const (
	// pieces is into how many steps of time the rest is divided, again after each.
	pieces = 16
	// fine is the part of the whole under which no step of time need be.
	fine = 1.0 / 256
	// mostRounds is how many steps of time there are at most.
	mostRounds = 600
	// rest is how many jobs are left when a run is as likely over as not: the chance
	// that none is left is then one half.
	rest = 0.69
)

// run lets the flow run out and returns how many seconds that takes.
func (f *flow) run() float64 {
	f.routed = make([]float64, len(f.cells))
	now := 0.0
	for range mostRounds {
		rows, longest := f.ahead(now)
		if rows < rest {
			break
		}
		dt := max(longest/pieces, now*fine)
		f.advance(now, dt)
		now += dt
	}
	return now
}

// ahead returns how many rows there are and the seconds that the longest of what is
// known takes, and gives each key its share of the slots.
func (f *flow) ahead(now float64) (rows, longest float64) {
	var wants demand
	for i := range f.cells {
		c := &f.cells[i]
		if c.later != nil && c.later.rows >= least {
			rows += c.later.rows
			longest = max(longest, c.later.last(), c.later.width)
		}
		c.mass[0] += c.fresh
		c.fresh = 0
		n := c.all()
		if n == 0 {
			continue
		}
		rows += n
		gate, left := max(0, c.gate-now), n/c.rate
		if c.heavy = bucket(left); gate == 0 {
			wants.add(c.heavy, min(n, c.rate*c.service)/c.batch)
		}
		wants.work += n * c.service / c.batch
		longest = max(longest, gate+left)
		if n > oneJob {
			longest = max(longest, gate+c.service)
		}
	}
	shares := wants.shares(f.slots)
	for i := range f.cells {
		f.cells[i].share = shares[f.cells[i].heavy]
	}
	return rows, max(longest, wants.work/f.slots)
}

// oneJob is how much of a job there must be at a key for its request to be
// reckoned with.
const oneJob = 0.1

// advance lets dt seconds pass. Rows that come to a key meanwhile go on from there in the same time: what would
// take many steps of time otherwise, for a walk over many keys, takes sweeps.
func (f *flow) advance(now, dt float64) {
	for i := range f.cells {
		c := &f.cells[i]
		c.open = max(0, min(dt, now+dt-c.gate)) * c.share
		c.room = c.rate * c.open
		if c.later != nil {
			c.later.pass(dt, &c.mass)
		}
	}
	for i := range f.cells {
		c := &f.cells[i]
		c.mass[0] += c.fresh // from keys before it
		c.fresh = 0
		n := c.all()
		if out := c.out(n); out > 0 {
			f.end(c, out/n)
		}
	}
	for range sweeps {
		f.route()
		for i := range f.cells {
			c := &f.cells[i]
			if c.fresh < least {
				continue
			}
			out := c.out(c.fresh)
			c.mass[0] += c.fresh - out
			c.fresh = 0
			f.leave(c, f.again(c, out, 0))
		}
	}
	f.route()
}

const (
	// sweeps is how often what has just come to a key is sent on in a step of time.
	sweeps = 4
	// least is the number of rows below which none is worth sending on.
	least = 1e-6
)

// out is how many of n rows end their steps in the time that a cell has. Of rows
// that are all under way a part ends; they do not end all at once.
func (c *cell) out(n float64) float64 {
	if n < least || c.open <= 0 {
		return 0
	}
	return max(0, min(c.room, n*c.open/(c.open+c.service)))
}

// end ends the steps of a part of a cell's rows.
func (f *flow) end(c *cell, part float64) {
	var on float64
	for stage, n := range c.mass {
		c.mass[stage] -= n * part
		on += f.again(c, n*part, stage)
	}
	f.leave(c, on)
}

// again counts rows whose steps have ended, puts those back that are to be tried
// again, and returns how many move on.
func (f *flow) again(c *cell, out float64, stage int) float64 {
	c.room -= out
	c.requests += out / c.batch
	f.spent += out / c.batch * c.service
	again := out * c.again[stage]
	if again > 0 {
		c.later.put(c.wait[stage], again, min(stage+1, stages-1))
	}
	on := out - again
	c.mass[stage] += on * c.stay
	return on
}

// leave sends rows on their ways.
func (f *flow) leave(c *cell, n float64) {
	for _, w := range c.own {
		f.cells[w.to].fresh += n * w.share
	}
	f.routed[c.class] += n * c.shared
}

// route sends on what goes the way of its class.
func (f *flow) route() {
	for i, n := range f.routed {
		if n == 0 {
			continue
		}
		f.routed[i] = 0
		for _, w := range f.cells[i].own {
			f.cells[w.to].fresh += n * w.share
		}
	}
}
