package orchestrator

import (
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// Why tells how a job's key came to be picked.
type Why = schedule.Why

// Moment is what a [Trace] tells of.
type Moment uint8

// The moments of a step, in their order. Not every step makes a request, and what
// becomes of it is told by an [Event].
const (
	Leased Moment = iota // its key was picked, and the job is leased
	Sent                 // its request goes out
	Left                 // slot and key are free again
)

// Trace tells of a moment in a job's step.
type Trace struct {
	Moment Moment
	Job    queue.Job // as leased
	Key    string
	Jobs   int           // that the step takes
	Why    Why           // if Leased: why the key was picked
	Since  time.Duration // if Leased, since the pick; else since the lease
	Held   time.Duration // if Sent: how long the request was held back for the key's pace
}

// trace tells of a moment of a step, of each of its jobs.
func (r *run) trace(s *step, what Moment, since, held time.Duration) {
	if r.cfg.Trace == nil {
		return
	}
	var why Why
	if what == Leased {
		why, _ = r.table.Why(s.permit)
	}
	for _, l := range s.leases {
		r.cfg.Trace(Trace{what, l.Job, s.permit.Key, len(s.leases), why, since, held})
	}
}
