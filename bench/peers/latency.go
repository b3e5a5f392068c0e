package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	latencyJobs = 200                   // at most
	latencyGap  = 30 * time.Millisecond // between two jobs, on average
	latencyWait = 20 * time.Second      // for the first job, and for the last ones
)

// latency measures from the call that enqueues to the handler's start, with both
// in one process.
func latency(ctx context.Context, b bench) ([]metric, error) {
	return b.delays(ctx, b.produce)
}

// remote measures the same when the jobs come from a second process.
func remote(ctx context.Context, b bench) ([]metric, error) {
	return b.delays(ctx, func(ctx context.Context) error {
		t := b.trial
		t.Produce = true
		_, err := t.spawn(ctx)
		return err
	})
}

// produce enqueues the jobs of a measurement of latency, at the same random
// moments for every system.
func (b bench) produce(ctx context.Context) error {
	random := rand.New(rand.NewPCG(1, 2))
	for _, j := range newJobs(1, min(latencyJobs, b.N), manyKeys) {
		time.Sleep(time.Duration(random.ExpFloat64() * float64(latencyGap)))
		j.Sent = time.Now().UnixNano()
		if err := b.sys.enqueue(ctx, []job{j}); err != nil {
			return fmt.Errorf("enqueue job: %w", err)
		}
	}
	return nil
}

// delays runs jobs while produce enqueues them. A first job, not counted, makes
// sure that the workers are at work.
func (b bench) delays(ctx context.Context, produce func(context.Context) error) ([]metric, error) {
	n := min(latencyJobs, b.N)
	var mu sync.Mutex
	var waits []time.Duration
	first, started := newTally(1), newTally(n)
	stop := b.start(ctx, work{handle: func(j job) {
		if j.Sent == 0 {
			first.add()
			return
		}
		wait := time.Duration(time.Now().UnixNano() - j.Sent)
		mu.Lock()
		waits = append(waits, wait)
		mu.Unlock()
		started.add()
	}})
	err := func() error {
		if err := b.sys.enqueue(ctx, newJobs(0, 1, manyKeys)); err != nil {
			return fmt.Errorf("enqueue first job: %w", err)
		}
		if err := first.wait(ctx, latencyWait); err != nil {
			return err
		}
		if err := produce(ctx); err != nil {
			return err
		}
		return started.wait(ctx, latencyWait)
	}()
	if err := errors.Join(err, stop()); err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	return []metric{milliseconds("p50", percentile(waits, 50)), milliseconds("p99", percentile(waits, 99))}, nil
}

// wait waits until t is full, for so long at most.
func (t *tally) wait(ctx context.Context, atMost time.Duration) error {
	select {
	case <-t.full:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(atMost):
		return fmt.Errorf("%d of %d jobs started within %v", t.seen.Load(), t.n, atMost)
	}
}

// percentile sorts all and returns the p-th percentile, by nearest rank.
func percentile(all []time.Duration, p int) time.Duration {
	slices.Sort(all)
	return all[max(0, (len(all)*p+99)/100-1)]
}

// milliseconds is a span of time as a metric.
func milliseconds(name string, d time.Duration) metric {
	return metric{Name: name, Unit: "ms", Value: float64(d.Microseconds()) / 1000, Less: true}
}
