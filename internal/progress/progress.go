// Package progress keeps what is known of a run while it goes: how many works
// have ended and how, how fast, which ones last, how the keys stand and how long
// the rest takes. Whatever shows a run (lines, a screen, a page) reads snapshots
// of it, so all say the same, and counting is paid once.
package progress

import (
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/forecast"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// How many works are remembered of those that ended: no view shows more.
const (
	keptEnded  = 50
	keptFailed = 500
)

// Run follows one run. Make it with [New]; its methods are safe for concurrent
// use.
type Run struct {
	began    time.Time
	forecast *forecast.Forecast

	mu      sync.Mutex
	counts  map[queue.State]int
	reasons map[queue.State]map[string]int
	bytes   int64
	rate    window
	sent    counts
	ended   ring // done and skipped
	failed  ring // error
}

// Ending is a work that has ended.
type Ending struct {
	At         time.Time
	ArtifactID string
	State      queue.State
	Reason     string
	Class      string // empty if none
	Key        string // where its last step was
	Error      string // empty if none
	Resolver   string // that knew of the file; empty if there is none
	Bytes      int64
}

// New begins to follow a run now.
func New() *Run {
	return &Run{
		began: time.Now(), forecast: forecast.New(), counts: make(map[queue.State]int), reasons: make(map[queue.State]map[string]int),
		ended: ring{most: keptEnded}, failed: ring{most: keptFailed},
	}
}

// Observe takes in what became of a step.
func (r *Run) Observe(e orchestrator.Event) {
	now := time.Now()
	var file paper.File
	if e.State == queue.Done {
		_ = json.Unmarshal(e.Result, &file) // without a file nothing is known of it
	}
	r.forecast.Observe(forecast.Step{
		At: now, Job: e.Job.ID, Key: e.Key, Next: e.NextKey, Finished: e.State.Terminal(), Delay: e.Delay, Attempt: e.Job.Attempts,
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	at := now.Sub(r.began)
	if !e.State.Terminal() {
		return
	}
	r.rate.add(at, tally{works: 1, bytes: file.Bytes})
	r.bytes += file.Bytes
	r.counts[e.State]++
	if r.reasons[e.State] == nil {
		r.reasons[e.State] = make(map[string]int)
	}
	r.reasons[e.State][e.Reason]++
	end := Ending{
		At: now, ArtifactID: e.Job.ArtifactID, State: e.State, Reason: e.Reason, Class: e.Class, Key: e.Key,
		Error: e.Error, Resolver: file.Resolver, Bytes: file.Bytes,
	}
	if e.State == queue.Error {
		r.failed.add(end)
	} else {
		r.ended.add(end)
	}
}

// Reasons counts why works ended in a state.
func (r *Run) Reasons(s queue.State) map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.reasons[s])
}

// ring holds the latest endings, up to most.
type ring struct {
	most int
	next int // where the next one goes, once it is full
	all  []Ending
}

func (r *ring) add(e Ending) {
	if len(r.all) < r.most {
		r.all = append(r.all, e)
		return
	}
	r.all[r.next] = e
	r.next = (r.next + 1) % r.most
}

// latest returns them, the latest first.
func (r *ring) latest() []Ending {
	out := make([]Ending, 0, len(r.all))
	for i := range r.all {
		out = append(out, r.all[(r.next+len(r.all)-1-i)%len(r.all)])
	}
	return out
}
