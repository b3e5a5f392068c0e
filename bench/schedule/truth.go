package main

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// jitter is what the server's clock may be off by on a quiet machine. A request
// that a client has given up ends when the server notices; one that was on its
// way when a gate closed comes after that; and if a start is seen late, the next
// one seems to come too soon. Where the machine kept the server waiting for
// longer, it is off by that: see doubt.
const jitter = 10 * time.Millisecond

// truth is what the servers saw of a run.
type truth struct {
	*world
	jobs []job     // by number
	log  []request // by start
	late []lateness
}

func newTruth(w *world, seen record) *truth {
	slices.SortFunc(seen.Log, func(a, b request) int { return cmp.Compare(a.Start, b.Start) })
	return &truth{world: w, jobs: w.byNumber(), log: seen.Log, late: seen.Late}
}

// useful reports whether a request gave a job what it needed there.
func (r request) useful() bool {
	return r.Job >= 0 && (r.Status == http.StatusOK || r.Status == http.StatusNotFound || r.Status == http.StatusFound)
}

// needed returns, for each job that is included, the request that served it at
// each of its stops, as far as it came. If a stop served it more than once, as
// after a kill, the shortest counts.
func (t *truth) needed(include func(job) bool) [][]request {
	type place struct{ job, station int }
	best := map[place]request{}
	for _, r := range t.log {
		at := place{r.Job, r.Station}
		if old, ok := best[at]; r.useful() && (!ok || r.took() < old.took()) {
			best[at] = r
		}
	}
	var all [][]request
	for _, j := range t.jobs {
		if !include(j) {
			continue
		}
		var path []request
		for _, at := range j.stops() {
			if r, ok := best[place{j.N, at}]; ok {
				path = append(path, r)
			}
		}
		all = append(all, path)
	}
	return all
}

// bound is the lower bound for the jobs that are included.
func (t *truth) bound(include func(job) bool) bound {
	var jobs [][]visit
	for _, path := range t.needed(include) {
		var visits []visit
		for _, r := range path {
			visits = append(visits, visit{r.Station, r.took()})
		}
		jobs = append(jobs, visits)
	}
	return lowerBound(jobs, t.allowances(), t.Workers)
}

// makespan is from the first request of all to the end of the last one that an
// included job made, and at is where that was.
func (t *truth) makespan(include func(job) bool) (d time.Duration, at int) {
	var end int64
	for _, r := range t.log {
		if r.Job >= 0 && include(t.jobs[r.Job]) && r.End > end {
			end, at = r.End, r.Station
		}
	}
	if end == 0 {
		return 0, 0
	}
	return time.Duration(end - t.log[0].Start), at
}

// done counts the jobs whose file was served.
func (t *truth) done() (n int) {
	for _, path := range t.needed(t.obtainable) {
		if k := len(path) - 1; k >= 0 {
			hosts := t.jobs[path[k].Job].Hosts
			if path[k].Station == hosts[len(hosts)-1] && path[k].Status == http.StatusOK {
				n++
			}
		}
	}
	return n
}

// obtain returns the jobs whose file can be had.
func (t *truth) obtain() []job {
	return slices.DeleteFunc(slices.Clone(t.jobs), func(j job) bool { return !t.obtainable(j) })
}

// breach counts how often a limit was not kept: as the server saw it, and
// leaving out what its clock may be wrong about.
type breach struct{ Raw, Sure int }

func (b breach) plus(c breach) breach { return breach{b.Raw + c.Raw, b.Sure + c.Sure} }

// doubt is what the server's clock may be off by at an instant.
func (t *truth) doubt(when int64) int64 {
	most := time.Duration(0)
	for _, l := range t.late {
		if since := l.When - when; -int64(jitter) < since && since < int64(l.By+jitter) {
			most = max(most, l.By)
		}
	}
	return int64(jitter + most)
}

// at returns what a station saw.
func (t *truth) at(station int) []request {
	return slices.DeleteFunc(slices.Clone(t.log), func(r request) bool { return r.Station != station })
}

// overCap counts the starts at a station whose cap was used up.
func (t *truth) overCap(at int) (b breach) {
	var open []request
	for _, r := range t.at(at) {
		open = slices.DeleteFunc(open, func(o request) bool { return o.End <= r.Start })
		sure := 1
		for _, o := range open {
			if o.Status != 0 || o.End-t.doubt(o.End) > r.Start {
				sure++
			}
		}
		open = append(open, r)
		if len(open) > t.Stations[at].Cap {
			b.Raw++
		}
		if sure > t.Stations[at].Cap {
			b.Sure++
		}
	}
	return b
}

// tooSoon counts the starts at a station that came sooner after the one before
// than its pace allows, and for sure, the starts that came sooner after any one
// before than the pace allows for so many.
func (t *truth) tooSoon(at int) (b breach) {
	every := int64(t.Stations[at].Every)
	if every == 0 {
		return b
	}
	var last, latest int64 // the start before, and the one that allows the least
	n := int64(0)          // starts since that one
	for i, r := range t.at(at) {
		n++
		early := latest + n*every - r.Start // by so much it is too soon
		if i > 0 && r.Start-last < every {
			b.Raw++
		}
		sure := i > 0 && early > max(t.doubt(latest), t.doubt(r.Start))
		if sure {
			b.Sure++
		}
		if i == 0 || sure || early <= 0 {
			latest, n = r.Start, 0
		}
		last = r.Start
	}
	return b
}

// whileGated counts the starts at a station before the time that it had named,
// and the requests for pages where robots.txt forbids them or can't be had.
func (t *truth) whileGated(at int) (b breach) {
	type gate struct{ from, until int64 }
	var gates []gate
	for _, r := range t.at(at) {
		if t.Stations[at].fault.robots() && r.Job >= 0 {
			b = b.plus(breach{1, 1})
		}
		raw, sure := false, false
		for _, g := range gates {
			raw = raw || g.from <= r.Start && r.Start < g.until
			sure = sure || g.from+t.doubt(r.Start) <= r.Start && r.Start < g.until
		}
		if raw {
			b.Raw++
		}
		if sure {
			b.Sure++
		}
		if r.Gate > 0 {
			gates = append(gates, gate{r.End, r.Gate})
		}
	}
	return b
}
