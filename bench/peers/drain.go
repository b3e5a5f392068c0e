package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	mixedPart   = 5 // one in so many jobs
	mixedLimits = 3 // times the limit
)

// drain works off jobs that are queued already. A system that does not come to
// the end within the limit is judged by what it has stored until then.
func drain(ctx context.Context, b bench) ([]metric, error) {
	if err := b.populate(ctx, b.N); err != nil {
		return nil, err
	}
	handled := newTally(b.N)
	begin := time.Now()
	stop := b.start(ctx, work{handle: func(job) { handled.add() }})
	at, left, err := b.settled(ctx, handled, begin.Add(b.Limit))
	if err := errors.Join(err, stop()); err != nil {
		return nil, err
	}
	if left >= b.N {
		return nil, errSlow
	}
	return perSecond(b.N-left, at.Sub(begin)), nil
}

// mixed enqueues one by one while workers work the jobs off. It has fewer jobs
// and more time than drain, so that all but the slowest come to the end: the
// producers alone would rule the first seconds.
func mixed(ctx context.Context, b bench) ([]metric, error) {
	b.N = max(1, b.N/mixedPart)
	handled := newTally(b.N)
	begin := time.Now()
	deadline := begin.Add(mixedLimits * b.Limit)
	stop := b.start(ctx, work{handle: func(job) { handled.add() }})
	added, err := b.enqueueUntil(ctx, producers, 1, deadline)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	at, left, err := b.settled(ctx, handled, deadline)
	if err := errors.Join(err, stop()); err != nil {
		return nil, err
	}
	if left >= added {
		return nil, errSlow
	}
	return perSecond(added-left, at.Sub(begin)), nil
}

// enqueueUntil has callers enqueue the jobs of the run, some at a time, and
// returns how many they have added by the deadline.
func (b bench) enqueueUntil(ctx context.Context, callers, some int, deadline time.Time) (int, error) {
	var next, added atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range callers {
		group.Go(func() error {
			for time.Now().Before(deadline) {
				last := int(next.Add(int64(some)))
				first := last - some
				n := min(last, b.N) - first
				if n <= 0 {
					return nil
				}
				if err := b.sys.enqueue(ctx, newJobs(first, n, manyKeys)); err != nil {
					return fmt.Errorf("enqueue %d jobs: %w", n, err)
				}
				added.Add(int64(n))
			}
			return nil
		})
	}
	err := group.Wait()
	return int(added.Load()), err
}
