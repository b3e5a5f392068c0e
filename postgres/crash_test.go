package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/pgtest"
	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
)

// load enqueues, leases and settles, and notes what was acknowledged.
type load struct {
	s     *postgres.Store
	acked atomic.Int64 // operations

	mu       sync.Mutex
	enqueued map[string]bool
	finished map[string]int // acknowledged finishes, by artifact
}

func (l *load) enqueue(ctx context.Context, who int) error {
	for n := 0; ctx.Err() == nil; n++ {
		var jobs []queue.NewJob
		for i := range 1 + rand.IntN(20) {
			jobs = append(jobs, queue.NewJob{ArtifactID: fmt.Sprintf("%d/%d/%d", who, n, i), Key: hostKey(rand.IntN(5))})
		}
		got, err := l.s.Enqueue(context.WithoutCancel(ctx), jobs)
		if err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
		if got.Known > 0 {
			return fmt.Errorf("enqueue: %d of new jobs were known: done twice", got.Known)
		}
		l.acked.Add(1)
		l.mu.Lock()
		for _, j := range jobs {
			l.enqueued[j.ArtifactID] = true
		}
		l.mu.Unlock()
	}
	return nil
}

func (l *load) work(ctx context.Context) error {
	for ctx.Err() == nil {
		leases, err := l.s.Lease(context.WithoutCancel(ctx), "me", []queue.Want{{Key: hostKey(rand.IntN(5)), N: 16}}, time.Hour)
		if err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		errs, err := l.s.Settle(context.WithoutCancel(ctx), done(leases)...)
		if err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		l.mu.Lock()
		for i, lease := range leases {
			if errs[i] != nil {
				l.mu.Unlock()
				return fmt.Errorf("settle: a live lease was refused: %w", errs[i])
			}
			l.finished[lease.Job.ArtifactID]++
		}
		l.mu.Unlock()
		l.acked.Add(1)
	}
	return nil
}

// TestStore_crash crashes the server again and again under load: what was
// acknowledged is there afterwards, once, and nothing is refused meanwhile.
func TestStore_crash(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("crashes a server of its own for some seconds")
	}
	server, err := pgtest.Start(t.Context()) // with fsync
	pgtest.Need(t, err)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	l := &load{s: open(t, server.Open(t)), enqueued: make(map[string]bool), finished: make(map[string]int)}
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	run := func(f func() error) {
		workers.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
				stop()
			}
		})
	}
	for i := range 4 {
		run(func() error { return l.enqueue(ctx, i) })
		run(func() error { return l.work(ctx) })
	}
	for range 6 {
		for before := l.acked.Load(); l.acked.Load() < before+200 && ctx.Err() == nil; {
			sleep(ctx, 10*time.Millisecond)
		}
		if err := server.Restart(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	workers.Wait()
	l.check(t)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (l *load) check(t *testing.T) {
	jobs, err := l.s.Jobs(t.Context(), queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	states := make(map[string]queue.State)
	counts := make(map[queue.State]int)
	for _, j := range jobs {
		states[j.ArtifactID] = j.State
		counts[j.State]++
		if j.Attempts > 1 {
			t.Errorf("%s was leased %d times", j.ArtifactID, j.Attempts)
		}
	}
	for id := range l.enqueued {
		if states[id] == "" {
			t.Errorf("%s was acknowledged, and is lost", id)
		}
	}
	for id, n := range l.finished {
		if n != 1 || states[id] != queue.Done {
			t.Errorf("%s was finished %d times, and is %s", id, n, states[id])
		}
	}
	if counts[queue.Done] != len(l.finished) || len(jobs) != len(l.enqueued) {
		t.Errorf("%d of %d are done, %d of %d were acknowledged", counts[queue.Done], len(jobs), len(l.finished), len(l.enqueued))
	}
	st, err := l.s.Stats(t.Context())
	if err != nil || st.Done != counts[queue.Done] || st.Ready != counts[queue.Queued] || st.InProgress != counts[queue.InProgress] {
		t.Errorf("Stats: %+v, %v; rows: %v", st, err, counts)
	}
	t.Logf("%d operations, %d jobs, %d done", l.acked.Load(), len(jobs), counts[queue.Done])
}
