package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// pair calls f with two stores on one database, in fake time.
func pair(t *testing.T, f func(t *testing.T, a, b *sqlite.Store)) {
	path := filepath.Join(t.TempDir(), "quire.db")
	synctest.Test(t, func(t *testing.T) { f(t, open(t, path), open(t, path)) })
}

func lock(t *testing.T, s *sqlite.Store) (release func()) {
	t.Helper()
	_, release, err := s.LockRunner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func leaseOne(t *testing.T, s *sqlite.Store, ttl time.Duration) queue.Lease {
	t.Helper()
	leases, err := s.Lease(t.Context(), "me", []queue.Want{{Key: newJob(0).Key, N: 1}}, ttl)
	if err != nil || len(leases) != 1 {
		t.Fatalf("Lease: got %v, %v", leases, err)
	}
	return leases[0]
}

func TestLockRunner_waits(t *testing.T) {
	pair(t, func(t *testing.T, a, b *sqlite.Store) {
		release := lock(t, a)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, _, err := b.LockRunner(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("second runner: got %v, want DeadlineExceeded", err)
		}
		start := time.Now()
		time.AfterFunc(time.Minute, release)
		lock(t, b)()
		if waited := time.Since(start); waited < time.Minute || waited > time.Minute+time.Second {
			t.Errorf("waited %v for a lock held for a minute", waited)
		}
		release()
		lock(t, a)()
	})
}

// With the lock free, whoever left a lease is dead: no need to wait for its end.
func TestLockRunner_endsLeases(t *testing.T) {
	pair(t, func(t *testing.T, a, b *sqlite.Store) {
		if _, err := a.Enqueue(t.Context(), newJobs(0, 1)); err != nil {
			t.Fatal(err)
		}
		release := lock(t, a)
		leaseOne(t, a, time.Hour)
		release()
		defer lock(t, b)()
		if got, err := b.Reap(t.Context(), 3); err != nil || got.Returned != 1 {
			t.Errorf("Reap: got %+v, %v; want one returned", got, err)
		}
	})
}

// A holder that is alive but does not even reap must not block the queue.
func TestLockRunner_frozen(t *testing.T) {
	pair(t, func(t *testing.T, frozen, b *sqlite.Store) {
		if _, err := frozen.Enqueue(t.Context(), newJobs(0, 2)); err != nil {
			t.Fatal(err)
		}
		release := lock(t, frozen)
		leaseOne(t, frozen, time.Minute)
		start := time.Now()
		defer lock(t, b)()
		if waited := time.Since(start); waited < time.Minute+3*time.Second || waited > time.Minute+4*time.Second {
			t.Errorf("took over after %v, want a minute and three seconds", waited)
		}
		if got, err := b.Reap(t.Context(), 3); err != nil || got.Returned != 1 {
			t.Errorf("Reap: got %+v, %v; want one returned", got, err)
		}
		leaseOne(t, b, time.Hour)
		release() // the frozen one dies: b takes the lock, and no third one gets it
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := frozen.LockRunner(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third runner: got %v, want DeadlineExceeded", err)
		}
	})
}

// After the machine has slept all leases look overdue for a moment. Their holder
// must be given the time to say that it is alive.
func TestLockRunner_holderOverslept(t *testing.T) {
	pair(t, func(t *testing.T, a, b *sqlite.Store) {
		if _, err := a.Enqueue(t.Context(), newJobs(0, 1)); err != nil {
			t.Fatal(err)
		}
		defer lock(t, a)()
		lease := leaseOne(t, a, time.Minute)
		time.Sleep(time.Hour)
		time.AfterFunc(1500*time.Millisecond, func() {
			if lost, err := a.Heartbeat(t.Context(), time.Minute, lease); err != nil || len(lost) > 0 {
				t.Errorf("Heartbeat: lost %v, %v", lost, err)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, _, err := b.LockRunner(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("second runner: got %v, want it to wait", err)
		}
	})
}
