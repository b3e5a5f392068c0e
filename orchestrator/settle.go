package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quire-dev/quire/queue"
)

// settlement turns an outcome into what the store is told, applying the retry policy.
func (r *run) settlement(lease queue.Lease, out queue.Outcome) queue.Settlement {
	s := queue.Settlement{
		Lease: lease, Verb: out.Verb, State: out.State, Key: out.Key, Delay: out.Delay,
		Reason: out.Reason, Class: out.Class, Error: out.Error,
		Progress: out.Progress, Result: out.Result, Record: out.Record,
	}
	if out.Verb != queue.Retry {
		return s
	}
	if lease.Job.Attempts >= r.cfg.Retry.MaxAttempts {
		s.Verb, s.State, s.Delay = queue.Finish, queue.Error, 0
		return s
	}
	s.Delay = max(out.Delay, r.cfg.Retry.Backoff(lease.Job.Attempts))
	return s
}

// settle records an outcome, trying for as long as the lease may live and the
// run's grace lasts.
func (r *run) settle(ctx context.Context, key string, lease queue.Lease, out queue.Outcome) {
	if errors.Is(context.Cause(ctx), queue.ErrLeaseLost) {
		r.lost(key, lease)
		return
	}
	s := r.settlement(lease, out)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		errs, err := r.settleOnce(s)
		switch {
		case err != nil:
		case errors.Is(errs[0], queue.ErrInvalid) && s.Class != queue.ClassCrashed:
			s = r.settlement(lease, crashed(fmt.Errorf("step gave a bad outcome: %w", errs[0])))
			continue
		case errs[0] != nil:
			r.lost(key, lease)
			return
		default:
			r.settled(key, s)
			return
		}
		if !r.alive(lease) || r.ctx.Err() != nil {
			r.cfg.Log.Error("outcome not recorded, the job will run again", "job", lease.Job.ID,
				"artifact_id", lease.Job.ArtifactID, "error", err)
			return
		}
		r.cfg.Log.Warn("queue is not answering, trying again", "error", err)
		select {
		case <-time.After(wait):
		case <-r.ctx.Done():
		}
	}
}

func (r *run) settleOnce(s queue.Settlement) ([]error, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return r.store.Settle(ctx, s)
}

func (r *run) lost(key string, lease queue.Lease) {
	r.cfg.Log.Warn("lease lost, work dropped", "job", lease.Job.ID, "artifact_id", lease.Job.ArtifactID, "key", key)
}

// settled tells the table and the observer what is now in the store.
func (r *run) settled(key string, s queue.Settlement) {
	job := s.Lease.Job
	next := s.Key
	if next == "" {
		next = job.Key
	}
	state := queue.Queued
	switch {
	case s.Verb == queue.Finish:
		state = s.State
		r.count(state)
	case s.Delay > 0:
		r.expect(time.Now().Add(s.Delay + time.Millisecond))
	default:
		r.arrive(arrival{next, 1, job.ID})
	}
	r.cfg.Observe(Event{
		Job: job, Key: key, Verb: s.Verb, State: state, NextKey: next, Delay: s.Delay,
		Reason: s.Reason, Class: s.Class, Error: s.Error, Result: s.Result,
	})
}

func (r *run) count(s queue.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch s {
	case queue.Done:
		r.done.Done++
	case queue.Skipped:
		r.done.Skipped++
	default:
		r.done.Error++
	}
}
