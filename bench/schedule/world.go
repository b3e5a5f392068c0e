package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// world is a workload worked out: who serves what, and who wants what. The same
// spec gives the same world.
type world struct {
	spec
	workload
	Stations []station // the resolvers, then the hosts by popularity
	Jobs     []job     // in the order in which they are queued
}

// resolvers are asked in this order, but for the one that a job names as its first.
func resolvers() []station {
	return []station{
		{Name: "unpaywall", Resolver: true, Cap: 8, slow: 1},
		{Name: "openalex", Resolver: true, Cap: 4, slow: 1},
		{Name: "crossref", Resolver: true, Cap: 4, slow: 1},
		{Name: "europepmc", Resolver: true, Cap: 4, slow: 1},
	}
}

const (
	crossref  = 2 // by station
	firstHost = 4
)

func newWorld(s spec) (*world, error) {
	load, err := findWorkload(s.Workload)
	if err != nil {
		return nil, err
	}
	if s.Hosts <= robotsNoRank && load.mixed || s.Hosts <= slowRank || s.Jobs < 1 || s.Scale <= 0 || s.Workers < 1 {
		return nil, fmt.Errorf("a world needs more than %d hosts (X: %d), and jobs, scale and workers above 0", slowRank, robotsNoRank)
	}
	w := &world{spec: s, workload: load}
	w.build()
	random := rand.New(rand.NewPCG(s.Seed, 0))
	pick := w.popularity()
	for range w.batch() {
		host := firstHost
		if !w.dump && w.rate == 0 {
			host = pick(random)
		}
		w.add(random, host, bulk, 0)
	}
	w.order(random)
	if load.trickle {
		w.addTrickle(random)
	}
	return w, nil
}

// batch is how many jobs are there from the start.
func (w *world) batch() int {
	switch {
	case w.rate > 0:
		return int(2*w.rate*refuseFor.Seconds()) + 100 // more than can be served
	case w.dump:
		return w.spec.Jobs / 2
	case w.trickle:
		return 0
	case w.mixed:
		return w.spec.Jobs / 4
	}
	return w.spec.Jobs
}

// build makes the stations.
func (w *world) build() {
	w.Stations = resolvers()
	for n := range w.Hosts {
		w.Stations = append(w.Stations, station{Name: fmt.Sprintf("h%03d", n), Cap: w.cap, slow: 1})
	}
	at := func(rank int) *station { return &w.Stations[firstHost+rank] }
	if w.slow {
		at(slowRank).slow = slowFactor
	}
	if w.faulty {
		at(hangRank).fault = hangs
		at(throttleRank).fault, at(throttleRank).rate = refuses, throttleRate*w.Scale
	}
	if w.rate > 0 {
		at(0).fault, at(0).rate = refuses, w.rate
	}
	if w.mixed {
		at(resetRank).fault = resets
		at(waitRank).fault, at(waitDateRank).fault = waits, waitsDate
		at(robotsDownRank).fault, at(robotsNoRank).fault = robotsDown, robotsNo
		w.Stations[crossref].fault = announces
	}
	if w.paced {
		at(pacedRank).Cap, at(pacedRank).Every = 1, w.scaled(pacedEvery)
		w.Stations[crossref].Cap = 1
		w.Stations[crossref].Every = w.scaled(crossrefEvery)
	}
	if w.dump {
		at(0).slow = dumpFactor
	}
}

// popularity returns a function that picks a host by its share of the jobs.
func (w *world) popularity() func(*rand.Rand) int {
	sums := make([]float64, w.Hosts)
	total := 0.0
	for n := range sums {
		total += math.Pow(float64(n+1), -w.zipf)
		sums[n] = total
	}
	return func(random *rand.Rand) int {
		n, _ := slices.BinarySearch(sums, random.Float64()*total)
		return firstHost + min(n, w.Hosts-1)
	}
}

// add appends a job whose file is at a host.
func (w *world) add(random *rand.Rand, host int, run string, after time.Duration) {
	j := job{N: len(w.Jobs), Hosts: []int{host}, Run: run, After: after}
	if !w.known {
		j.Ask = w.ask(random)
	}
	other := w.other(random, host)
	lacks := random.Float64() < lacking
	switch {
	case w.rate > 0:
	case w.mixed && host == firstHost+redirectRank:
		j.Hosts, j.Hops = []int{firstHost, firstHost + 1, firstHost + 2, host}, true
	case w.Stations[host].fault.robots():
		j.Page = true
	case w.Stations[host].fault.dead():
		if j.N%2 == 0 { // the others can't be had
			j.Hosts = []int{host, other}
		}
	case lacks:
		j.Hosts, j.Hops = []int{other, host}, w.known
	}
	w.Jobs = append(w.Jobs, j)
}

// other picks a host that is well and not the one given.
func (w *world) other(random *rand.Rand, host int) int {
	for {
		n := firstHost + random.IntN(w.Hosts)
		if n != host && w.Stations[n].fault == "" {
			return n
		}
	}
}

// ask chooses the resolvers of a job: the first by capacity, the second, if it
// takes one, as the program's order has it.
func (w *world) ask(random *rand.Rand) []int {
	room := 0
	for _, r := range resolvers() {
		room += r.Cap
	}
	first, left := 0, random.IntN(room)
	for _, r := range resolvers() {
		if left -= r.Cap; left < 0 {
			break
		}
		first++
	}
	if random.Float64() >= askTwice {
		return []int{first}
	}
	if first == 0 {
		return []int{0, 1}
	}
	return []int{first, 0}
}

// order puts the batch in the order in which it is queued.
func (w *world) order(random *rand.Rand) {
	random.Shuffle(len(w.Jobs), func(i, k int) { w.Jobs[i], w.Jobs[k] = w.Jobs[k], w.Jobs[i] })
	if w.sorted {
		slices.SortStableFunc(w.Jobs, func(a, b job) int {
			d := a.Hosts[len(a.Hosts)-1] - b.Hosts[len(b.Hosts)-1]
			if w.coldest {
				return -d
			}
			return d
		})
	}
}

// addTrickle appends the jobs that arrive one by one, at random intervals, for
// all hosts but the dumped one.
func (w *world) addTrickle(random *rand.Rand) {
	rate := trickleRate * w.Scale
	at := time.Duration(0)
	for {
		at += time.Duration(random.ExpFloat64() / rate * float64(time.Second))
		if at > w.scaled(trickleFor) {
			return
		}
		host := firstHost + 1 + random.IntN(w.Hosts-1)
		if dumped := random.Float64() < dumpShare; dumped && w.needs {
			host = firstHost
		}
		w.add(random, host, trickle, at)
	}
}

// service is how long a station takes for a job, scaled.
func (w *world) service(j, at int) time.Duration {
	random := rand.New(rand.NewPCG(w.Seed, uint64(j)<<16|uint64(at)+1))
	median, sigma := fileMedian, fileSigma
	s := w.Stations[at]
	if s.Resolver {
		median, sigma = askMedian, askSigma
	}
	return w.scaled(time.Duration(float64(median) * s.slow * math.Exp(sigma*random.NormFloat64())))
}

// byNumber returns the jobs by their numbers.
func (w *world) byNumber() []job {
	jobs := make([]job, len(w.Jobs))
	for _, j := range w.Jobs {
		jobs[j.N] = j
	}
	return jobs
}

// healthy reports whether all that a job needs is well, if slow.
func (w *world) healthy(j job) bool {
	return !slices.ContainsFunc(j.stops(), func(at int) bool { return w.Stations[at].fault != "" })
}

// obtainable reports whether a job's file can be had at all.
func (w *world) obtainable(j job) bool {
	f := w.Stations[j.Hosts[len(j.Hosts)-1]].fault
	return !f.dead() && !f.robots()
}

// planned is the lower bound for the services as they are planned.
func (w *world) planned() bound {
	var jobs [][]visit
	for _, j := range w.Jobs {
		var visits []visit
		for _, at := range j.stops() {
			if !w.Stations[at].fault.dead() {
				visits = append(visits, visit{at, w.service(j.N, at)})
			}
		}
		jobs = append(jobs, visits)
	}
	return lowerBound(jobs, w.allowances(), w.Workers)
}

// allowances are what the keys of the stations bear.
func (w *world) allowances() []allowance {
	keys := make([]allowance, len(w.Stations))
	for at, s := range w.Stations {
		keys[at] = allowance{s.Name, s.Cap, s.Every}
		if s.fault == refuses {
			keys[at].every = time.Duration(float64(time.Second) / s.rate)
		}
	}
	return keys
}

// awaited reports whether a run is for this job: of a trickle behind a dump, the
// trickle, else all that can be had.
func (w *world) awaited(j job) bool {
	return w.obtainable(j) && (!w.trickle || j.Run == trickle)
}

// endless reports whether a run ends when the jobs that it is for are served: what
// else there is takes long, or must wait for a host to recover.
func (w *world) endless() bool { return w.trickle || w.faulty || w.mixed }
