package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

func cancelQueued(t *testing.T, s Store, advance func(time.Duration)) {
	later := job(2)
	later.Delay = time.Minute
	enqueue(t, s, job(1), later)
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Advance, Key: key2, Progress: raw(`{"p":1}`)})
	cancel(t, s, queue.Filter{}, 2)
	for i, n := range []int{1, 2} {
		j := find(t, s, job(n).ArtifactID)
		if j.State != queue.Skipped || j.Reason != queue.ReasonCancelled || j.FinishSeq != int64(i)+1 ||
			!j.AvailableAt.IsZero() || j.Attempts != 0 {
			t.Errorf("job %d: %+v", n, j)
		}
		if len(attempts(t, s, j.ArtifactID)) != 0 {
			t.Errorf("job %d has a failed attempt", n)
		}
	}
	advance(time.Minute)
	if got := append(lease(t, s, key, 2), lease(t, s, key2, 2)...); len(got) != 0 {
		t.Errorf("leased cancelled jobs: %v", got)
	}
	if keys, until := backlog(t, s); len(keys) != 0 || until >= 0 {
		t.Errorf("backlog of cancelled jobs: %v, %v", keys, until)
	}
}

// cancelLeased: the worker hears of it whatever it tries, and changes nothing.
func cancelLeased(t *testing.T, s Store, advance func(time.Duration)) {
	seq := int64(0)
	for _, verb := range []queue.Verb{queue.Finish, queue.Retry, queue.Advance, queue.Release} {
		id := "job to " + string(verb)
		enqueue(t, s, queue.NewJob{ArtifactID: id, Key: id})
		l := leaseOne(t, s, id)
		cancel(t, s, queue.Filter{ArtifactIDs: []string{id}}, 1)
		j := find(t, s, id)
		if j.State != queue.Skipped || j.Reason != queue.ReasonCancelled || j.Owner != "" ||
			!j.LeaseExpiresAt.IsZero() || j.FinishSeq <= seq {
			t.Errorf("cancelled: %+v", j)
		}
		seq = j.FinishSeq
		doc, err := paper.Record{ArtifactID: id, Title: "late"}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		refused(t, s, "cancelled", queue.Settlement{Lease: l, Verb: verb, State: queue.Done, Class: "gone", Record: doc})
		if _, err := s.Get(t.Context(), id); !errors.Is(err, paper.ErrNotFound) {
			t.Errorf("the record of a lost lease: got %v, want ErrNotFound", err)
		}
		advance(ttl)
		reap(t, s, 1, queue.Reaped{})
		if as := attempts(t, s, id); len(as) != 0 {
			t.Errorf("attempts of a cancelled job: %+v", as)
		}
		requeue(t, s, queue.Filter{ArtifactIDs: []string{id}}, 1)
		again := leaseOne(t, s, id)
		if again.Token <= l.Token {
			t.Errorf("token %d after %d", again.Token, l.Token)
		}
		refused(t, s, "requeued and leased again", queue.Settlement{Lease: l, Verb: verb, State: queue.Done})
		finish(t, s, again, queue.Done, "stored")
	}
}

func cancelTerminal(t *testing.T, s Store, _ func(time.Duration)) {
	outcomes(t, s)
	finished := []queue.State{queue.Done, queue.Skipped, queue.Error}
	before := list(t, s, queue.Filter{States: finished})
	cancel(t, s, queue.Filter{States: finished}, 0)
	cancel(t, s, queue.Filter{}, 2)
	cancel(t, s, queue.Filter{}, 0)
	after := list(t, s, queue.Filter{States: finished})
	if diff := cmp.Diff(before, after[:len(before)]); diff != "" {
		t.Errorf("Cancel changed finished jobs:\n%s", diff)
	}
	if st := stats(t, s); st.Done != 1 || st.Skipped != 3 || st.Error != 2 || st.Total() != 6 || len(st.Keys) != 0 {
		t.Errorf("after all: %+v", st)
	}
	if got := names(list(t, s, queue.Filter{AfterSeq: 4})); len(got) != 2 {
		t.Errorf("finished by being cancelled: %v", got)
	}
}
