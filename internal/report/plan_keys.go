package report

import (
	"cmp"
	"math"
	"slices"
)

// day is the seconds of one.
const day = 24 * 3600

// adviseFrom is how many seconds a key must take for people to be told what to do
// about it: less is no reason to do anything.
const adviseFrom = 3600

// load is what a key has to bear.
type load struct {
	key      string
	requests Range
	service  float64 // seconds that a request takes
}

// keys tells how long each key takes, those that take longest first.
func (p *Planner) keys(least, expected, most []asking) []PlanKey {
	keys := []PlanKey{}
	var all, busy Range // requests, and their seconds, one after the other
	for _, l := range p.loads(least, expected, most) {
		if l.requests.Max == 0 {
			continue
		}
		all = all.plus(l.requests)
		busy = busy.plus(l.requests.each(func(n float64) float64 { return n * l.service }))
		if l.key == anyHost {
			l.requests = l.requests.each(func(n float64) float64 { return math.Ceil(n * assumed(busiest, 1)) })
		}
		keys = append(keys, p.key(l))
	}
	if len(keys) == 0 {
		return keys
	}
	workers := PlanKey{
		Key: "max_workers", Binds: BindsWorkers, InFlight: &p.workers, Requests: all,
		Seconds: busy.each(func(s float64) float64 { return s / float64(p.workers) }),
	}
	keys = append(keys, workers)
	slices.SortStableFunc(keys, func(a, b PlanKey) int {
		return cmp.Or(cmp.Compare(b.Seconds.Expected, a.Seconds.Expected), cmp.Compare(b.Seconds.Max, a.Seconds.Max))
	})
	for i := range keys {
		if k := &keys[i]; k.Seconds.Expected >= adviseFrom {
			advice := adviceOn(k.Key, p.allowed(k.Key), k.Binds)
			k.Advice = &advice
		}
	}
	return keys
}

// loads spreads the requests over the keys: those to the sources, and those for
// files at their hosts, of which the ones not known beforehand are together.
func (p *Planner) loads(least, expected, most []asking) []load {
	var loads []load
	add := func(key string, requests Range, service float64) {
		i := slices.IndexFunc(loads, func(l load) bool { return l.key == key })
		if i < 0 {
			loads = append(loads, load{key: key, service: service})
			i = len(loads) - 1
		}
		loads[i].requests = loads[i].requests.plus(requests)
	}
	var elsewhere Range
	for i, s := range p.sources {
		if !s.Local() {
			add(s.limit.Key, s.calls(Range{least[i].asked, expected[i].asked, most[i].asked}), assumed(apiService, 0))
		}
		tried := Range{least[i].tried, expected[i].tried, most[i].tried}
		switch {
		case s.files == "":
			elsewhere = elsewhere.plus(tried)
		case leadsOn(s.Name()):
			elsewhere = elsewhere.plus(tried)
			add(s.files, tried.each(math.Ceil), assumed(apiService, 0))
		default:
			add(s.files, tried.each(math.Ceil), assumed(fileService, 0))
		}
	}
	add(anyHost, elsewhere.each(func(n float64) float64 { return math.Ceil(n * assumed(perFile, 1)) }), assumed(fileService, 0))
	return loads
}

// key tells how long a key takes, by what binds it.
func (p *Planner) key(l load) PlanKey {
	limit := p.allowed(l.key)
	k := PlanKey{Key: l.key, Requests: l.requests, InFlight: known(limit.InFlight), Daily: known(limit.Daily)}
	if limit.PerSecond > 0 {
		every := 1 / limit.PerSecond
		k.Every = &every
	}
	k.Seconds = l.requests.each(func(n float64) float64 {
		seconds, _ := limit.takes(n, l.service)
		return seconds
	})
	_, k.Binds = limit.takes(max(l.requests.Expected, 1), l.service)
	return k
}

// takes is how many seconds n requests take at least, each of them service, and
// what makes them. A budget by the day lets the last day's part begin at midnight.
func (l PlanLimit) takes(n, service float64) (seconds float64, binds string) {
	once := func(n float64) (float64, string) {
		pace, flight := 0.0, 0.0
		if l.PerSecond > 0 {
			pace = n / l.PerSecond
		}
		if l.InFlight > 0 {
			flight = n * service / float64(l.InFlight)
		}
		if flight > pace {
			return flight, BindsInFlight
		}
		return pace, BindsPace
	}
	seconds, binds = once(n)
	if daily := float64(l.Daily); daily > 0 && n > daily {
		days := math.Ceil(n/daily) - 1
		rest, _ := once(n - days*daily)
		if by := days*day + rest; by > seconds {
			return by, BindsDaily
		}
	}
	return seconds, binds
}
