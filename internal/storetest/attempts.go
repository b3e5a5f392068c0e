package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/queue"
)

// attemptsKinds: which ends of a lease are kept as an attempt.
func attemptsKinds(t *testing.T, s Store, _ func(time.Duration)) {
	tests := map[string]struct {
		give queue.Settlement
		kept bool
	}{
		"retry":             {queue.Settlement{Verb: queue.Retry}, true},
		"retry with class":  {queue.Settlement{Verb: queue.Retry, Class: "transient", Error: "reset"}, true},
		"error":             {queue.Settlement{Verb: queue.Finish, State: queue.Error, Reason: "gone"}, true},
		"error with class":  {queue.Settlement{Verb: queue.Finish, State: queue.Error, Class: "gone", Error: "404"}, true},
		"done":              {queue.Settlement{Verb: queue.Finish, State: queue.Done, Reason: "stored"}, false},
		"done with class":   {queue.Settlement{Verb: queue.Finish, State: queue.Done, Class: "paywall"}, true},
		"skipped":           {queue.Settlement{Verb: queue.Finish, State: queue.Skipped, Reason: "licence"}, false},
		"skipped, class":    {queue.Settlement{Verb: queue.Finish, State: queue.Skipped, Class: "paywall"}, true},
		"advance":           {queue.Settlement{Verb: queue.Advance, Key: key2, Reason: "next"}, false},
		"advance, class":    {queue.Settlement{Verb: queue.Advance, Key: key2, Reason: "next", Class: "gone", Error: "404"}, true},
		"release":           {queue.Settlement{Verb: queue.Release, Reason: "stopped"}, false},
		"release, throttle": {queue.Settlement{Verb: queue.Release, Reason: "throttled", Class: "throttled", Error: "429"}, true},
	}
	for name, tt := range tests {
		enqueue(t, s, queue.NewJob{ArtifactID: name, Key: name})
		tt.give.Lease = leaseOne(t, s, name)
		settle(t, s, tt.give)
		var want []queue.Attempt
		if tt.kept {
			want = []queue.Attempt{{
				Number: 1, Token: tt.give.Lease.Token, Key: name, Owner: "me",
				Reason: tt.give.Reason, Class: tt.give.Class, Error: tt.give.Error,
			}}
		}
		got := attempts(t, s, name)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(queue.Attempt{}, "Started", "Ended")); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", name, diff)
		}
	}
	if _, err := s.Attempts(t.Context(), "nobody"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Attempts of no job: got %v, want ErrNotFound", err)
	}
}

// attemptsFields follows one job through attempts of several owners and keys.
func attemptsFields(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, job(1))
	id := job(1).ArtifactID
	var tokens []int64
	take := func(owner, key string) queue.Lease {
		t.Helper()
		ls, err := s.Lease(t.Context(), owner, []queue.Want{{Key: key, N: 1}}, ttl)
		if err != nil || len(ls) != 1 {
			t.Fatalf("Lease: got %v, %v", ls, err)
		}
		tokens = append(tokens, ls[0].Token)
		return ls[0]
	}
	l := take("ann", key)
	advance(10 * time.Second)
	settle(t, s, queue.Settlement{Lease: l, Verb: queue.Retry, Reason: "later", Class: "transient", Error: "reset"})
	settle(t, s, queue.Settlement{Lease: take("ann", key), Verb: queue.Advance, Key: key2}) // no failure
	take("bob", key2)
	advance(ttl) // bob dies
	reap(t, s, 3, queue.Reaped{Returned: 1})
	l = take("cy", key2)
	advance(time.Second)
	settle(t, s, queue.Settlement{Lease: l, Verb: queue.Finish, State: queue.Error, Reason: "gone", Class: "gone", Error: "404"})
	want := []queue.Attempt{
		{Number: 1, Token: tokens[0], Key: key, Owner: "ann", Reason: "later", Class: "transient", Error: "reset"},
		{Number: 2, Token: tokens[2], Key: key2, Owner: "bob", Class: queue.ClassCrashed},
		{Number: 3, Token: tokens[3], Key: key2, Owner: "cy", Reason: "gone", Class: "gone", Error: "404"},
	}
	got := attempts(t, s, id)
	if len(got) == 3 { // what is said of one that broke off is the store's own
		if got[1].Error == "" {
			t.Error("an attempt that broke off says nothing of it")
		}
		got[1].Reason, got[1].Error = "", ""
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(queue.Attempt{}, "Started", "Ended")); diff != "" {
		t.Fatalf("want (-), got (+):\n%s", diff)
	}
	for i, took := range []time.Duration{10 * time.Second, ttl, time.Second} {
		a := got[i]
		if d := a.Ended.Sub(a.Started); !near(d, took) || a.Started.Location() != time.UTC || a.Ended.Location() != time.UTC {
			t.Errorf("attempt %d: from %v to %v, want %v", i+1, a.Started, a.Ended, took)
		}
		if i > 0 && a.Started.Before(got[i-1].Ended) {
			t.Errorf("attempt %d began at %v, before the end of the one before, %v", i+1, a.Started, got[i-1].Ended)
		}
	}
	if d := find(t, s, id).UpdatedAt.Sub(got[2].Ended); d < -time.Second || d > time.Second {
		t.Errorf("the last attempt ended %v before the job", d)
	}
}

func attemptsLast(t *testing.T, s Store, _ func(time.Duration)) {
	const n, least = 30, 20
	enqueue(t, s, jobs(2)...)
	var want []string
	for i := range n {
		l := leaseOne(t, s, key)
		why := fmt.Sprint("reset ", i)
		settle(t, s, queue.Settlement{Lease: l, Verb: queue.Retry, Class: "transient", Error: why})
		want = append(want, fmt.Sprint(l.Job.Attempts, l.Token, why))
	}
	var got []string
	for _, a := range attempts(t, s, job(0).ArtifactID) {
		got = append(got, fmt.Sprint(a.Number, a.Token, a.Error))
	}
	if len(got) < least || len(got) > n {
		t.Fatalf("kept %d attempts of %d, want %d at least", len(got), n, least)
	}
	if diff := cmp.Diff(want[n-len(got):], got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if as := attempts(t, s, job(1).ArtifactID); len(as) != 0 {
		t.Errorf("attempts of a job that never failed: %+v", as)
	}
}

// attemptsApart: that a job was handed back many times without failing is no
// reason to forget how it failed before.
func attemptsApart(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	const each, between = 8, 120
	failures := 0
	for range 2 {
		for range each {
			failures++
			settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Retry, Error: fmt.Sprint(failures)})
		}
		for range between {
			settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Release})
		}
	}
	got := attempts(t, s, job(1).ArtifactID)
	if len(got) != failures || got[0].Error != "1" {
		t.Errorf("%d failures with %d releases between them: %d attempts are kept: %+v", failures, between, len(got), got)
	}
}

// attemptsKept: a requeue begins the numbers anew and forgets nothing, and the
// last attempt of a job that ended by crashing is there, too.
func attemptsKept(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, job(1))
	id := job(1).ArtifactID
	leaseOne(t, s, key)
	advance(ttl)
	reap(t, s, 1, queue.Reaped{Ended: 1})
	first := attempts(t, s, id)
	if len(first) != 1 || first[0].Number != 1 || first[0].Class != queue.ClassCrashed {
		t.Fatalf("after a crash: %+v", first)
	}
	requeue(t, s, queue.Filter{}, 1)
	if diff := cmp.Diff(first, attempts(t, s, id)); diff != "" {
		t.Errorf("after a requeue, want (-), got (+):\n%s", diff)
	}
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Retry, Class: "transient"})
	finish(t, s, leaseOne(t, s, key), queue.Done, "stored")
	got := attempts(t, s, id)
	if len(got) != 2 || got[1].Number != 1 || got[1].Token <= got[0].Token {
		t.Fatalf("after one more failure: %+v", got)
	}
	if diff := cmp.Diff(first, got[:1]); diff != "" {
		t.Errorf("the first attempt, want (-), got (+):\n%s", diff)
	}
}
