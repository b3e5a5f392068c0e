package forecast

// cell is a key in a flow, or all keys of a class of which too little is known.
type cell struct {
	rate    float64 // rows a second at most
	service float64 // seconds of a request
	batch   float64 // rows of a request
	gate    float64 // seconds until it may start

	rows     float64 // that are there
	heavy    uint8   // bucket of the time that its work takes
	share    float64 // of the slots that it would use
	open     float64 // seconds of this step of time in which it is at work
	room     float64 // rows that it can still serve in this step of time
	requests float64 // made so far
}

// lane is the part of a cell for jobs that go on in one way: a spot.
type lane struct {
	cell  int32
	kind  int32           // the lane of its class
	mass  [stages]float64 // rows, by attempt
	fresh float64         // rows that have come in this step of time
	later *later          // rows that wait; nil if none do here
	again [stages]float64 // shares of rows that come back after a wait
	wait  [stages]float64 // seconds
	stay  float64         // share that comes back at once
	own   []way           // shares that move on from here
	as    float64         // share that moves on as from the whole class
}

// way is a share of rows that move on to a lane.
type way struct {
	to    int32
	share float64
}

func (l *lane) all() float64 { return l.mass[0] + l.mass[1] + l.mass[2] }

// trust is how many steps of its own a spot needs until they count as much as those
// of its class.
const trust = 8.0

// doubt is how many steps at the spots of a class are taken to have finished their jobs
// besides those that were seen: a single redirect from one host to another must not
// make a circle that no job ever leaves.
const doubt = 2.0

// teach tells all lanes where their rows go.
func (m *model) teach() {
	sums := make([]float64, len(m.lanes))
	for i, s := range m.spots {
		if s == nil {
			continue
		}
		l := &m.lanes[i]
		l.kind = s.kind().lane
		m.retries(l, s)
		final := s.final()
		own := final / (final + doubt*m.weight)
		if of := s.kind(); of != s {
			own = final / (final + trust*m.weight)
			l.stay, l.as = (1-own)*of.stayed/(of.final()+doubt*m.weight), 1-own
		}
		if final <= 0 {
			continue
		}
		l.stay += own * s.stayed / final
		l.own = collect(s.moved, own/final, sums)
	}
}

// collect sums up ways by their lanes. sums has a 0 for each lane, before and after.
func collect(moved map[*spot]float64, scale float64, sums []float64) []way {
	ways := make([]way, 0, len(moved))
	for to, count := range moved {
		if sums[to.lane] == 0 {
			ways = append(ways, way{to: to.lane})
		}
		sums[to.lane] += count * scale
	}
	for i, w := range ways {
		ways[i].share, sums[w.to] = sums[w.to], 0
	}
	return ways
}

// retries tells a lane how often its rows are to be tried again, and after how long.
func (m *model) retries(l *lane, s *spot) {
	of := s.kind()
	for stage, steps := range s.steps {
		again, wait, base := s.again[stage], s.waits[stage], steps
		if of != s && of.steps[stage] > 0 {
			t := trust * m.weight / of.steps[stage]
			again, wait, base = again+t*of.again[stage], wait+t*of.waits[stage], base+trust*m.weight
		}
		if base > 0 && again > 0 {
			l.again[stage], l.wait[stage] = again/base, wait/again
		}
	}
	l.patience(max(l.wait[0], l.wait[1], l.wait[2]))
}
