package forecast_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/forecast"
	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// stop is a step of a job: where, how long its request takes, and how often it
// fails before.
type stop struct {
	key     string
	seconds float64
	fails   int
}

// work is what a simulated run has to do.
type work struct {
	jobs  [][]stop
	rules map[string]limit.Rule
	rule  limit.Rule // of the other keys
	slots int
	retry time.Duration // wait after a failure
}

// job is where one is on its way.
type job struct {
	id      int64
	stops   []stop
	attempt int
}

// event is the end of a step, or of a wait if it has no jobs of a permit.
type event struct {
	at     time.Time
	permit schedule.Permit
	jobs   []*job
}

type events []event

func (e *events) Len() int           { return len(*e) }
func (e *events) Less(i, k int) bool { return (*e)[i].at.Before((*e)[k].at) }
func (e *events) Swap(i, k int)      { (*e)[i], (*e)[k] = (*e)[k], (*e)[i] }
func (e *events) Push(x any)         { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// run is a run of the real key table in made-up time.
type run struct {
	work
	table    *schedule.Table
	forecast *forecast.Forecast
	now      time.Time
	ahead    events
	ready    map[string][]*job
	waiting  map[string]int
	running  map[string]int
	finished int
}

// reading is what was foretold at an instant.
type reading struct {
	at time.Duration
	forecast.Estimate
	finished int
}

// simulate runs a work to its end, with an estimate every second.
func simulate(w work) (took time.Duration, readings []reading) {
	began := time.Unix(1_700_000_000, 0)
	r := &run{
		work: w, forecast: forecast.New(), now: began,
		ready: make(map[string][]*job), waiting: make(map[string]int), running: make(map[string]int),
	}
	r.table = schedule.New(schedule.Config{Slots: w.slots, Seed: 1, Rule: func(key string) limit.Rule {
		if rule, ok := w.rules[key]; ok {
			return rule
		}
		return w.rule
	}})
	for n, stops := range w.jobs {
		r.ready[stops[0].key] = append(r.ready[stops[0].key], &job{int64(n + 1), stops, 1})
	}
	var backlog []queue.KeyBacklog
	for key, jobs := range r.ready {
		backlog = append(backlog, queue.KeyBacklog{Key: key, Ready: len(jobs)})
	}
	slices.SortFunc(backlog, func(a, b queue.KeyBacklog) int { return strings.Compare(a.Key, b.Key) })
	r.table.Refresh(r.now, backlog)
	tick := r.now
	for r.finished < len(w.jobs) {
		r.start()
		next := tick
		if len(r.ahead) > 0 && r.ahead[0].at.Before(next) {
			next = r.ahead[0].at
		}
		if wake, ok := r.table.Wake(r.now); ok && wake.Before(next) {
			next = wake
		}
		if next.After(r.now) {
			r.now = next
		}
		for len(r.ahead) > 0 && !r.ahead[0].at.After(r.now) {
			r.end(heap.Pop(&r.ahead).(event))
		}
		if !tick.After(r.now) {
			e := r.forecast.Left(r.now, r.table.Keys(r.now), r.stats(), w.slots)
			readings = append(readings, reading{r.now.Sub(began), e, r.finished})
			tick = tick.Add(time.Second)
		}
	}
	return r.now.Sub(began), readings
}

// start begins all steps that may begin.
func (r *run) start() {
	for {
		p, ok := r.table.Pick(r.now, 1000)
		if !ok {
			return
		}
		n := min(p.N, len(r.ready[p.Key]))
		jobs := r.ready[p.Key][:n]
		r.ready[p.Key] = r.ready[p.Key][n:]
		if n == 0 {
			r.table.Unpick(p, r.now, true)
			continue
		}
		r.table.Took(p, r.now, n)
		r.running[p.Key] += n
		wait := r.table.Send(p, r.now)
		took := time.Duration(jobs[0].stops[0].seconds * float64(time.Second))
		heap.Push(&r.ahead, event{r.now.Add(wait + took), p, jobs})
	}
}

// end ends a step or a wait.
func (r *run) end(e event) {
	key := e.jobs[0].stops[0].key
	if e.permit.Key == "" {
		r.waiting[key]--
		r.arrive(key, e.jobs[0])
		return
	}
	r.table.Finish(e.permit, r.now, queue.Signal{Kind: queue.OK})
	r.running[key] -= len(e.jobs)
	for _, j := range e.jobs {
		s := forecast.Step{At: r.now, Job: j.id, Key: key, Attempt: j.attempt}
		switch here := &j.stops[0]; {
		case here.fails > 0:
			here.fails--
			j.attempt++
			s.Next, s.Delay = key, r.retry
			r.waiting[key]++
			heap.Push(&r.ahead, event{at: r.now.Add(r.retry), jobs: []*job{j}})
		case len(j.stops) == 1:
			r.finished++
			s.Finished = true
			r.table.Moved(key, "")
		default:
			j.stops, j.attempt = j.stops[1:], 1
			s.Next = j.stops[0].key
			r.table.Moved(key, s.Next)
			r.arrive(s.Next, j)
		}
		r.forecast.Observe(s)
	}
}

func (r *run) arrive(key string, j *job) {
	r.ready[key] = append(r.ready[key], j)
	r.table.Add(key, 1)
}

func (r *run) stats() queue.Stats {
	byKey := make(map[string]queue.KeyStats)
	s := queue.Stats{Done: r.finished}
	for key, jobs := range r.ready {
		if k := byKey[key]; len(jobs) > 0 {
			k.Ready, s.Queued = len(jobs), s.Queued+len(jobs)
			byKey[key] = k
		}
	}
	for key, n := range r.waiting {
		k := byKey[key]
		k.Delayed, s.Queued = n, s.Queued+n
		byKey[key] = k
	}
	for key, n := range r.running {
		k := byKey[key]
		k.InFlight, s.InProgress = n, s.InProgress+n
		byKey[key] = k
	}
	for key, k := range byKey {
		k.Key = key
		s.Keys = append(s.Keys, k)
	}
	slices.SortFunc(s.Keys, func(a, b queue.KeyStats) int { return strings.Compare(a.Key, b.Key) })
	return s
}

// lognormal is a time in seconds around a median.
func lognormal(random *rand.Rand, median, sigma float64) float64 {
	return median * math.Exp(sigma*random.NormFloat64())
}
