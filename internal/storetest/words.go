package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
)

// The words in which checks are written.

const (
	key  = "host:a.example"
	key2 = "host:b.example"
	ttl  = time.Minute
)

// job is a job at key whose artifact is named by n.
func job(n int) queue.NewJob {
	return queue.NewJob{ArtifactID: fmt.Sprintf("doi:10.1000/%04d", n), Key: key}
}

// jobs are n jobs at key, in order.
func jobs(n int) []queue.NewJob {
	js := make([]queue.NewJob, n)
	for i := range js {
		js[i] = job(i)
	}
	return js
}

// ofRun are n jobs at key of a run, named by it and numbered from 0.
func ofRun(run string, n int) []queue.NewJob {
	js := make([]queue.NewJob, n)
	for i := range js {
		js[i] = queue.NewJob{ArtifactID: fmt.Sprint(run, i), Key: key, Run: run}
	}
	return js
}

func enqueue(t *testing.T, s Store, jobs ...queue.NewJob) {
	t.Helper()
	got, err := s.Enqueue(t.Context(), jobs)
	if err != nil || got.Added != len(jobs) {
		t.Fatalf("Enqueue of %d new jobs: got %+v, %v", len(jobs), got, err)
	}
}

func lease(t *testing.T, s Store, key string, n int) []queue.Lease {
	t.Helper()
	leases, err := s.Lease(t.Context(), "me", []queue.Want{{Key: key, N: n}}, ttl)
	if err != nil {
		t.Fatalf("Lease: %v", err)
	}
	return leases
}

func leaseOne(t *testing.T, s Store, key string) queue.Lease {
	t.Helper()
	leases := lease(t, s, key, 1)
	if len(leases) != 1 {
		t.Fatalf("Lease of one job at %s: got %d", key, len(leases))
	}
	return leases[0]
}

// settle settles, and fails the test unless each settlement counts.
func settle(t *testing.T, s Store, settlements ...queue.Settlement) {
	t.Helper()
	errs, err := s.Settle(t.Context(), settlements...)
	if err := errors.Join(append(errs, err)...); err != nil || len(errs) != len(settlements) {
		t.Fatalf("Settle of %d: got %d answers, %v", len(settlements), len(errs), err)
	}
}

func finish(t *testing.T, s Store, l queue.Lease, state queue.State, reason string) {
	t.Helper()
	settle(t, s, queue.Settlement{Lease: l, Verb: queue.Finish, State: state, Reason: reason})
}

// reap fails the test unless Reap does what is wanted.
func reap(t *testing.T, s Store, maxAttempts int, want queue.Reaped) {
	t.Helper()
	if got, err := s.Reap(t.Context(), maxAttempts); err != nil || got != want {
		t.Fatalf("Reap: got %+v, %v; want %+v", got, err, want)
	}
}

// requeue, cancel and prune fail the test unless n jobs change.
func requeue(t *testing.T, s Store, f queue.Filter, n int) {
	t.Helper()
	changed(t, "Requeue", n)(s.Requeue(t.Context(), f))
}

func cancel(t *testing.T, s Store, f queue.Filter, n int) {
	t.Helper()
	changed(t, "Cancel", n)(s.Cancel(t.Context(), f))
}

func prune(t *testing.T, s Store, f queue.Filter, n int) {
	t.Helper()
	changed(t, "Prune", n)(s.Prune(t.Context(), f))
}

func changed(t *testing.T, what string, want int) func(n int, err error) {
	return func(n int, err error) {
		t.Helper()
		if err != nil || n != want {
			t.Fatalf("%s: got %d, %v; want %d", what, n, err, want)
		}
	}
}

func pause(t *testing.T, s Store, key string) {
	t.Helper()
	if err := s.Pause(t.Context(), key); err != nil {
		t.Fatalf("Pause: %v", err)
	}
}

func resume(t *testing.T, s Store, key string) {
	t.Helper()
	if err := s.Resume(t.Context(), key); err != nil {
		t.Fatalf("Resume: %v", err)
	}
}

func find(t *testing.T, s Store, artifactID string) queue.Job {
	t.Helper()
	j, err := s.Job(t.Context(), artifactID)
	if err != nil {
		t.Fatalf("Job: %v", err)
	}
	return j
}

func list(t *testing.T, s Store, f queue.Filter) []queue.Job {
	t.Helper()
	jobs, err := s.Jobs(t.Context(), f)
	if err != nil {
		t.Fatalf("Jobs(%+v): %v", f, err)
	}
	return jobs
}

func attempts(t *testing.T, s Store, artifactID string) []queue.Attempt {
	t.Helper()
	as, err := s.Attempts(t.Context(), artifactID)
	if err != nil {
		t.Fatalf("Attempts: %v", err)
	}
	return as
}

// names are the artifacts of jobs, in order.
func names(jobs []queue.Job) []string {
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ArtifactID)
	}
	return ids
}

func stats(t *testing.T, s Store) queue.Stats {
	t.Helper()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatalf("Stats: %v", err)
	}
	return st
}

// near reports whether d is want, or a little more for a clock that runs on.
func near(d, want time.Duration) bool { return d >= want && d < want+2*time.Second }

func raw(s string) json.RawMessage { return json.RawMessage(s) }
