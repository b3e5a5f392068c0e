package forecast_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/forecast"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// crowd is a forecast that knows n hosts, and how they stand.
func crowd(n int) (*forecast.Forecast, time.Time, []schedule.KeyState, queue.Stats) {
	f, at := forecast.New(), time.Unix(1_700_000_000, 0)
	stats := queue.Stats{Queued: 20 * n, Done: 2 * n}
	keys := make([]schedule.KeyState, 0, n+1)
	for i := range n + 1 {
		key := host(i)
		if i == n {
			key = "resolver:a"
		}
		keys = append(keys, schedule.KeyState{Key: key, InFlight: 1, Cap: 2, Widest: 4, Batch: 1, PerSecond: 2, Ready: 20, Service: time.Second})
		stats.Keys = append(stats.Keys, queue.KeyStats{Key: key, Ready: 20, InFlight: 1, Delayed: i % 3})
	}
	for i := range 4 * n {
		at = at.Add(10 * time.Millisecond)
		key := host(i % n)
		f.Observe(forecast.Step{At: at, Job: int64(i), Key: "resolver:a", Next: key, Attempt: 1})
		f.Observe(forecast.Step{At: at, Job: int64(i), Key: key, Finished: i%7 > 0, Next: "resolver:a", Attempt: 1})
		if i%9 == 0 {
			f.Observe(forecast.Step{At: at, Job: int64(i), Key: key, Next: key, Delay: time.Minute, Attempt: 1})
		}
	}
	return f, at, keys, stats
}

func BenchmarkLeft(b *testing.B) {
	for _, n := range []int{150, 5000} {
		b.Run(fmt.Sprint(n, " keys"), func(b *testing.B) {
			f, at, keys, stats := crowd(n)
			for b.Loop() {
				at = at.Add(time.Second)
				if e := f.Left(at, keys, stats, 32); !e.OK {
					b.Fatal("nothing is foretold")
				}
			}
		})
	}
}

func BenchmarkObserve(b *testing.B) {
	f, at, keys, _ := crowd(5000)
	i := 0
	for b.Loop() {
		i++
		f.Observe(forecast.Step{At: at, Job: int64(i), Key: "resolver:a", Next: keys[i%5000].Key, Attempt: 1})
	}
}
