package main

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// hottest is the station that is busiest for its allowance.
func (t *truth) hottest() int {
	load := make([]float64, len(t.Stations))
	for _, r := range t.log {
		if s := t.Stations[r.Station]; r.useful() {
			load[r.Station] += float64(max(r.took(), s.Every)) / float64(s.Cap)
		}
	}
	hot := 0
	for at := range load {
		if load[at] > load[hot] {
			hot = at
		}
	}
	return hot
}

// use is the share of its allowance that a station's requests took while a job
// was ready for it: from the end of the request before, or from the start, to
// the start of its request there.
func (t *truth) use(at int) float64 {
	type event struct {
		when             int64
		waiting, running int
	}
	var events []event
	for _, path := range t.needed(func(job) bool { return true }) {
		ready := t.log[0].Start + int64(t.arrival(path))
		for _, r := range path {
			if r.Station == at {
				end := r.Start + int64(max(r.took(), t.Stations[at].Every))
				events = append(events, event{ready, 1, 0}, event{r.Start, -1, 1}, event{end, 0, -1})
			}
			ready = r.End
		}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.when, b.when) })
	var waiting, running int
	var with, used float64
	for i, e := range events {
		if i > 0 && waiting > 0 {
			d := float64(e.when - events[i-1].when)
			with += d
			used += d * float64(min(running, t.Stations[at].Cap))
		}
		waiting += e.waiting
		running += e.running
	}
	if with == 0 {
		return math.NaN()
	}
	return used / with / float64(t.Stations[at].Cap)
}

// arrival is when the job of a path arrives.
func (t *truth) arrival(path []request) time.Duration {
	if len(path) == 0 {
		return 0
	}
	return t.jobs[path[0].Job].After
}

// coldWaits are the times that jobs waited for the hosts that few of them need:
// those that at most as many jobs need as half of all hosts.
func (t *truth) coldWaits() []time.Duration {
	wanted := make([]int, len(t.Stations))
	for _, j := range t.jobs {
		for _, at := range j.Hosts {
			wanted[at]++
		}
	}
	sorted := slices.Clone(wanted[firstHost:])
	slices.Sort(sorted)
	few := sorted[len(sorted)/2]
	var waits []time.Duration
	for _, path := range t.needed(t.healthy) {
		ready := t.log[0].Start + int64(t.arrival(path))
		for _, r := range path {
			if r.Station >= firstHost && wanted[r.Station] <= few {
				waits = append(waits, time.Duration(r.Start-ready))
			}
			ready = r.End
		}
	}
	return waits
}

// percentile returns the value below which p per cent of values are; 0 if there
// are none. It sorts them.
func percentile(values []time.Duration, p float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, int(math.Ceil(p/100*float64(len(values))))-1)]
}
