package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

// reopenKeeps closes a store in the middle of its work, without settling
// anything: the next one finds all as it was.
func reopenKeeps(t *testing.T, db Database) {
	s := db.open(t)
	outcomes(t, s)
	later := job(7)
	later.Delay, later.Run = time.Hour, "later"
	enqueue(t, s, later)
	put(t, s, record("doi:10.1/x", "title"))
	jobs, counts := list(t, s, queue.Filter{}), stats(t, s)
	failed := attempts(t, s, job(2).ArtifactID)
	closeStore(t, s)
	closeStore(t, s) // which does nothing
	if _, err := s.Enqueue(t.Context(), []queue.NewJob{job(9)}); err == nil {
		t.Error("Enqueue after Close: no error")
	}

	s = db.open(t)
	if diff := cmp.Diff(jobs, list(t, s, queue.Filter{})); diff != "" {
		t.Errorf("jobs, want (-), got (+):\n%s", diff)
	}
	if diff := cmp.Diff(counts, stats(t, s), ignoreAge()); diff != "" {
		t.Errorf("stats, want (-), got (+):\n%s", diff)
	}
	if diff := cmp.Diff(failed, attempts(t, s, job(2).ArtifactID)); diff != "" || len(failed) != 1 {
		t.Errorf("attempts, want (-), got (+):\n%s", diff)
	}
	if r, err := s.Get(t.Context(), "doi:10.1/x"); err != nil || r.Title != "title" {
		t.Errorf("record: got %q, %v", r.Title, err)
	}
	// Ranks go on where they were: the job of no run behind its own, the first.
	enqueue(t, s, job(8))
	if got, last := find(t, s, job(8).ArtifactID).Rank, find(t, s, job(5).ArtifactID).Rank; got != last+1 {
		t.Errorf("rank: got %d after %d", got, last)
	}
	db.Advance(ttl)
	reap(t, s, 3, queue.Reaped{Returned: 1})
}
