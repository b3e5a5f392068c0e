package sqlite

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

const (
	// runnerPoll is how often a process that waits for its turn to run looks again.
	runnerPoll = 250 * time.Millisecond
	// frozenAfter is for how long we must see a lease past its end to know that
	// nobody reaps: the process that holds the lock is alive, but stopped or stuck.
	// One look tells nothing: the machine may just have woken, or its clock jumped,
	// and the holder, which reaps every second, have had no time to notice.
	frozenAfter = 3 * time.Second
)

// LockRunner waits until this Store may run jobs and returns the function that
// gives the right up, and a context that ends when the right is lost. A file lock
// is never lost, so that is ctx. One Store at a time has it, among all processes that use
// the file, so that a cap or pace kept in memory holds for all of them. The
// right is a lock on the file path+".run", which ends with its process.
//
// Leases left by a process that has died end at once. If the holder of the lock
// is alive but lets its leases run out, LockRunner returns without the lock and
// keeps trying for it until release; the fences of the leases keep a frozen
// process that thaws from doing harm.
func (s *Store) LockRunner(ctx context.Context) (held context.Context, release func(), err error) {
	release, err = s.lockRunner(ctx)
	return ctx, release, err
}

func (s *Store) lockRunner(ctx context.Context) (release func(), err error) {
	if s.w == nil {
		return nil, fmt.Errorf("lock for running: %w", errReadOnly)
	}
	lock := flock.New(s.runFile(), flock.SetPermissions(fileMode))
	var overdue time.Time // since when we see leases past their end
	for {
		locked, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("lock for running: %w", err)
		}
		if locked {
			if err := s.endLeases(ctx); err != nil {
				_ = lock.Close()
				return nil, fmt.Errorf("lock for running: %w", err)
			}
			return sync.OnceFunc(func() { _ = lock.Close() }), nil
		}
		found, err := s.overdue(ctx)
		switch {
		case err != nil:
			return nil, fmt.Errorf("lock for running: %w", explained(err))
		case !found:
			overdue = time.Time{}
		case overdue.IsZero():
			overdue = time.Now()
		case time.Since(overdue) >= frozenAfter:
			return lockLater(lock), nil
		}
		if !sleep(ctx, runnerPoll) {
			return nil, fmt.Errorf("wait for the process that runs this queue: %w", ctx.Err())
		}
	}
}

// endLeases lets all leases run out now: with the lock held, whoever took them
// has gone.
func (s *Store) endLeases(ctx context.Context) error {
	const query = `UPDATE jobs INDEXED BY jobs_due SET due = ? WHERE state = 2 AND due > ?`
	_, err := write(ctx, s.w, func(t *tx) (int, error) { return t.exec(query, t.now, t.now) })
	return err
}

// overdue reports whether a lease ran out and was not reaped.
func (s *Store) overdue(ctx context.Context) (found bool, err error) {
	const query = `SELECT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_due WHERE state = 2 AND due <= ?)`
	err = s.rdb.QueryRowContext(ctx, query, time.Now().UnixMilli()).Scan(&found)
	return found, err
}

// lockLater takes the lock when its frozen holder lets go, so that no third
// process takes our leases for those of a dead one. release stops it.
func lockLater(lock *flock.Flock) (release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = lock.TryLockContext(ctx, runnerPoll)
	}()
	return sync.OnceFunc(func() {
		cancel()
		<-done
		_ = lock.Close()
	})
}

// sleep waits and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
