package orchestrator

import (
	"context"
	"time"

	"github.com/quire-dev/quire/queue"
)

// doubtEvery is how often, at most, leases are looked at because somebody may
// have cancelled their jobs.
const doubtEvery = time.Second

// heartbeat keeps the leases of running jobs alive until the run's steps are
// over, and cancels the steps whose lease is lost.
func (r *run) heartbeat() {
	beat := time.NewTicker(r.cfg.Heartbeat)
	defer beat.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	<-again.C
	var last time.Time
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.doubts:
			if wait := doubtEvery - time.Since(last); wait > 0 {
				again.Reset(wait)
				continue
			}
		case <-again.C:
		case <-beat.C:
		}
		last = time.Now()
		r.extend()
	}
}

func (r *run) extend() {
	r.mu.Lock()
	leases := make([]queue.Lease, 0, len(r.running))
	for _, job := range r.running {
		leases = append(leases, job.lease)
	}
	r.mu.Unlock()
	if len(leases) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(storeTimeout, r.cfg.Heartbeat))
	defer cancel()
	now := time.Now()
	lost, err := r.store.Heartbeat(ctx, r.cfg.LeaseTTL, leases...)
	if err != nil {
		r.cfg.Log.Warn("leases not extended", "leases", len(leases), "error", err)
		r.drop(now)
		return
	}
	r.extended(leases, lost, now)
}

// extended notes the new expiry of leases and ends the work on the lost ones.
func (r *run) extended(leases, lost []queue.Lease, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range leases {
		if job := r.running[l.Job.ID]; job != nil && job.lease.Token == l.Token {
			job.expires = now.Add(r.cfg.LeaseTTL)
		}
	}
	for _, l := range lost {
		if job := r.running[l.Job.ID]; job != nil && job.lease.Token == l.Token {
			job.lose()
		}
	}
}

// drop ends the work on jobs whose lease must have run out by now.
func (r *run) drop(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, job := range r.running {
		if now.After(job.expires) {
			job.lose()
		}
	}
}

// alive reports whether a lease may still be ours.
func (r *run) alive(lease queue.Lease) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	job := r.running[lease.Job.ID]
	return job != nil && job.lease.Token == lease.Token && !job.lost && time.Now().Before(job.expires)
}

// clock tells when the wall clock, by which leases end, has not gone as the
// monotonic one, by which heartbeats come: then leases may seem to have run out
// that nobody had the time to extend. It is for one goroutine.
type clock struct {
	now        func() time.Time
	wall, mono time.Time // at the last look
}

func watchClock(now func() time.Time) *clock {
	return &clock{now: now, wall: now().Round(0), mono: time.Now()}
}

// jumped reports whether the two went apart by more than most since the last look.
func (c *clock) jumped(most time.Duration) bool {
	wall, mono := c.now().Round(0), time.Now()
	apart := wall.Sub(c.wall) - mono.Sub(c.mono)
	c.wall, c.mono = wall, mono
	return apart.Abs() > most
}
