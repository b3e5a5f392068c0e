package forecast

// flow is the rest of a run, as quantities instead of jobs.
type flow struct {
	cells  []cell
	lanes  []lane // in the order in which jobs meet them
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
	// oneJob is how much of a job there must be at a key for its request to be
	// reckoned with.
	oneJob = 0.1
	// sweeps is how often what has just come to a key is sent on in a step of time.
	sweeps = 4
	// least is the number of rows below which none is worth sending on.
	least = 1e-6
)

// run lets the flow run out and returns how many seconds that takes.
func (f *flow) run() float64 {
	f.routed = make([]float64, len(f.lanes))
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
	for i := range f.cells {
		f.cells[i].rows = 0
	}
	for i := range f.lanes {
		l := &f.lanes[i]
		l.mass[0] += l.fresh
		l.fresh = 0
		f.cells[l.cell].rows += l.all()
		if l.later != nil && l.later.rows >= least {
			rows += l.later.rows
			longest = max(longest, l.later.last(), l.later.width)
		}
	}
	var wants demand
	for i := range f.cells {
		c := &f.cells[i]
		if c.rows == 0 {
			continue
		}
		rows += c.rows
		gate, left := max(0, c.gate-now), c.rows/c.rate
		if c.heavy = bucket(left); gate == 0 {
			wants.add(c.heavy, min(c.rows, c.rate*c.service)/c.batch)
		}
		wants.work += c.rows * c.service / c.batch
		longest = max(longest, gate+left)
		if c.rows > oneJob {
			longest = max(longest, gate+c.service)
		}
	}
	shares := wants.shares(f.slots)
	for i := range f.cells {
		f.cells[i].share = shares[f.cells[i].heavy]
	}
	return rows, max(longest, wants.work/f.slots)
}

// advance lets dt seconds pass. Rows that come to a key meanwhile go on from there in
// the same time: what would take many steps of time otherwise, for a walk over many
// keys, takes sweeps.
func (f *flow) advance(now, dt float64) {
	for i := range f.cells {
		c := &f.cells[i]
		c.open = max(0, min(dt, now+dt-c.gate)) * c.share
		c.room = c.rate * c.open
	}
	for i := range f.lanes {
		if l := &f.lanes[i]; l.later != nil {
			f.cells[l.cell].rows += l.later.pass(dt, &l.mass)
		}
	}
	for i := range f.cells {
		c := &f.cells[i]
		if c.share = 0; c.rows > 0 {
			c.share = c.out(c.rows) / c.rows
		}
	}
	for i := range f.lanes {
		l := &f.lanes[i]
		if part := f.cells[l.cell].share; part > 0 {
			f.end(l, part)
		}
	}
	for range sweeps {
		f.route()
		for i := range f.lanes {
			l := &f.lanes[i]
			if l.fresh < least {
				continue
			}
			out := f.cells[l.cell].out(l.fresh)
			l.mass[0] += l.fresh - out
			l.fresh = 0
			f.leave(l, f.again(l, out, 0))
		}
	}
	f.route()
}

// out is how many of n rows end their steps in the time that a cell has. Of rows
// that are all under way a part ends; they do not end all at once.
func (c *cell) out(n float64) float64 {
	if n < least || c.open <= 0 {
		return 0
	}
	return max(0, min(c.room, n*c.open/(c.open+c.service)))
}

// end ends the steps of a part of a lane's rows.
func (f *flow) end(l *lane, part float64) {
	var on float64
	for stage, n := range l.mass {
		if n > 0 {
			l.mass[stage] -= n * part
			on += f.again(l, n*part, stage)
		}
	}
	f.leave(l, on)
}

// again counts rows whose steps have ended, puts those back that are to be tried
// again, and returns how many move on.
func (f *flow) again(l *lane, out float64, stage int) float64 {
	c := &f.cells[l.cell]
	c.room -= out
	c.requests += out / c.batch
	f.spent += out / c.batch * c.service
	again := out * l.again[stage]
	if again > 0 {
		l.later.put(l.wait[stage], again, min(stage+1, stages-1))
	}
	on := out - again
	l.mass[stage] += on * l.stay
	return on
}

// leave sends rows on their ways.
func (f *flow) leave(l *lane, n float64) {
	if n < least {
		return
	}
	for _, w := range l.own {
		f.lanes[w.to].fresh += n * w.share
	}
	f.routed[l.kind] += n * l.as
}

// route sends on what goes the way of its class.
func (f *flow) route() {
	for i, n := range f.routed {
		if n == 0 {
			continue
		}
		f.routed[i] = 0
		for _, w := range f.lanes[i].own {
			f.lanes[w.to].fresh += n * w.share
		}
	}
}
