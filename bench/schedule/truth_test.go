package main

import (
	"math"
	"net/http"
	"testing"
	"time"
)

const (
	tick   = int64(time.Millisecond)
	lateAt = 9000 // the server came 20 ms too late, in milliseconds
)

// at is an answered request at the first station, in milliseconds.
func at(start, end int64) request {
	return request{Job: 0, Start: start * tick, End: end * tick, Status: http.StatusOK}
}

func (r request) status(code int) request  { r.Status = code; return r }
func (r request) gate(until int64) request { r.Gate = until * tick; return r }
func (r request) of(job, station int) request {
	r.Job, r.Station = job, station
	return r
}

func TestTruth_breaches(t *testing.T) {
	st := station{Cap: 2, Every: 100 * time.Millisecond}
	tests := map[string]struct {
		station        station
		log            []request
		over, soon, in breach
	}{
		"kept": {st, []request{at(0, 150), at(100, 250), at(200, 300)}, breach{}, breach{}, breach{}},
		"over its cap": {
			station{Cap: 2},
			[]request{at(0, 100), at(10, 100), at(20, 100), at(30, 100)},
			breach{2, 2},
			breach{},
			breach{},
		},
		"one ends as another starts": {station{Cap: 1}, []request{at(0, 100), at(100, 200)}, breach{}, breach{}, breach{}},
		"given up, noticed late": {
			station{Cap: 1},
			[]request{at(0, 105).status(0), at(100, 200)},
			breach{1, 0},
			breach{},
			breach{},
		},
		"given up later": {
			station{Cap: 1},
			[]request{at(0, 150).status(0), at(100, 200)},
			breach{1, 1},
			breach{},
			breach{},
		},
		"a little too soon": {st, []request{at(0, 1), at(95, 96)}, breach{}, breach{1, 0}, breach{}},
		"too soon":          {st, []request{at(0, 1), at(85, 86)}, breach{}, breach{1, 1}, breach{}},
		"a little too soon, again and again": {
			st, []request{at(0, 1), at(96, 97), at(192, 193), at(288, 289)}, breach{}, breach{3, 1}, breach{},
		},
		"one is seen late": {
			st, []request{at(0, 1), at(109, 110), at(200, 201), at(300, 301)}, breach{}, breach{1, 0}, breach{},
		},
		"too soon while the server's clock stood still": {
			st, []request{at(lateAt, lateAt+1), at(lateAt+85, lateAt+86)}, breach{}, breach{1, 0}, breach{},
		},
		"while gated": {
			station{Cap: 9},
			[]request{at(0, 1), at(2, 3).gate(1000), at(500, 501), at(1000, 1001)},
			breach{},
			breach{},
			breach{1, 1},
		},
		"on its way when the gate closed": {
			station{Cap: 9},
			[]request{at(0, 10).gate(1000), at(9, 30), at(15, 30)},
			breach{},
			breach{},
			breach{1, 0},
		},
		"a page that robots.txt forbids": {
			station{Cap: 9, fault: robotsNo},
			[]request{at(0, 1).of(-1, 0), at(2, 3)},
			breach{},
			breach{},
			breach{1, 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			truth := &truth{world: &world{Stations: []station{tt.station}}, log: tt.log}
			truth.late = []lateness{{lateAt * tick, 20 * time.Millisecond}}
			over, soon, in := truth.overCap(0), truth.tooSoon(0), truth.whileGated(0)
			if over != tt.over || soon != tt.soon || in != tt.in {
				t.Errorf("over its cap %v, too soon %v, gated %v; want %v, %v, %v", over, soon, in, tt.over, tt.soon, tt.in)
			}
		})
	}
}

// TestTruth_path follows two jobs through a resolver and a host of cap 1.
func TestTruth_path(t *testing.T) {
	w := &world{spec: spec{Workers: 2, Hosts: 1}, Stations: append(resolvers(), station{Name: "h", Cap: 1})}
	for n := range 2 {
		w.Jobs = append(w.Jobs, job{N: n, Ask: []int{0}, Hosts: []int{firstHost}})
	}
	truth := newTruth(w, record{Log: []request{
		at(0, 10).of(0, 0), at(0, 20).of(1, 0),
		at(10, 15).of(0, firstHost).status(0), // broken off, and again
		at(20, 60).of(0, firstHost), at(80, 120).of(1, firstHost),
	}})
	if got, want := truth.bound(all), (bound{90 * time.Millisecond, "cap of h"}); got != want {
		t.Errorf("bound is %v, want %v", got, want)
	}
	if got, last := truth.makespan(all); got != 120*time.Millisecond || last != firstHost {
		t.Errorf("makespan is %v, and ends at %d; want 120ms and %d", got, last, firstHost)
	}
	if got := truth.done(); got != 2 {
		t.Errorf("%d jobs are done, want 2", got)
	}
	// A job waits from 10 to 20 and from 20 to 80; in 45 of these 70 one is served or broken off.
	if got, want := truth.use(firstHost), 45.0/70; math.Abs(got-want) > 1e-9 {
		t.Errorf("use of the host is %v, want %v", got, want)
	}
	// From 15 to 20 and from 60 to 80 its only place was empty.
	if got := truth.turns(firstHost); len(got) != 2 || got[0] != 5*time.Millisecond || got[1] != 20*time.Millisecond {
		t.Errorf("the host's place was empty for %v", got)
	}
	// From 15 to 20 and from 60 to 80 one of two workers could have done something.
	if got, want := truth.idle(), 25.0/120/2; math.Abs(got-want) > 1e-9 {
		t.Errorf("workers were idle for %v, want %v", got, want)
	}
	waits := truth.coldWaits()
	if got, want := percentile(waits, 100), 60*time.Millisecond; got != want || len(waits) != 2 {
		t.Errorf("longest of %d waits is %v, want %v of 2", len(waits), got, want)
	}
}

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for n := range 100 {
		hundred = append(hundred, time.Duration(100-n))
	}
	for p, want := range map[float64]time.Duration{1: 1, 50: 50, 99: 99, 100: 100} {
		if got := percentile(hundred, p); got != want {
			t.Errorf("percentile %v of 1 to 100 is %d", p, got)
		}
	}
	if got := percentile(nil, 50); got != 0 {
		t.Errorf("percentile 50 of nothing is %d", got)
	}
}
