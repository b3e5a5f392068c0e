package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

func reapReturns(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, jobs(2)...)
	l := leaseOne(t, s, key)
	advance(ttl - time.Second)
	if got, err := s.Reap(t.Context(), 3); err != nil || got != (queue.Reaped{}) {
		t.Errorf("Reap of live leases: got %+v, %v", got, err)
	}
	advance(time.Second)
	if got := lease(t, s, key, 5); len(got) != 1 || got[0].Job.ID == l.Job.ID {
		t.Errorf("Lease took a lease that ran out and was not reaped: %v", got)
	}
	if got, err := s.Reap(t.Context(), 3); err != nil || got != (queue.Reaped{Returned: 1}) {
		t.Errorf("Reap: got %+v, %v; want one returned", got, err)
	}
	want := queue.Job{ArtifactID: l.Job.ArtifactID, Key: key, State: queue.Queued, Attempts: 1}
	if diff := cmp.Diff(want, find(t, s, l.Job.ArtifactID), ignoreTimes()); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if again := leaseOne(t, s, key); again.Job.Attempts != 2 || again.Token <= l.Token {
		t.Errorf("second lease: attempts %d, token %d after %d", again.Job.Attempts, again.Token, l.Token)
	}
}

// reapEnds follows a job that kills its worker each time.
func reapEnds(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, job(1))
	const most = 3
	for attempt := 1; attempt <= most; attempt++ {
		if l := leaseOne(t, s, key); l.Job.Attempts != attempt {
			t.Fatalf("attempt %d has number %d", attempt, l.Job.Attempts)
		}
		advance(ttl)
		want := queue.Reaped{Returned: 1}
		if attempt == most {
			want = queue.Reaped{Ended: 1}
		}
		if got, err := s.Reap(t.Context(), most); err != nil || got != want {
			t.Fatalf("Reap after attempt %d: got %+v, %v; want %+v", attempt, got, err, want)
		}
	}
	j := find(t, s, job(1).ArtifactID)
	if j.State != queue.Error || j.Class != queue.ClassCrashed || j.Reason != queue.ClassCrashed ||
		j.Attempts != most || j.FinishSeq == 0 || j.LastError == "" {
		t.Errorf("got %+v", j)
	}
	if got := lease(t, s, key, 1); len(got) != 0 {
		t.Errorf("leased it once more: %v", got)
	}
	if _, err := s.Reap(t.Context(), 0); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("Reap with no attempts allowed: got %v, want ErrInvalid", err)
	}
}
