package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/quire-dev/quire/orchestrator"
)

// drains measures how fast jobs that do nothing run, and what they cost.
func (b *bench) drains(ctx context.Context) error {
	for _, d := range []struct {
		name, about string
		keys        int
	}{
		{"drain_keyed", fmt.Sprintf("jobs that do nothing, over %d keys with %d workers, to the last stored ack", b.Keys, b.Workers), b.Keys},
		{"drain_one_key", fmt.Sprintf("the same at one key, with %d workers", b.Workers), 1},
	} {
		err := b.fresh(func(ctx context.Context, s store) error {
			if err := enqueue(ctx, s, newJobs(0, b.Jobs, d.keys)); err != nil {
				return err
			}
			before := cpuTime()
			done, took, err := b.run(ctx, s, nothing, orchestrator.Config{Drain: true})
			if err != nil {
				return err
			}
			b.add(d.name, perSecond(done, took), "jobs/s", d.about)
			if cpu := cpuTime() - before; cpu > 0 && done > 0 {
				b.add(d.name+"_cpu", float64(cpu.Microseconds())/float64(done), "µs/job", "CPU of this process for it")
			}
			return nil
		})(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// enqueueFor is how long callers that enqueue one job a call are measured, unless
// they have added ten times the jobs before.
const enqueueFor = time.Second

// enqueues measures how fast jobs come in while nothing runs them.
func (b *bench) enqueues(ctx context.Context) error {
	for _, callers := range []int{1, 8, 64} {
		err := b.fresh(func(ctx context.Context, s store) error {
			n, took, err := b.enqueueBy(ctx, s, callers, func(n int, begun time.Time) bool {
				return n < 10*b.Jobs && time.Since(begun) < enqueueFor
			})
			b.add(fmt.Sprintf("enqueue_%d", callers), perSecond(n, took), "jobs/s", fmt.Sprintf("one job a call, %d callers", callers))
			return err
		})(ctx)
		if err != nil {
			return err
		}
	}
	jobs := newJobs(0, b.Jobs, b.Keys)
	for _, order := range []string{"in order", "in random order"} {
		err := b.fresh(func(ctx context.Context, s store) error {
			begin := time.Now()
			err := enqueue(ctx, s, jobs)
			name := map[string]string{"in order": "ordered", "in random order": "random"}[order]
			b.add("enqueue_batch_"+name, perSecond(len(jobs), time.Since(begin)), "jobs/s", fmt.Sprintf("%d jobs a call, ids %s", batch, order))
			return err
		})(ctx)
		if err != nil {
			return err
		}
		rand.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	}
	return nil
}

// enqueueBy has callers enqueue one job a call, as long as more says so of the
// number of jobs begun before and of the time since the start.
func (b *bench) enqueueBy(ctx context.Context, s store, callers int, more func(n int, begun time.Time) bool) (int, time.Duration, error) {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	begin := time.Now()
	var done atomic.Int64
	for range callers {
		group.Go(func() error {
			for {
				n := int(next.Add(1) - 1)
				if !more(n, begin) {
					return nil
				}
				if _, err := s.Enqueue(ctx, newJobs(n, 1, b.Keys)); err != nil {
					return err
				}
				done.Add(1)
			}
		})
	}
	err := group.Wait()
	return int(done.Load()), time.Since(begin), err
}

// producers is how many callers enqueue while jobs run.
const producers = 8

// mixed measures jobs that come in while others run, to the last stored ack.
func (b *bench) mixed(ctx context.Context, s store) error {
	n := max(1, b.Jobs/5)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, _, err := b.enqueueBy(ctx, s, producers, func(begun int, _ time.Time) bool { return begun < n })
		return err
	})
	group.Go(func() error {
		done, took, err := b.run(ctx, s, nothing, orchestrator.Config{MaxJobs: n})
		b.add("mixed", perSecond(done, took), "jobs/s", fmt.Sprintf("%d callers enqueue one job a call, %d workers run them meanwhile", producers, b.Workers))
		return err
	})
	return group.Wait()
}
