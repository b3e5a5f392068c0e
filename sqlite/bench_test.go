//go:build unix

package sqlite_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

var payload = json.RawMessage(`{"id":"doi:10.1371/journal.pone.0000001","hint":"pmc","note":"as long as most are: some two hundred bytes with what the harvest needs to know of a work, its identifiers, and where the first step goes"}`)

func BenchmarkEnqueue(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "quire.db"))
			var n atomic.Int64
			each(b, callers, func() {
				j := newJob(int(n.Add(1)))
				j.Payload = payload
				if _, err := s.Enqueue(b.Context(), []queue.NewJob{j}); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// each has callers goroutines share b.N calls of f.
func each(b *testing.B, callers int, f func()) {
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan struct{})
	spent := cpuTime(b)
	b.ResetTimer()
	for range callers {
		go func() {
			for left.Add(-1) >= 0 {
				f()
			}
			done <- struct{}{}
		}()
	}
	for range callers {
		<-done
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
	b.ReportMetric(float64((cpuTime(b)-spent).Microseconds())/float64(b.N), "cpu-µs/op")
}

// cpuTime is what this process has used of the processors: on a machine that
// others use it tells more than the time that passed.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const batch = 1000

func BenchmarkEnqueueBatch(b *testing.B) {
	for _, order := range []string{"ordered", "random"} {
		b.Run(order, func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "quire.db"))
			n, spent := 0, cpuTime(b)
			for b.Loop() {
				jobs := newJobs(n, batch)
				n += batch
				for i := range jobs {
					jobs[i].Payload = payload
					if order == "random" {
						jobs[i].ArtifactID = fmt.Sprintf("doi:10.%d/%x", 1000+rand.IntN(9000), rand.Uint64())
					}
				}
				if _, err := s.Enqueue(b.Context(), jobs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "jobs/s")
			b.ReportMetric(float64((cpuTime(b)-spent).Microseconds())/float64(n), "cpu-µs/job")
		})
	}
}

// BenchmarkCycle leases and finishes jobs as a busy run does: 64 workers, each
// with a key of its own at any time, over 200 keys, one settlement a call.
func BenchmarkCycle(b *testing.B) {
	const workers, keys, perLease = 64, 200, 16
	s := open(b, filepath.Join(b.TempDir(), "quire.db"))
	for n := 0; n < b.N+keys*perLease; n += batch {
		jobs := newJobs(n, batch)
		for i := range jobs {
			jobs[i].Key, jobs[i].Payload = hostKey((n+i)%keys), payload
		}
		if _, err := s.Enqueue(b.Context(), jobs); err != nil {
			b.Fatal(err)
		}
	}
	var turn atomic.Int64
	leases := make(chan queue.Lease, workers*perLease)
	each(b, workers, func() {
		for {
			select {
			case l := <-leases:
				settleDone(b, s, l)
				return
			default:
			}
			key := hostKey(int(turn.Add(1)) % keys)
			got, err := s.Lease(b.Context(), "me", []queue.Want{{Key: key, N: perLease}}, time.Minute)
			if err != nil {
				b.Error(err)
				return
			}
			for _, l := range got {
				leases <- l
			}
		}
	})
}

func hostKey(n int) string { return fmt.Sprintf("host:h%d.example", n) }

func settleDone(b *testing.B, s *sqlite.Store, l queue.Lease) {
	errs, err := s.Settle(b.Context(), queue.Settlement{
		Lease: l, Verb: queue.Finish, State: queue.Done, Reason: "stored", Result: json.RawMessage(`{"path":"a/b"}`),
	})
	if err != nil || errs[0] != nil {
		b.Error(errs, err)
	}
}

// BenchmarkDepth measures one lease and settlement, and one look at the
// figures, with few and with many rows: the cost should be the same.
func BenchmarkDepth(b *testing.B) {
	for _, rows := range []int{10_000, 1_000_000} {
		if rows > 10_000 && testing.Short() {
			continue
		}
		s := open(b, filepath.Join(b.TempDir(), "quire.db"))
		for n := 0; n < rows; n += 10 * batch {
			jobs := newJobs(n, 10*batch)
			for i := range jobs {
				jobs[i].Key = hostKey(i % 200)
				jobs[i].Delay = time.Duration(i%2) * time.Hour
			}
			if _, err := s.Enqueue(b.Context(), jobs); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("cycle/rows=%d", rows), func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				leases, err := s.Lease(b.Context(), "me", []queue.Want{{Key: hostKey(n % 200), N: 1}}, time.Minute)
				if err != nil {
					b.Fatal(err)
				}
				for _, l := range leases {
					_, err := s.Settle(b.Context(), queue.Settlement{Lease: l, Verb: queue.Release})
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(fmt.Sprintf("stats/rows=%d", rows), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Stats(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("backlog/rows=%d", rows), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.Backlog(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
