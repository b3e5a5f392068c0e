package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quire-dev/quire/queue"
)

// settlement turns an outcome into what the store is told, applying the retry
// policy and the key's retry budget.
func (r *run) settlement(key string, lease queue.Lease, out queue.Outcome) queue.Settlement {
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
	budget := min(r.table.Retry(time.Now(), key), r.cfg.Retry.Max)
	s.Delay = max(out.Delay, r.cfg.Retry.Backoff(lease.Job.Attempts), budget)
	return s
}

// settle records the outcomes of a step, trying for as long as the leases may live
// and the run's grace lasts.
func (r *run) settle(ctx context.Context, st *step, outs []queue.Outcome) {
	key := st.permit.Key
	var open []queue.Settlement
	for i, lease := range st.leases {
		if errors.Is(context.Cause(ctx), queue.ErrLeaseLost) || !r.holds(lease) {
			r.lost(key, lease)
			continue
		}
		open = append(open, r.settlement(key, lease, outs[i]))
	}
	for wait := 100 * time.Millisecond; len(open) > 0; wait = min(2*wait, 5*time.Second) {
		errs, err := r.settleOnce(open)
		if err == nil {
			open = r.settledAll(st, open, errs)
			continue
		}
		open = slices.DeleteFunc(open, func(s queue.Settlement) bool {
			over := !r.alive(s.Lease) || r.ctx.Err() != nil
			if over {
				r.cfg.Log.Error("outcome not recorded, the job will run again", "job", s.Lease.Job.ID,
					"artifact_id", s.Lease.Job.ArtifactID, "error", err)
			}
			return over
		})
		if len(open) == 0 {
			return
		}
		r.cfg.Log.Warn("queue is not answering, trying again", "error", err)
		select {
		case <-time.After(wait):
		case <-r.ctx.Done():
		}
	}
}

// settledAll takes in what the store said of each settlement, and returns those
// that are to be settled in another way.
func (r *run) settledAll(st *step, open []queue.Settlement, errs []error) (again []queue.Settlement) {
	key, settled := st.permit.Key, time.Since(st.ended)
	for i, s := range open {
		switch err := errs[i]; {
		case err == nil:
			r.settled(st, s, settled)
		case errors.Is(err, queue.ErrInvalid) && s.Class != queue.ClassCrashed:
			again = append(again, r.settlement(key, s.Lease, crashed(fmt.Errorf("step gave a bad outcome: %w", err))))
		default:
			r.lost(key, s.Lease)
		}
	}
	return again
}

// holds reports whether nobody has told that a lease is lost.
func (r *run) holds(lease queue.Lease) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	job := r.running[lease.Job.ID]
	return job != nil && job.lease.Token == lease.Token && !job.lost
}

func (r *run) settleOnce(s []queue.Settlement) ([]error, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return r.store.Settle(ctx, s...)
}

func (r *run) lost(key string, lease queue.Lease) {
	r.cfg.Log.Warn("lease lost, work dropped", "job", lease.Job.ID, "artifact_id", lease.Job.ArtifactID, "key", key)
}

// settled tells the table and the observer what is now in the store.
func (r *run) settled(st *step, s queue.Settlement, took time.Duration) {
	key, job := st.permit.Key, s.Lease.Job
	next := s.Key
	if next == "" {
		next = job.Key
	}
	switch s.Verb {
	case queue.Advance:
		r.table.Moved(key, next)
	case queue.Finish:
		r.table.Moved(key, "")
	case queue.Retry, queue.Release: // its step is yet to be made
	}
	state := queue.Queued
	switch {
	case s.Verb == queue.Finish:
		state = s.State
		r.count(state)
	case s.Delay > 0:
		r.expect(time.Now().Add(s.Delay + time.Millisecond))
	default:
		r.arrive(arrival{next, 1})
	}
	r.cfg.Observe(Event{
		Job: job, Key: key, Verb: s.Verb, State: state, NextKey: next, Delay: s.Delay,
		Reason: s.Reason, Class: s.Class, Error: s.Error, Result: s.Result,
		Took: st.ended.Sub(st.began), Settled: took,
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
