package storetest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

func backlog(t *testing.T, s Store) (map[string]queue.KeyBacklog, time.Duration) {
	t.Helper()
	keys, until, err := s.Backlog(t.Context())
	if err != nil {
		t.Fatalf("Backlog: %v", err)
	}
	byKey := make(map[string]queue.KeyBacklog)
	for _, k := range keys {
		byKey[k.Key] = k
	}
	if len(byKey) != len(keys) {
		t.Errorf("Backlog names a key twice: %v", keys)
	}
	return byKey, until
}

func backlogKeys(t *testing.T, s Store, advance func(time.Duration)) {
	if keys, until := backlog(t, s); len(keys) != 0 || until >= 0 {
		t.Errorf("an empty store: %v, %v", keys, until)
	}
	enqueue(t, s, jobs(3)...)
	enqueue(t, s,
		queue.NewJob{ArtifactID: "b1", Key: key2},
		queue.NewJob{ArtifactID: "b2", Key: key2, Delay: time.Minute},
		queue.NewJob{ArtifactID: "c", Key: "host:c", Delay: time.Hour},
		queue.NewJob{ArtifactID: "d", Key: "host:d"})
	leaseOne(t, s, key)
	leaseOne(t, s, "host:d")
	want := map[string]queue.KeyBacklog{
		key:      {Key: key, Ready: 2, Oldest: find(t, s, job(1).ArtifactID).ID},
		key2:     {Key: key2, Ready: 1, Delayed: 1, Oldest: find(t, s, "b1").ID},
		"host:c": {Key: "host:c", Delayed: 1},
	}
	got, _ := backlog(t, s)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	advance(time.Minute)
	want[key2] = queue.KeyBacklog{Key: key2, Ready: 2, Oldest: find(t, s, "b1").ID}
	got, _ = backlog(t, s)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a minute later, want (-), got (+):\n%s", diff)
	}
}

func backlogUntil(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, job(1))
	if _, until := backlog(t, s); until >= 0 {
		t.Errorf("nothing is delayed: got %v", until)
	}
	near := func(got, want time.Duration) bool { return got <= want && got > want-2*time.Second }
	enqueue(t, s,
		queue.NewJob{ArtifactID: "far", Key: key, Delay: time.Hour},
		queue.NewJob{ArtifactID: "near", Key: key, Delay: time.Minute})
	if _, until := backlog(t, s); !near(until, time.Minute) {
		t.Errorf("got %v, want a minute", until)
	}
	advance(time.Minute)
	if _, until := backlog(t, s); !near(until, 59*time.Minute) {
		t.Errorf("got %v, want 59 minutes", until)
	}
}

// watching calls s.Watch until stop is called, and counts how often it wakes.
func watching(t *testing.T, s Store) (wakes *atomic.Int64, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	wakes = new(atomic.Int64)
	go func() { done <- s.Watch(ctx, func([]queue.KeyBacklog) { wakes.Add(1) }) }()
	return wakes, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	}
}

func watchOwn(t *testing.T, s Store, advance func(time.Duration)) {
	wakes, stop := watching(t, s)
	defer stop()
	advance(time.Second)
	wakes.Store(0) // it may wake as it begins
	woken := func(what string, want bool) {
		t.Helper()
		before := wakes.Swap(0)
		advance(time.Second)
		if got := before + wakes.Swap(0); (got > 0) != want {
			t.Errorf("%s: woke %d times", what, got)
		}
	}
	woken("at rest", false)
	enqueue(t, s, jobs(2)...)
	woken("Enqueue", true)
	if _, err := s.Enqueue(t.Context(), jobs(2)); err != nil {
		t.Fatal(err)
	}
	woken("Enqueue of known jobs", false)
	l := leaseOne(t, s, key)
	woken("Lease", false)
	finish(t, s, l, queue.Error, "gone")
	woken("Settle", false)
	if _, err := s.Requeue(t.Context(), queue.Filter{}); err != nil {
		t.Fatal(err)
	}
	woken("Requeue", true)
}

func watchOther(t *testing.T, a, b Store, advance func(time.Duration)) {
	wakes, stop := watching(t, a)
	defer stop()
	advance(time.Second)
	for i := range 3 {
		wakes.Store(0)
		enqueue(t, b, job(i))
		advance(time.Second)
		if wakes.Load() == 0 {
			t.Errorf("Enqueue %d of another store did not wake", i)
		}
	}
}
