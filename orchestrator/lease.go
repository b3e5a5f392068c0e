package orchestrator

import (
	"context"
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// fill has a step started for each slot and key that is free and has a ready row.
// The rows are leased in a goroutine of its own: what becomes free meanwhile need
// not wait for that.
func (r *run) fill() {
	permits, wants := r.pick()
	if len(permits) == 0 {
		return
	}
	r.lanes <- struct{}{}
	r.steps.Go(func() {
		r.lease(permits, wants, time.Now())
		<-r.lanes
		r.poke()
	})
}

// lanes is how many leases there are at once.
const lanes = 4

// lease leases rows for permits, which were picked just now, and starts their steps.
func (r *run) lease(permits []schedule.Permit, wants []queue.Want, picked time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	leases, err := r.store.Lease(ctx, r.cfg.Owner, wants, r.cfg.LeaseTTL)
	now := time.Now()
	spare := permits
	if err == nil {
		spare = r.start(permits, leases, picked, now)
	}
	for _, p := range spare {
		r.table.Unpick(p, now, err == nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range wants {
		r.asked -= w.N
	}
	if err != nil {
		r.stale, r.fault = true, err
	}
}

// maxRows is how many jobs are leased at once at most.
const maxRows = 4096

// room is how many jobs may still be begun, apart from slots and keys.
func (r *run) room() int {
	if r.cfg.MaxJobs == 0 {
		return maxRows
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cfg.MaxJobs - r.done.Done - r.done.Skipped - r.done.Error - len(r.running) - r.asked
}

// pick takes all permits that can be had now, with the wants that go with them.
func (r *run) pick() ([]schedule.Permit, []queue.Want) {
	room := r.room()
	var permits []schedule.Permit
	var wants []queue.Want
	index := make(map[string]int)
	for room > 0 {
		p, ok := r.table.Pick(time.Now(), room)
		if !ok {
			break
		}
		room -= p.N
		permits = append(permits, p)
		i, seen := index[p.Key]
		if !seen {
			i = len(wants)
			index[p.Key] = i
			wants = append(wants, queue.Want{Key: p.Key})
		}
		wants[i].N += p.N
		r.ask(p.N)
	}
	return permits, wants
}

func (r *run) ask(rows int) {
	r.mu.Lock()
	r.asked += rows
	r.mu.Unlock()
}

// start runs the leased jobs, as many with each permit of their key as it may
// take, and returns the permits for which no row came.
func (r *run) start(permits []schedule.Permit, leases []queue.Lease, picked, now time.Time) (spare []schedule.Permit) {
	byKey := make(map[string][]queue.Lease)
	for _, l := range leases {
		byKey[l.Job.Key] = append(byKey[l.Job.Key], l)
	}
	for _, p := range permits {
		waiting := byKey[p.Key]
		if len(waiting) == 0 {
			spare = append(spare, p)
			continue
		}
		n := min(len(waiting), p.N)
		r.table.Took(p, now, n)
		r.begin(p, waiting[:n:n], picked, now)
		byKey[p.Key] = waiting[n:]
	}
	return spare
}
