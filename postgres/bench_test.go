package postgres_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/pgtest"
	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
)

// durable is a server as people run one: what it has committed is on the disk.
var durable = pgtest.Shared{Settings: []string{"shared_buffers=1GB"}}

var payload = json.RawMessage(`{"id":"doi:10.1371/journal.pone.0000001","hint":"pmc","note":"as long as most are: some two hundred bytes with what the harvest needs to know of a work, its identifiers, and where the first step goes"}`)

func newJobs(first, n int) []queue.NewJob {
	jobs := make([]queue.NewJob, n)
	for i := range jobs {
		jobs[i] = queue.NewJob{ArtifactID: fmt.Sprintf("doi:10.1371/journal.pone.%07d", first+i), Key: "host:a.example", Payload: payload}
	}
	return jobs
}

func hostKey(n int) string { return fmt.Sprintf("host:h%d.example", n) }

func BenchmarkEnqueue(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, durable.Server(b).Open(b))
			var n atomic.Int64
			each(b, callers, func() {
				if _, err := s.Enqueue(b.Context(), newJobs(int(n.Add(1)), 1)); err != nil {
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
}

const batch = 1000

func BenchmarkEnqueueBatch(b *testing.B) {
	for _, order := range []string{"ordered", "random"} {
		b.Run(order, func(b *testing.B) {
			s := open(b, durable.Server(b).Open(b))
			n := 0
			for b.Loop() {
				jobs := newJobs(n, batch)
				n += batch
				for i := range jobs {
					if order == "random" {
						jobs[i].ArtifactID = fmt.Sprintf("doi:10.%d/%x", 1000+rand.IntN(9000), rand.Uint64())
					}
				}
				if _, err := s.Enqueue(b.Context(), jobs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

// fill enqueues n jobs over a number of keys, every other one delayed if asked.
func fill(b *testing.B, s *postgres.Store, n, keys int, delayed bool) {
	b.Helper()
	for first := 0; first < n; first += 10 * batch {
		jobs := newJobs(first, min(10*batch, n-first))
		for i := range jobs {
			jobs[i].Key = hostKey((first + i) % keys)
			if delayed {
				jobs[i].Delay = time.Duration(i%2) * time.Hour
			}
		}
		if _, err := s.Enqueue(b.Context(), jobs); err != nil {
			b.Fatal(err)
		}
	}
}

func lease(b *testing.B, s *postgres.Store, key string, n int) []queue.Lease {
	leases, err := s.Lease(b.Context(), "me", []queue.Want{{Key: key, N: n}}, time.Minute)
	if err != nil {
		b.Error(err)
	}
	return leases
}

func done(leases []queue.Lease) []queue.Settlement {
	var all []queue.Settlement
	for _, l := range leases {
		all = append(all, queue.Settlement{
			Lease: l, Verb: queue.Finish, State: queue.Done, Reason: "stored", Result: json.RawMessage(`{"path":"a/b"}`),
		})
	}
	return all
}

func settle(b *testing.B, s *postgres.Store, all ...queue.Settlement) {
	errs, err := s.Settle(b.Context(), all...)
	if err != nil {
		b.Error(err)
	}
	for _, err := range errs {
		if err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkDrain empties a queue in leases and settlements of many jobs.
func BenchmarkDrain(b *testing.B) {
	for _, size := range []int{64, 256} {
		b.Run(fmt.Sprintf("lease=%d", size), func(b *testing.B) {
			const workers, keys = 8, 20
			s := open(b, durable.Server(b).Open(b))
			fill(b, s, b.N+keys*size, keys, false)
			var turn, settled atomic.Int64
			ended := make(chan struct{})
			b.ResetTimer()
			for range workers {
				go func() {
					for settled.Load() < int64(b.N) {
						leases := lease(b, s, hostKey(int(turn.Add(1))%keys), size)
						settle(b, s, done(leases)...)
						settled.Add(int64(len(leases)))
					}
					ended <- struct{}{}
				}()
			}
			for range workers {
				<-ended
			}
			b.ReportMetric(float64(settled.Load())/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

// BenchmarkCycle leases and finishes jobs as a busy run does: 64 workers, each
// with a key of its own at any time, over 200 keys, one settlement a call.
func BenchmarkCycle(b *testing.B) {
	const workers, keys, perLease = 64, 200, 16
	s := open(b, durable.Server(b).Open(b))
	fill(b, s, b.N+keys*perLease, keys, false)
	var turn atomic.Int64
	leases := make(chan queue.Lease, workers*perLease)
	each(b, workers, func() {
		for {
			select {
			case l := <-leases:
				settle(b, s, done([]queue.Lease{l})...)
				return
			default:
			}
			for _, l := range lease(b, s, hostKey(int(turn.Add(1))%keys), perLease) {
				leases <- l
			}
		}
	})
}

// BenchmarkDepth measures one lease and settlement, and one look at the
// figures, with few and with many rows: the cost should be the same.
func BenchmarkDepth(b *testing.B) {
	for _, rows := range []int{20_000, 2_000_000} {
		if rows > 20_000 && testing.Short() {
			continue
		}
		dsn := durable.Server(b).Open(b)
		s := open(b, dsn)
		fill(b, s, rows, 200, true)
		execute(b, dsn, "VACUUM ANALYZE")
		execute(b, dsn, "CHECKPOINT")
		b.Run(fmt.Sprintf("lease16/rows=%d", rows), func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				leases := lease(b, s, hostKey(2*(n%100)), 16)
				b.StopTimer()
				var back []queue.Settlement
				for _, l := range leases {
					back = append(back, queue.Settlement{Lease: l, Verb: queue.Release})
				}
				settle(b, s, back...)
				b.StartTimer()
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
