package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
)

// Who follows the sequence of final outcomes misses none, however many processes
// finish jobs at the same time.
func TestStore_followed(t *testing.T) {
	t.Parallel()
	const stores, each, n = 3, 4, 900
	dsn := server.Server(t).Open(t)
	follower := open(t, dsn)
	enqueue(t, follower, newJobs(0, n)...)
	var workers sync.WaitGroup
	for range stores {
		s := open(t, dsn)
		for range each {
			workers.Go(func() { finishAll(t, s) })
		}
	}
	ended := make(chan struct{})
	go func() {
		workers.Wait()
		close(ended)
	}()
	seen := make(map[int64]bool)
	for last, over := int64(-1), false; !over || len(seen) < n; {
		select {
		case <-ended:
			if over {
				t.Fatalf("saw %d of %d final outcomes", len(seen), n)
			}
			over = true
		default:
		}
		jobs, err := follower.Jobs(t.Context(), queue.Filter{AfterSeq: last})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			last, seen[j.ID] = j.FinishSeq, true
		}
	}
}

func finishAll(t *testing.T, s *postgres.Store) {
	for {
		leases, err := s.Lease(t.Context(), "me", []queue.Want{{Key: newJobs(0, 1)[0].Key, N: 3}}, time.Minute)
		if err != nil {
			t.Errorf("Lease: %v", err)
		}
		if len(leases) == 0 {
			return
		}
		errs, err := s.Settle(t.Context(), done(leases)...)
		if err := fmt.Sprint(append(errs, err)); err != fmt.Sprint(make([]error, len(leases)+1)) {
			t.Errorf("Settle: %s", err)
		}
	}
}

// What the changes add up to is what it was before they were summed up.
func TestReap_compacts(t *testing.T) {
	t.Parallel()
	dsn := server.Server(t).Open(t)
	s := open(t, dsn)
	enqueue(t, s, newJobs(0, 10)...)
	execute(t, dsn, "INSERT INTO quire.waiting (key, ready, delayed) SELECT 'k', (i % 3) - 1, 0 FROM generate_series(1, 9000) i")
	for deadline := time.Now().Add(30 * time.Second); ; {
		if _, err := s.Reap(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		var rows int
		query(t, dsn, "SELECT count(*) FROM quire.waiting", &rows)
		if rows == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d rows are left", rows)
		}
		sleep(t.Context(), 50*time.Millisecond)
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Ready != 10 || len(st.Keys) != 1 {
		t.Errorf("Stats: %+v, %v", st, err)
	}
}
