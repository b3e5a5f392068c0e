package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
)

func lock(t *testing.T, s *postgres.Store) (held context.Context, release func()) {
	t.Helper()
	held, release, err := s.LockRunner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return held, release
}

// locked reports whether s gets the right within a while that is no longer than
// three looks.
func locked(t *testing.T, s *postgres.Store) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	_, release, err := s.LockRunner(ctx)
	if err != nil {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("LockRunner: got %v, want DeadlineExceeded", err)
		}
		return false
	}
	release()
	return true
}

func TestLockRunner_waits(t *testing.T) {
	t.Parallel()
	dsn := server.Server(t).Open(t)
	a, b := open(t, dsn), open(t, dsn)
	held, release := lock(t, a)
	if locked(t, b) || locked(t, a) {
		t.Error("two have the right to run")
	}
	if held.Err() != nil {
		t.Errorf("the right was lost: %v", context.Cause(held))
	}
	release()
	release()
	if held.Err() == nil {
		t.Error("the right is held after its release")
	}
	if !locked(t, b) {
		t.Error("the right is not free after its release")
	}
}

// The right outlives its holder's death by its lease, and the leases of jobs end
// with it.
func TestLockRunner_takesOver(t *testing.T) {
	t.Parallel()
	dsn := server.Server(t).Open(t)
	p := newProxy(t, dsn)
	dead, heir := open(t, p.dsn), open(t, dsn)
	enqueue(t, dead, newJobs(0, 1)...)
	held, _ := lock(t, dead)
	l := leaseOne(t, dead)
	p.listener.Close()
	p.cut()
	if locked(t, heir) {
		t.Error("the right was free while its holder may live")
	}
	age(t, dsn, 15*time.Second)
	lock(t, heir)
	if got, err := heir.Reap(t.Context(), 3); err != nil || got != (queue.Reaped{Returned: 1}) {
		t.Errorf("Reap: got %+v, %v; want one returned", got, err)
	}
	if lost, err := heir.Heartbeat(t.Context(), time.Minute, l); err != nil || len(lost) != 1 {
		t.Errorf("Heartbeat of the old lease: lost %v, %v", lost, err)
	}
	select { // cut off, it knows by its own clock
	case <-held.Done():
	case <-time.After(30 * time.Second):
		t.Error("who is cut off thinks that it has the right for ever")
	}
}

// A holder that was frozen finds out when it looks.
func TestLockRunner_lost(t *testing.T) {
	t.Parallel()
	dsn := server.Server(t).Open(t)
	frozen, heir := open(t, dsn), open(t, dsn)
	held, release := lock(t, frozen)
	age(t, dsn, time.Minute)
	heldByHeir, _ := lock(t, heir)
	select {
	case <-held.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the right was taken, and its holder does not know")
	}
	if cause := context.Cause(held); cause == nil || errors.Is(cause, context.Canceled) {
		t.Errorf("cause: %v", cause)
	}
	release() // must not release the heir's
	if locked(t, frozen) || heldByHeir.Err() != nil {
		t.Error("the heir's right is gone")
	}
}
