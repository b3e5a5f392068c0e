package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	blockedJobs = 300                   // of each kind, at most
	blockedCap  = 2                     // jobs of the capped key at once
	blockedWork = 20 * time.Millisecond // of each of its jobs
	blockedKey  = "host:capped.example"
	freeKeys    = 30
	blockedWait = 30 * time.Second // for the free jobs to start
)

// blocked measures how long jobs of free keys wait behind those of a key that
// may run only two at once, which it checks.
func blocked(ctx context.Context, b bench) ([]metric, error) {
	n := min(blockedJobs, b.N)
	jobs := newJobs(0, 2*n, freeKeys)
	for i := range n {
		jobs[i].Key = blockedKey
	}
	for _, half := range [][]job{jobs[:n], jobs[n:]} {
		if err := b.sys.enqueue(ctx, half); err != nil {
			return nil, fmt.Errorf("enqueue jobs to begin with: %w", err)
		}
	}
	var running, over atomic.Int64 // handlers of the capped key, and those beyond the cap
	var mu sync.Mutex
	var waits []time.Duration
	started := newTally(n)
	begin := time.Now()
	stop := b.start(ctx, work{caps: map[string]int{blockedKey: blockedCap}, handle: func(j job) {
		if j.Key == blockedKey {
			if running.Add(1) > blockedCap {
				over.Add(1)
			}
			time.Sleep(blockedWork)
			running.Add(-1)
			return
		}
		wait := time.Since(begin)
		mu.Lock()
		waits = append(waits, wait)
		mu.Unlock()
		started.add()
	}})
	err := started.wait(ctx, blockedWait)
	if err := errors.Join(err, stop()); err != nil {
		return nil, err
	}
	if n := over.Load(); n > 0 {
		return nil, fmt.Errorf("%d handlers of %s ran beyond its cap of %d", n, blockedKey, blockedCap)
	}
	mu.Lock()
	defer mu.Unlock()
	return []metric{milliseconds("p50", percentile(waits, 50)), milliseconds("last", percentile(waits, 100))}, nil
}
