package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// visit is a request that a job needs: what it took, and where.
type visit struct {
	key     int
	service time.Duration
}

// allowance is what a key bears: requests at once, and the least time between
// two starts.
type allowance struct {
	name  string
	cap   int
	every time.Duration
}

// bound is a time that no schedule can go below, and what sets it.
type bound struct {
	Least time.Duration
	By    string
}

// lowerBound returns the largest of these, for jobs that each make their visits
// one after the other, all of them there from the start:
//
//	of each key  head + work/cap       head: the earliest any job can get there
//	             head + the starts at their pace, the last one's service included
//	of a key with one connection: head + the sum of what is longer, service or pace
//	of all       total/workers
//	of each job  the sum of its services
func lowerBound(jobs [][]visit, keys []allowance, workers int) bound {
	type sum struct {
		head, work, spaced time.Duration
		shortest           time.Duration // service
		slack              time.Duration // most that the last request saves: it need not wait for another
		n                  int
	}
	sums := make([]sum, len(keys))
	var total time.Duration
	candidates := []bound{{}}
	for _, visits := range jobs {
		var at time.Duration
		for _, v := range visits {
			s, spaced := &sums[v.key], max(v.service, keys[v.key].every)
			if s.n == 0 {
				s.head, s.shortest = at, v.service
			}
			s.head, s.shortest = min(s.head, at), min(s.shortest, v.service)
			s.work += v.service
			s.spaced += spaced
			s.slack = max(s.slack, spaced-v.service)
			s.n++
			at += v.service
		}
		total += at
		candidates = append(candidates, bound{at, "longest job"})
	}
	candidates = append(candidates, bound{total / time.Duration(workers), "workers"})
	for k, s := range sums {
		if s.n == 0 {
			continue
		}
		key := keys[k]
		candidates = append(candidates,
			bound{s.head + s.work/time.Duration(key.cap), fmt.Sprintf("cap of %s", key.name)},
			bound{s.head + time.Duration(s.n-1)*key.every + s.shortest, fmt.Sprintf("pace of %s", key.name)})
		if key.cap == 1 {
			candidates = append(candidates, bound{s.head + s.spaced - s.slack, fmt.Sprintf("connection of %s", key.name)})
		}
	}
	return slices.MaxFunc(candidates, func(a, b bound) int { return cmp.Compare(a.Least, b.Least) })
}
