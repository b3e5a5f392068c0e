// Package forecast tells how long the rest of a run takes. The bound that the key
// table gives knows the rows where they are now and one step ahead. A job goes on
// from there: to other sources, to hosts, over pages and redirects, again after a
// failure. What becomes of it is learnt here from the steps that have ended, and the
// rest of the run is played through with these shares as flows between keys. DESIGN.md
// says why it is so and how near it comes.
//
// The package starts no goroutines and reads no clock.
package forecast

import (
	"sync"
	"time"
)

// Step is what became of one step of a job.
type Step struct {
	At       time.Time // when it ended
	Job      int64
	Key      string        // where it was
	Next     string        // where the next one is; the same as Key for a job that stays
	Finished bool          // there is no next one
	Delay    time.Duration // until the next one may start
	Attempt  int           // of the job, from 1
}

const (
	// settling is added to the age of a run, in seconds: the weight of a step grows
	// with it, so that of two halves of a run the second counts three times as much.
	settling = 10.0
	// mostJobs is how many jobs are followed. If there are more on their way, half of
	// them are let go, by their numbers, and so are half of those that come.
	mostJobs = 1 << 16
)

// Forecast learns from a run. All methods are safe for concurrent use.
type Forecast struct {
	mu       sync.Mutex
	keys     map[string]*key
	order    []*key // as first seen, which is about the way that jobs take
	classes  map[string]*class
	sources  int             // keys that begin a phase
	jobs     map[int64]*spot // where those are that are followed
	sift     uint64          // of a job's hash: bits that must be 0
	began    time.Time
	looked   time.Time
	finished int
	full     bool // all slots were taken at the latest look
	shown    time.Time
	end      time.Time // that was shown
}

// New returns a forecast that knows nothing.
func New() *Forecast {
	return &Forecast{keys: make(map[string]*key), classes: make(map[string]*class), jobs: make(map[int64]*spot)}
}

// Observe takes in a step.
func (f *Forecast) Observe(s Step) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.began.IsZero() {
		f.began = s.At
	}
	k := f.key(s.Key)
	k.passed++
	next := k
	if s.Finished {
		f.finished++
	} else if s.Next != "" {
		next = f.key(s.Next)
		next.wait(s)
	}
	if hash(s.Job)&f.sift != 0 {
		return
	}
	w := f.weight(s.At)
	from := f.jobs[s.Job]
	switch {
	case from == nil:
		from = k.spot(0)
	case from.key != k: // it was moved by hand
		from.here--
		from = k.spot(0)
	default:
		from.here--
	}
	var to *spot // nil: the same, or none
	if next != k {
		to = next.spot(from.phase)
		to.came += w
		next.came += w
	}
	from.learn(s, to, w)
	if kind := from.kind(); kind != from {
		kind.learn(s, to, w)
	}
	f.follow(s, from, to)
}

// follow notes where a job is now.
func (f *Forecast) follow(s Step, from, to *spot) {
	if s.Finished {
		delete(f.jobs, s.Job)
		return
	}
	if to == nil {
		to = from
	}
	to.here++
	f.jobs[s.Job] = to
	if len(f.jobs) <= mostJobs {
		return
	}
	f.sift = f.sift<<1 | 1
	for job, at := range f.jobs {
		if hash(job)&f.sift != 0 {
			at.here--
			delete(f.jobs, job)
		}
	}
}

// letGo follows no job any more if far more are followed than there are: those that
// were cancelled or pruned have told nothing.
func (f *Forecast) letGo(open int) {
	const slack = 1024 // more than have ended since the jobs were counted
	if len(f.jobs) <= 2*open+slack {
		return
	}
	for _, at := range f.jobs {
		at.here--
	}
	clear(f.jobs)
	f.sift = 0
}

// hash mixes a job's number (the finalizer of SplitMix64: Steele, Lea, Flood, 2014).
func hash(job int64) uint64 {
	h := uint64(job)
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// weight is how much what happens at an instant counts.
func (f *Forecast) weight(at time.Time) float64 { return max(0, at.Sub(f.began).Seconds()) + settling }
