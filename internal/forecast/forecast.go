// Package forecast tells how long the rest of a run takes. The bound that the key
// table gives knows the rows where they are now and one step ahead. A job goes on
// from there: to other sources, to hosts, over pages and redirects, again after a
// failure. What becomes of it is learnt here from the steps that have ended, and the
// rest of the run is played through with these shares as flows between keys.
//
// The package starts no goroutines and reads no clock.
package forecast

import (
	"strings"
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// Step is what became of one step of a job.
type Step struct {
	At       time.Time     // when it ended
	Key      string        // where it was
	Next     string        // where the next one is; the same as Key for a job that stays
	Finished bool          // there is no next one
	Delay    time.Duration // until the next one may start
	Attempt  int           // of the job, from 1
}

// stages is how many attempts are told apart; the last stands for all later ones.
const stages = 3

const (
	// mostPlaces is how many keys are known one by one. The others count to their
	// class.
	mostPlaces = 1 << 16
	// mostWays is how many next keys are known one by one at each.
	mostWays = 1 << 12
	// settling is added to the age of a run, in seconds: the weight of a step grows
	// with it, so that of two halves of a run the second counts three times as much.
	settling = 10.0
)

// Forecast learns from a run. All methods are safe for concurrent use.
type Forecast struct {
	mu       sync.Mutex
	places   map[string]*place
	order    []*place // as first seen, which is about the way that jobs take
	classes  map[string]*place
	began    time.Time
	looked   time.Time
	steps    int // seen
	finished int
	full     bool // all slots were taken at the latest look
	shown    time.Time
	end      time.Time // that was shown
}

// New returns a forecast that knows nothing.
func New() *Forecast {
	return &Forecast{places: make(map[string]*place), classes: make(map[string]*place)}
}

// place is what is known of a key, or of a class of keys. Counts are weighted by
// when they were made.
type place struct {
	name   string
	class  *place // nil: it is one
	steps  [stages]float64
	again  [stages]float64 // of steps, those to be made again after a wait
	waits  [stages]float64 // seconds, in all
	stayed float64         // to be made again at once
	ended  float64         // whose job has finished
	moved  map[*place]float64
	came   float64           // jobs from elsewhere
	due    [stages]time.Time // when the last row is due that waits here for its attempt
	speed

	// Of the flow that is being made.
	cell  int32
	state *schedule.KeyState
	queue *queue.KeyStats
}

// Observe takes in a step.
func (f *Forecast) Observe(s Step) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.began.IsZero() {
		f.began = s.At
	}
	w := f.weight(s.At)
	p := f.place(s.Key)
	var next *place
	f.steps++
	switch {
	case s.Finished:
		f.finished++
	case s.Next != "" && s.Next != s.Key:
		next = f.place(s.Next)
		next.came += w
		next.wait(s)
	default:
		p.wait(s)
	}
	p.passed++
	p.learn(s, next, w)
	if p.class != nil {
		p.class.learn(s, next, w)
	}
}

// weight is how much what happens at an instant counts.
func (f *Forecast) weight(at time.Time) float64 { return max(0, at.Sub(f.began).Seconds()) + settling }

// wait notes when the row of a step is due here.
func (p *place) wait(s Step) {
	stage := min(max(s.Attempt, 1), stages-1)
	if due := s.At.Add(s.Delay); s.Delay > 0 && due.After(p.due[stage]) {
		p.due[stage] = due
	}
}

// learn counts a step that has ended here.
func (p *place) learn(s Step, next *place, w float64) {
	stage := min(max(s.Attempt, 1), stages) - 1
	p.steps[stage] += w
	switch {
	case s.Finished:
		p.ended += w
	case next != nil:
		if _, known := p.moved[next]; !known && len(p.moved) >= mostWays && next.class != nil {
			next = next.class
		}
		if p.moved == nil {
			p.moved = make(map[*place]float64)
		}
		p.moved[next] += w
	case s.Delay > 0:
		p.again[stage] += w
		p.waits[stage] += w * s.Delay.Seconds()
	default:
		p.stayed += w
	}
}

// place returns what is known of a key.
func (f *Forecast) place(name string) *place {
	if p := f.places[name]; p != nil {
		return p
	}
	word, _, _ := strings.Cut(name, ":")
	class := f.classes[word]
	if class == nil {
		class = &place{name: word}
		f.classes[word] = class
	}
	if len(f.places) >= mostPlaces {
		return class
	}
	p := &place{name: name, class: class}
	f.places[name] = p
	f.order = append(f.order, p)
	return p
}
