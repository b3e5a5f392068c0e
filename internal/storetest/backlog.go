package storetest

import (
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
		key:      {Key: key, Ready: 2},
		key2:     {Key: key2, Ready: 1, Delayed: 1},
		"host:c": {Key: "host:c", Delayed: 1},
	}
	got, _ := backlog(t, s)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	advance(time.Minute)
	want[key2] = queue.KeyBacklog{Key: key2, Ready: 2}
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
	until := func(want time.Duration) {
		t.Helper()
		if _, got := backlog(t, s); got > want || got <= want-2*time.Second {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	enqueue(t, s,
		queue.NewJob{ArtifactID: "far", Key: key, Delay: time.Hour},
		queue.NewJob{ArtifactID: "near", Key: key, Delay: time.Minute})
	until(time.Minute)
	advance(time.Minute)
	until(59 * time.Minute)
}
