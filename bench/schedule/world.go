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
	if s.Hosts <= slowRank || s.Jobs < 1 || s.Scale <= 0 || s.Workers < 1 {
		return nil, fmt.Errorf("a world needs more than %d hosts, and jobs, scale and workers above 0", slowRank)
	}
	w := &world{spec: s, workload: load}
	w.build()
	random := rand.New(rand.NewPCG(s.Seed, 0))
	pick := w.popularity()
	dumped := 0
	if load.dump {
		dumped = s.Jobs / 2
	}
	switch {
	case load.dump:
		for range dumped {
			w.add(random, firstHost, bulk, 0)
		}
	case !load.trickle:
		for range s.Jobs {
			w.add(random, pick(random), bulk, 0)
		}
	}
	w.order(random)
	if load.trickle {
		w.addTrickle(random)
	}
	return w, nil
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
		at(hangRank).fault = hang
		at(throttleRank).fault, at(throttleRank).rate = throttle, throttleRate*w.Scale
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
	if random.Float64() < lacking {
		other := firstHost + random.IntN(w.Hosts)
		if other != host && w.Stations[other].fault == "" {
			j.Hosts = []int{other, host}
		}
	}
	w.Jobs = append(w.Jobs, j)
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

// served reports whether a job can be had at all.
func (w *world) served(j job) bool {
	return !slices.ContainsFunc(j.stops(), func(at int) bool { return w.Stations[at].fault == hang })
}
