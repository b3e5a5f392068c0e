package forecast

// fill puts the rows of a key into its lanes.
func (m *model) fill(k *key) {
	q := k.queue
	if q == nil {
		return
	}
	if m.isPaused(q) {
		m.paused += q.Ready + q.Delayed
		return
	}
	all := float64(q.Ready + q.InFlight + q.Delayed)
	if all == 0 {
		return
	}
	for _, p := range m.parts(k, all) {
		l := &m.lanes[p.lane]
		l.mass[0] += p.share * float64(q.Ready+q.InFlight)
		if q.Delayed > 0 {
			m.delay(l, k, p.share*float64(q.Delayed))
		}
	}
}

// part is a share of the rows of a key.
type part struct {
	lane  int32
	share float64
}

// parts divides the rows of a key among its lanes: as the jobs are that are followed.
// Those beyond have been there since before the run. What it returns holds until it
// is called again.
func (m *model) parts(k *key, rows float64) []part {
	parts := m.divided[:0]
	spots := k.spots
	if k.loose {
		spots = k.class.spots[:]
	}
	followed := 0.0
	for _, s := range spots {
		if s != nil && s.here > 0 {
			followed += float64(s.here) * m.sift
		}
	}
	whole := followed
	if rows > followed && (followed == 0 || m.sift == 1) {
		whole = rows
		parts = append(parts, part{k.spot(0).lane, (rows - followed) / whole})
	}
	for _, s := range spots {
		if s != nil && s.here > 0 {
			parts = append(parts, part{s.lane, float64(s.here) * m.sift / whole})
		}
	}
	m.divided = parts
	return parts
}

// delay puts rows into a lane that wait. Of each it is not known how long, nor for
// which attempt; but when the last one for each is due.
func (m *model) delay(l *lane, k *key, rows float64) {
	var due, weight [stages]float64
	var all, longest float64
	for stage := 1; stage < stages; stage++ {
		due[stage] = max(0, k.due[stage].Sub(m.at).Seconds())
		weight[stage] = due[stage] * max(l.again[stage-1], least)
		all += weight[stage]
		longest = max(longest, due[stage])
	}
	if all == 0 { // an earlier run made them wait
		due[1], weight[1], all = max(l.wait[0], l.wait[1], 1), 1, 1
		longest = due[1]
	}
	l.patience(max(longest, l.wait[0], l.wait[1], l.wait[2]))
	const parts = 8
	for stage := 1; stage < stages; stage++ {
		for i := range parts {
			l.later.put(due[stage]*(float64(i)+0.5)/parts, rows*weight[stage]/all/parts, stage)
		}
	}
}
