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

// running is a leased job whose step is under way or being settled.
type running struct {
	lease   queue.Lease
	expires time.Time // of the lease, by our clock
	cancel  context.CancelCauseFunc
}

// begin starts the goroutine of one step.
func (r *run) begin(p schedule.Permit, lease queue.Lease, now time.Time) {
	ctx, cancel := context.WithCancelCause(r.ctx)
	r.mu.Lock()
	r.running[lease.Job.ID] = &running{lease: lease, expires: now.Add(r.cfg.LeaseTTL), cancel: cancel}
	r.mu.Unlock()
	r.steps.Go(func() {
		defer cancel(nil)
		outcome := r.step(ctx, p, lease.Job)
		r.table.Finish(p, time.Now(), outcome.Signal)
		r.poke()
		r.settle(ctx, p.Key, lease, outcome)
		r.forget(lease)
		r.poke()
	})
}

// forget ends the account of a lease. The job's next step may have begun by now,
// under a lease of its own.
func (r *run) forget(lease queue.Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if job := r.running[lease.Job.ID]; job != nil && job.lease.Token == lease.Token {
		delete(r.running, lease.Job.ID)
	}
}

// send holds a request back until its key's pace allows it.
func (r *run) send(ctx context.Context, p schedule.Permit) {
	wait := r.table.Send(p, time.Now())
	if wait <= 0 {
		return
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// crashed is the outcome of a step that broke the handler's contract.
func crashed(err error) queue.Outcome {
	return queue.Outcome{Verb: queue.Retry, Class: queue.ClassCrashed, Reason: queue.ClassCrashed, Error: err.Error()}
}

// step calls the handler and makes sure that one outcome comes back.
func (r *run) step(ctx context.Context, p schedule.Permit, job queue.Job) (out queue.Outcome) {
	defer func() {
		if v := recover(); v != nil {
			r.cfg.Log.Error("step panicked", "job", job.ID, "artifact_id", job.ArtifactID, "key", p.Key,
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			out = crashed(fmt.Errorf("step panicked: %v", v))
		}
	}()
	outs := r.handler.Step(ctx, queue.Step{
		Key:         p.Key,
		Jobs:        []queue.Job{job},
		MaxAttempts: r.cfg.Retry.MaxAttempts,
		Send:        func() { r.send(ctx, p) },
		Leave:       sync.OnceFunc(func() { r.table.Leave(p, time.Now()); r.poke() }),
	})
	if len(outs) != 1 {
		return crashed(fmt.Errorf("step gave %d outcomes for 1 job", len(outs)))
	}
	out = outs[0]
	if ctx.Err() != nil && out.Verb != queue.Finish && out.Verb != queue.Advance {
		// Whatever the step says went wrong, it was our stopping.
		return queue.Outcome{Verb: queue.Release, Progress: out.Progress}
	}
	return out
}
