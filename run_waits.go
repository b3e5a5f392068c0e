package quire

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

// Wait tells how many jobs are left at a key and what they wait for.
type Wait = report.Wait

const (
	// mostWaits is of how many keys a [Summary] tells what is left there: people read
	// no more.
	mostWaits = 20
	// mostDelayed is among how many jobs of a key the one is looked for that is tried
	// again first.
	mostDelayed = 1000
)

// waits tells of the keys with most jobs left what these wait for. keys is how the
// keys stand.
func (s *System) waits(ctx context.Context, stats queue.Stats, keys map[string]KeyState) ([]Wait, error) {
	left := func(k queue.KeyStats) int { return k.Ready + k.Delayed + k.InFlight }
	most := slices.SortedFunc(slices.Values(stats.Keys), func(a, b queue.KeyStats) int {
		return cmp.Or(cmp.Compare(left(b), left(a)), cmp.Compare(a.Key, b.Key))
	})
	now, waits := time.Now(), []Wait{}
	for _, k := range most[:min(len(most), mostWaits)] {
		if left(k) == 0 {
			break
		}
		w := Wait{Key: k.Key, Jobs: left(k)}
		switch gate := keys[k.Key].Gate; {
		case k.Paused:
			w = report.NewWait(k.Key, left(k), report.WaitPaused, time.Time{})
		case gate > 0:
			w = report.NewWait(k.Key, left(k), keys[k.Key].Reason, now.Add(gate))
		case k.Ready+k.InFlight == 0:
			at, err := s.firstDelayed(ctx, k.Key)
			if err != nil {
				return nil, err
			}
			w = report.NewWait(k.Key, left(k), report.WaitRetry, at)
		}
		waits = append(waits, w)
	}
	return waits, nil
}

// firstDelayed is when the first of a key's delayed jobs may be tried again; zero if
// there are too many to look through.
func (s *System) firstDelayed(ctx context.Context, key string) (first time.Time, err error) {
	jobs, err := s.store.Jobs(ctx, queue.Filter{States: []queue.State{queue.Queued}, Key: key, Limit: mostDelayed})
	if err != nil {
		return first, fmt.Errorf("read jobs that are left: %w", err)
	}
	if len(jobs) == mostDelayed {
		return first, nil
	}
	for _, j := range jobs {
		if first.IsZero() || j.AvailableAt.Before(first) {
			first = j.AvailableAt
		}
	}
	return first, nil
}
