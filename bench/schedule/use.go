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

// event is a job that begins or ceases to wait for a station or to be served there.
type event struct {
	when             int64
	station          int
	waiting, running int // what changes
}

// events returns what happened at the stations, by time. A job waits from the end
// of the request before, or from its arrival, to the start of its request. With
// paced a station that has a pace is taken up until it may start again.
func (t *truth) events(paced bool) []event {
	var events []event
	serve := func(r request, waited int) {
		end := r.End
		if paced {
			end = max(end, r.Start+int64(t.Stations[r.Station].Every))
		}
		events = append(events, event{r.Start, r.Station, -waited, 1}, event{end, r.Station, 0, -1})
	}
	for _, path := range t.needed(all) {
		ready := t.log[0].Start + int64(t.arrival(path))
		for _, r := range path {
			waited := 0
			if ready < r.Start {
				waited = 1
				events = append(events, event{ready, r.Station, 1, 0})
			}
			serve(r, waited)
			ready = r.End
		}
	}
	for _, r := range t.log {
		if !r.useful() {
			serve(r, 0)
		}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.when, b.when) })
	return events
}

// arrival is when the job of a path arrives, counted from the start.
func (t *truth) arrival(path []request) time.Duration {
	if len(path) == 0 {
		return 0
	}
	return t.jobs[path[0].Job].After
}

// use is the share of a station's allowance that was in use while a job waited
// for it.
func (t *truth) use(at int) float64 {
	var waiting, running int
	var last int64
	var with, used float64
	for _, e := range t.events(true) {
		if e.station != at {
			continue
		}
		if waiting > 0 {
			with += float64(e.when - last)
			used += float64(e.when-last) * float64(min(running, t.Stations[at].Cap))
		}
		last = e.when
		waiting += e.waiting
		running += e.running
	}
	if with == 0 {
		return math.NaN()
	}
	return used / with / float64(t.Stations[at].Cap)
}

// turns are the times for which a place at a station stayed empty although a job
// waited for it: from the end of a request to the start of the next one there.
func (t *truth) turns(at int) []time.Duration {
	var waiting int
	var free []int64 // since when each empty place could have been taken
	var turns []time.Duration
	for _, e := range t.events(false) {
		if e.station != at {
			continue
		}
		switch {
		case e.running > 0 && len(free) > 0:
			turns = append(turns, time.Duration(e.when-free[0]))
			free = free[1:]
		case e.running < 0 && waiting > 0:
			free = append(free, e.when)
		}
		if waiting += e.waiting; waiting == 0 {
			free = nil
		}
	}
	return turns
}

// idle is the share of all workers' time in which they did nothing although some
// job waited for a station that had room. What the client takes from one request
// of a job to the next, its storing included, is part of it. Stations with a pace
// are left out.
func (t *truth) idle() float64 {
	events := t.events(false)
	if len(events) == 0 {
		return math.NaN()
	}
	waiting, running := make([]int, len(t.Stations)), make([]int, len(t.Stations))
	var rooms, busy int // over all stations
	room := func(at int) int {
		if t.Stations[at].Every > 0 || t.Stations[at].fault != "" {
			return 0
		}
		return max(0, min(waiting[at], t.Stations[at].Cap-running[at]))
	}
	lost, last := 0.0, events[0].when
	for _, e := range events {
		lost += float64(max(0, min(t.Workers-busy, rooms))) * float64(e.when-last)
		last = e.when
		rooms -= room(e.station)
		waiting[e.station] += e.waiting
		running[e.station] += e.running
		busy += e.running
		rooms += room(e.station)
	}
	return lost / float64(t.Workers) / float64(last-events[0].when)
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

// percentile returns the value that p per cent of values are not above; 0 if
// there are none. It sorts them.
func percentile(values []time.Duration, p float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, int(math.Ceil(p/100*float64(len(values))))-1)]
}
