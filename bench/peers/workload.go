package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	manyKeys     = 200              // that jobs are spread over
	batch        = 1000             // jobs of one call that enqueues many
	manyWorkers  = 64               // where throughput counts
	fewWorkers   = 8                // where latency counts
	producers    = 8                // that enqueue one by one beside the workers
	stopPatience = 10 * time.Second // for handlers to end
)

// metric is one figure of one run.
type metric struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Less  bool    `json:"less"` // the smaller the better
}

// workload is a kind of measurement.
type workload struct {
	name    string
	about   string
	workers int
	unique  bool // ids are unique in every system that can
	run     func(ctx context.Context, b bench) ([]metric, error)
}

// workloads lists all there are, in the order in which they are run.
func workloads() []workload {
	return []workload{
		{"drain", "queued jobs over 200 keys, 64 workers, to the last stored ack", manyWorkers, false, drain},
		{"enqueue-1", "one by one, 1 caller", 1, true, enqueueBy(1, 1)},
		{"enqueue-8", "one by one, 8 callers", 1, true, enqueueBy(8, 1)},
		{"enqueue-64", "one by one, 64 callers", 1, true, enqueueBy(64, 1)},
		{"enqueue-1000", "1 caller, 1000 jobs a call", 1, true, enqueueBy(1, batch)},
		{"mixed", "8 producers one by one and 64 workers at once, to the last stored ack", manyWorkers, false, mixed},
		{"latency", "call to enqueue until handler starts, mean gap 30 ms, 8 workers", fewWorkers, false, latency},
		{"remote", "the same with the enqueueing in a second process", fewWorkers, false, remote},
		{"blocked", "start of jobs of free keys behind as many of a key capped at 2, 20 ms each", manyWorkers, false, blocked},
		{"size", "of the store, for each queued job", 1, true, size},
	}
}

// bench is a run under way: its figures, and the system it measures.
type bench struct {
	trial
	sys system
}

// start runs the jobs of the system until stop is called, which waits for it.
func (b bench) start(ctx context.Context, w work) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.sys.run(ctx, w) }()
	return func() error {
		cancel()
		if err := <-ended; err != nil {
			return fmt.Errorf("run jobs: %w", err)
		}
		return nil
	}
}

// populate enqueues n jobs in large batches.
func (b bench) populate(ctx context.Context, n int) error {
	for first := 0; first < n; first += batch {
		if err := b.sys.enqueue(ctx, newJobs(first, min(batch, n-first), manyKeys)); err != nil {
			return fmt.Errorf("enqueue jobs to begin with: %w", err)
		}
	}
	return nil
}

// tally counts to n and then closes full.
type tally struct {
	n    int64
	seen atomic.Int64
	full chan struct{}
}

func newTally(n int) *tally { return &tally{n: int64(n), full: make(chan struct{})} }

// add counts one more, from any goroutine.
func (t *tally) add() {
	if t.seen.Add(1) == t.n {
		close(t.full)
	}
}

// settled waits until all jobs are handled and their success is stored, or until
// deadline. It returns the moment, and how many jobs are not stored then.
func (b bench) settled(ctx context.Context, handled *tally, deadline time.Time) (at time.Time, left int, err error) {
	select {
	case <-handled.full:
	case <-time.After(time.Until(deadline)):
	case <-ctx.Done():
		return at, 0, ctx.Err()
	}
	for {
		at = time.Now() // before the counting, which is not what is measured
		left, err = b.sys.pending(ctx)
		if err != nil || left == 0 || at.After(deadline) {
			return at, left, err
		}
		time.Sleep(time.Millisecond)
	}
}

// perSecond is a rate as a metric.
func perSecond(n int, took time.Duration) []metric {
	return []metric{{Name: "rate", Unit: "jobs/s", Value: float64(n) / took.Seconds()}}
}

// errSlow says that a run did nothing in all its time.
var errSlow = errors.New("nothing was done within the limit")
