package orchestrator

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// step is one under way, or being settled.
type step struct {
	permit schedule.Permit
	leases []queue.Lease
	cancel context.CancelCauseFunc
	held   int // leases that are not lost
	began  time.Time
	ended  time.Time // its outcomes are there; not settled yet
}

// running is a leased job.
type running struct {
	lease   queue.Lease
	expires time.Time // of the lease, by our clock
	step    *step
	lost    bool
}

// lose notes that a lease is somebody else's, and ends the step with the last of
// its leases. The caller holds mu.
func (j *running) lose() {
	if j.lost {
		return
	}
	j.lost = true
	if j.step.held--; j.step.held == 0 {
		j.step.cancel(queue.ErrLeaseLost)
	}
}

// begin starts the goroutine of one step, whose permit was picked at an instant and
// whose jobs are leased now.
func (r *run) begin(p schedule.Permit, leases []queue.Lease, picked, now time.Time) {
	ctx, cancel := context.WithCancelCause(r.ctx)
	s := &step{permit: p, leases: leases, cancel: cancel, held: len(leases), began: now}
	r.mu.Lock()
	for _, l := range leases {
		r.running[l.Job.ID] = &running{lease: l, expires: now.Add(r.cfg.LeaseTTL), step: s}
	}
	r.mu.Unlock()
	r.steps.Go(func() {
		defer cancel(nil)
		r.trace(s, Leased, now.Sub(picked), 0)
		if p.Gap > noteAhead && !p.Down {
			r.note(p.Key) // before the request: who comes after a crash must know of it
		}
		outs := r.step(ctx, s)
		s.ended = time.Now()
		if r.table.Finish(p, s.ended, worst(outs)) {
			r.note(p.Key)
			r.observeKey(p.Key)
		}
		r.poke()
		r.settle(ctx, s, outs)
		r.forget(s)
		r.poke()
	})
}

// forget ends the account of a step's leases. A job's next step may have begun by
// now, under a lease of its own.
func (r *run) forget(s *step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range s.leases {
		if job := r.running[l.Job.ID]; job != nil && job.step == s {
			delete(r.running, l.Job.ID)
		}
	}
}

// send holds a request back until its key's pace allows it.
func (r *run) send(ctx context.Context, s *step) {
	now := time.Now()
	wait := max(0, r.table.Send(s.permit, now))
	defer r.trace(s, Sent, now.Sub(s.began)+wait, wait)
	if wait <= 0 {
		return
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// leave frees slot and key of a step whose request has ended.
func (r *run) leave(s *step) {
	now := time.Now()
	r.table.Leave(s.permit, now)
	r.poke()
	r.trace(s, Left, now.Sub(s.began), 0)
}

// crashed is the outcome of a job whose step broke the handler's contract.
func crashed(err error) queue.Outcome {
	return queue.Outcome{Verb: queue.Retry, Class: queue.ClassCrashed, Reason: queue.ClassCrashed, Error: err.Error()}
}

// step calls the handler and makes sure that one outcome for each job comes back.
func (r *run) step(ctx context.Context, s *step) (outs []queue.Outcome) {
	jobs := make([]queue.Job, len(s.leases))
	for i, l := range s.leases {
		jobs[i] = l.Job
	}
	all := func(out queue.Outcome) []queue.Outcome {
		outs := make([]queue.Outcome, len(jobs))
		for i := range outs {
			outs[i] = out
		}
		return outs
	}
	p := s.permit
	defer func() {
		if v := recover(); v != nil {
			r.cfg.Log.Error("step panicked", "job", jobs[0].ID, "artifact_id", jobs[0].ArtifactID, "jobs", len(jobs), "key", p.Key,
				"panic", fmt.Sprint(v))
			r.cfg.Log.Debug("step panicked", "job", jobs[0].ID, "artifact_id", jobs[0].ArtifactID, "stack", string(debug.Stack()))
			outs = all(crashed(fmt.Errorf("step panicked: %v", v)))
		}
	}()
	outs = r.handler.Step(ctx, queue.Step{
		Key:         p.Key,
		Jobs:        jobs,
		MaxAttempts: r.cfg.Retry.MaxAttempts,
		Down:        p.Down,
		Send:        func() { r.send(ctx, s) },
		Leave:       sync.OnceFunc(func() { r.leave(s) }),
	})
	if len(outs) != len(jobs) {
		return all(crashed(fmt.Errorf("step gave %d outcomes for %d jobs", len(outs), len(jobs))))
	}
	if ctx.Err() == nil {
		return outs
	}
	for i, out := range outs {
		if out.Verb != queue.Finish && out.Verb != queue.Advance {
			// Whatever the step says went wrong, it was our stopping.
			outs[i] = queue.Outcome{Verb: queue.Release, Progress: out.Progress}
		}
	}
	return outs
}

// worst is what a step has learnt about its key.
func worst(outs []queue.Outcome) (s queue.Signal) {
	for _, out := range outs {
		o := out.Signal
		s.Kind, s.For = max(s.Kind, o.Kind), max(s.For, o.For)
		s.Allowance = s.Allowance.Stricter(o.Allowance)
	}
	return s
}
