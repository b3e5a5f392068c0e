package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
)

const (
	latencyJobs = 200                   // at most
	latencyGap  = 10 * time.Millisecond // between two of them, on average
	blockedJobs = 300                   // at most, of each kind
	blockedKey  = "host:blocked.example"
	leaseCalls  = 50
	leasedJobs  = 16
)

// spans collects durations from many goroutines.
type spans struct {
	mu  sync.Mutex
	all []time.Duration
}

func (s *spans) add(d time.Duration) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, d)
	return len(s.all)
}

// latency measures from the call that enqueues to the start of the job, with
// both in this process and jobs at random moments.
func (b *bench) latency(ctx context.Context, s store) error {
	n := min(latencyJobs, b.Jobs)
	var mu sync.Mutex
	sent := make(map[int]time.Time, n)
	var waits spans
	warm := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, _, err := b.run(ctx, s, func(_ context.Context, j queue.Job) {
			number := jobNumber(j)
			if number == 0 { // not counted: it shows that the workers are at work
				close(warm)
				return
			}
			mu.Lock()
			since := sent[number]
			mu.Unlock()
			waits.add(time.Since(since))
		}, orchestrator.Config{MaxJobs: n + 1})
		return err
	})
	group.Go(func() error {
		for i := range n + 1 {
			mu.Lock()
			sent[i] = time.Now()
			mu.Unlock()
			if _, err := s.Enqueue(ctx, newJobs(i, 1, b.Keys)); err != nil {
				return err
			}
			if i == 0 {
				select {
				case <-warm:
				case <-ctx.Done():
				}
			}
			if !sleep(ctx, time.Duration(rand.ExpFloat64()*float64(latencyGap))) {
				return ctx.Err()
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	b.add("latency_p50", milliseconds(percentile(waits.all, 50)), "ms", "from the call that enqueues to the start of the job, in one process")
	b.add("latency_p99", milliseconds(percentile(waits.all, 99)), "ms", "the same")
	return nil
}

// blocked measures when jobs of free keys start that were queued behind those of
// a key where nothing ends until they have. It takes two workers to see that.
func (b *bench) blocked(ctx context.Context, s store) error {
	if b.Workers < 2 {
		return nil
	}
	n := min(blockedJobs, b.Jobs)
	jobs := newJobs(0, 2*n, min(b.Keys, 30))
	for i := range n {
		jobs[i].Key = blockedKey
	}
	if err := enqueue(ctx, s, jobs); err != nil {
		return err
	}
	var starts spans
	free := make(chan struct{}) // closed when all jobs of free keys have started
	begin := time.Now()
	_, _, err := b.run(ctx, s, func(ctx context.Context, j queue.Job) {
		if j.Key != blockedKey {
			if starts.add(time.Since(begin)) == n {
				close(free)
			}
			return
		}
		select {
		case <-free:
		case <-ctx.Done():
		}
	}, orchestrator.Config{Drain: true, Limit: func(key string) orchestrator.Limit {
		if key == blockedKey {
			return orchestrator.Limit{InFlight: min(2, b.Workers-1)}
		}
		return orchestrator.Limit{}
	}})
	if err != nil {
		return err
	}
	about := fmt.Sprintf("start of %d jobs of other keys, queued behind %d of a blocked key", n, n)
	b.add("blocked_p50", milliseconds(percentile(starts.all, 50)), "ms", about)
	b.add("blocked_last", milliseconds(percentile(starts.all, 100)), "ms", "the last of them")
	return nil
}

// leases measures the lease of some jobs, each at another key, from queues of
// growing length.
func (b *bench) leases(ctx context.Context, s store) error {
	queued := 0
	for _, depth := range depths(b.Depth) {
		if err := enqueue(ctx, s, newJobs(queued, depth-queued, b.Keys)); err != nil {
			return err
		}
		queued = depth
		var took []time.Duration
		for call := range leaseCalls {
			wants := make([]queue.Want, 0, leasedJobs)
			for _, j := range newJobs(call*leasedJobs, min(leasedJobs, b.Keys), b.Keys) {
				wants = append(wants, queue.Want{Key: j.Key, N: 1})
			}
			begin := time.Now()
			leases, err := s.Lease(ctx, "bench", wants, time.Minute)
			if err != nil {
				return err
			}
			took = append(took, time.Since(begin))
			if _, err := s.Settle(ctx, released(leases)...); err != nil {
				return err
			}
		}
		b.add(fmt.Sprintf("lease_at_%d", depth), milliseconds(percentile(took, 50)), "ms",
			fmt.Sprintf("a call that leases %d jobs at as many keys, of %d queued, p50", min(leasedJobs, b.Keys), depth))
	}
	return nil
}

// depths are the lengths of queues that are leased from, up to the longest.
func depths(longest int) []int {
	all := slices.DeleteFunc([]int{10_000, 100_000, 1_000_000}, func(d int) bool { return d >= longest })
	return append(all, longest)
}

func released(leases []queue.Lease) []queue.Settlement {
	back := make([]queue.Settlement, len(leases))
	for i, l := range leases {
		back[i] = queue.Settlement{Lease: l, Verb: queue.Release}
	}
	return back
}

// size measures what a queued job takes, its indexes included.
func (b *bench) size(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, b.place.clear(context.WithoutCancel(ctx))) }()
	var sizes [2]int64
	for i, jobs := range [][]queue.NewJob{nil, newJobs(0, b.Jobs, b.Keys)} {
		s, err := b.place.open(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(enqueue(ctx, s, jobs), s.Close()); err != nil {
			return err
		}
		if sizes[i], err = b.place.size(ctx); err != nil {
			return err
		}
	}
	b.add("size", float64(sizes[1]-sizes[0])/float64(b.Jobs), "bytes/job", "of the database for a queued job with a payload of 200 bytes")
	return nil
}
