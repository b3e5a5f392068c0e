package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

// pruneForgets: the job and its attempts are gone and the record stays; the
// artifact is new to Enqueue, but nothing of the old job may be taken for it.
func pruneForgets(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, jobs(2)...)
	id := job(0).ArtifactID
	first := leaseOne(t, s, key)
	settle(t, s, queue.Settlement{Lease: first, Verb: queue.Retry, Class: "transient", Error: "reset"})
	doc, err := record(id, "kept").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	settle(t, s, queue.Settlement{
		Lease: leaseOne(t, s, key), Verb: queue.Finish, State: queue.Error, Reason: "gone", Class: "gone", Record: doc,
	})
	if n := len(attempts(t, s, id)); n != 2 {
		t.Errorf("attempts before: %d", n)
	}
	old := find(t, s, id)
	prune(t, s, queue.Filter{ArtifactIDs: []string{id}}, 1)

	if _, err := s.Job(t.Context(), id); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Job: got %v, want ErrNotFound", err)
	}
	if _, err := s.Attempts(t.Context(), id); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Attempts: got %v, want ErrNotFound", err)
	}
	if r, err := s.Get(t.Context(), id); err != nil || r.Title != "kept" {
		t.Errorf("record: got %q, %v", r.Title, err)
	}
	want := queue.Stats{Queued: 1, Ready: 1, Keys: []queue.KeyStats{{Key: key, Ready: 1}}}
	if diff := cmp.Diff(want, stats(t, s), ignoreAge()); diff != "" {
		t.Errorf("stats, want (-), got (+):\n%s", diff)
	}
	requeue(t, s, queue.Filter{}, 0)
	prune(t, s, queue.Filter{}, 0)

	enqueue(t, s, job(0))
	if n := len(attempts(t, s, id)); n != 0 {
		t.Errorf("attempts of the new job: %d", n)
	}
	if j := find(t, s, id); j.Attempts != 0 || j.FinishSeq != 0 || j.Class != "" || j.ID <= old.ID {
		t.Errorf("the new job: %+v", j)
	}
	lease(t, s, key, 2)
	for _, verb := range []queue.Verb{queue.Finish, queue.Release} {
		refused(t, s, "pruned and enqueued again", queue.Settlement{Lease: first, Verb: verb, State: queue.Done})
	}
}

func pruneOpen(t *testing.T, s Store, _ func(time.Duration)) {
	outcomes(t, s)
	open := []queue.State{queue.Queued, queue.InProgress}
	before := list(t, s, queue.Filter{States: open})
	last := list(t, s, queue.Filter{AfterSeq: -1})
	prune(t, s, queue.Filter{States: open}, 0)
	prune(t, s, queue.Filter{}, 4)
	if diff := cmp.Diff(before, list(t, s, queue.Filter{})); diff != "" {
		t.Errorf("what is left, want (-), got (+):\n%s", diff)
	}
	// Numbers that were given out with a job are not given out again without it.
	cancel(t, s, queue.Filter{}, 2)
	for _, j := range list(t, s, queue.Filter{}) {
		if j.FinishSeq <= last[len(last)-1].FinishSeq {
			t.Errorf("%s finished as number %d, after one that was pruned", j.ArtifactID, j.FinishSeq)
		}
	}
	// All go; the ids of later jobs still grow.
	prune(t, s, queue.Filter{}, 2)
	enqueue(t, s, job(9))
	if j := find(t, s, job(9).ArtifactID); j.ID <= before[1].ID {
		t.Errorf("id %d after %d was pruned", j.ID, before[1].ID)
	}
}
