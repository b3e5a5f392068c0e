package main

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// What the server's clock may be off by. A request that a client has given up
// ends when the server notices, so its end counts as this much earlier; requests
// that were on their way when a gate closed count against it only after this; a
// start may come this much too soon after the one before, or a tenth of the pace
// if that is more, because the earlier one was seen too late.
const jitter = 10 * time.Millisecond

// truth is what the servers saw of a run.
type truth struct {
	*world
	jobs []job     // by number
	log  []request // by start
}

func newTruth(w *world, log []request) *truth {
	slices.SortFunc(log, func(a, b request) int { return cmp.Compare(a.Start, b.Start) })
	return &truth{world: w, jobs: w.byNumber(), log: log}
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
// included job made.
func (t *truth) makespan(include func(job) bool) time.Duration {
	var end int64
	for _, r := range t.log {
		if r.Job >= 0 && include(t.jobs[r.Job]) {
			end = max(end, r.End)
		}
	}
	if end == 0 {
		return 0
	}
	return time.Duration(end - t.log[0].Start)
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
// leaving out what its clock may be off by.
type breach struct{ Raw, Sure int }

// overCap counts the starts at a station whose cap was used up.
func (t *truth) overCap(at int) (b breach) {
	var open []request
	for _, r := range t.log {
		if r.Station != at {
			continue
		}
		open = slices.DeleteFunc(open, func(o request) bool { return o.End <= r.Start })
		sure := 1
		for _, o := range open {
			if o.Status != 0 || o.End-int64(jitter) > r.Start {
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
// than its pace allows.
func (t *truth) tooSoon(at int) (b breach) {
	every := t.Stations[at].Every
	last := int64(-1)
	for _, r := range t.log {
		if r.Station != at || every == 0 {
			continue
		}
		if gap := time.Duration(r.Start - last); last >= 0 && gap < every {
			b.Raw++
			if gap < every-max(every/10, jitter/5) {
				b.Sure++
			}
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
	for _, r := range t.log {
		if r.Station != at {
			continue
		}
		if t.Stations[at].fault.robots() && r.Job >= 0 {
			b = b.plus(breach{1, 1})
		}
		if slices.ContainsFunc(gates, func(g gate) bool { return g.from <= r.Start && r.Start < g.until }) {
			b.Raw++
		}
		if slices.ContainsFunc(gates, func(g gate) bool { return g.from+int64(jitter) <= r.Start && r.Start < g.until }) {
			b.Sure++
		}
		if r.Gate > 0 {
			gates = append(gates, gate{r.End, r.Gate})
		}
	}
	return b
}

func (b breach) plus(c breach) breach { return breach{b.Raw + c.Raw, b.Sure + c.Sure} }
