package cli

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/queue"
)

// counter counts jobs for a meter. It is safe for concurrent use.
type counter struct{ n atomic.Int64 }

// changed is for a filter whose jobs count on top of those so far.
func (c *counter) changed() func(sum int) {
	before := c.n.Load()
	return func(sum int) { c.n.Store(before + int64(sum)) }
}

// look is for a meter; of is how many there are, 0 if nobody knows.
func (c *counter) look(of int64) func() reading {
	return func() reading { return reading{unit: "jobs", done: c.n.Load(), of: of} }
}

// totalOf returns how many jobs a filter selects, or the artifacts that are named;
// 0 if that can't be told without looking at each of them.
func (a *app) totalOf(ctx context.Context, sys *quire.System, f queue.Filter, ids ...string) int64 {
	if len(ids) > 0 {
		return int64(len(ids))
	}
	if f.Class+f.Key+f.Run != "" || f.Older > 0 {
		return 0
	}
	s, err := sys.Queue().Stats(ctx)
	if err != nil {
		return 0 // what it is for will say
	}
	n := 0
	of := map[queue.State]int{
		queue.Queued: s.Queued, queue.InProgress: s.InProgress, queue.Done: s.Done, queue.Skipped: s.Skipped, queue.Error: s.Error,
	}
	for state, jobs := range of {
		if len(f.States) == 0 || slices.Contains(f.States, state) {
			n += jobs
		}
	}
	if f.Limit > 0 {
		n = min(n, f.Limit)
	}
	return int64(n)
}
