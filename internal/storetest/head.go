package storetest

import (
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
)

// headAge compares how long the job that is next at a key has been ready. A
// negative want stands for none.
func headAge(t *testing.T, s Store, when, key string, want time.Duration) {
	t.Helper()
	for _, k := range stats(t, s).Keys {
		if k.Key != key {
			continue
		}
		if want < 0 && k.HeadAge != 0 || want >= 0 && !near(k.HeadAge, want) {
			t.Errorf("%s: the next job at %s is ready for %v, want %v", when, key, k.HeadAge, want)
		}
		return
	}
	t.Errorf("%s: no stats of %s", when, key)
}

// none is the age of the next job where there is none.
const none = -1

// headThrough follows the only job of a key through what makes it ready.
func headThrough(t *testing.T, s Store, advance func(time.Duration)) {
	later := job(1)
	later.Delay = time.Minute
	enqueue(t, s, later, queue.NewJob{ArtifactID: "other", Key: key2})
	headAge(t, s, "delayed", key, none)
	headAge(t, s, "just enqueued", key2, 0)
	advance(70 * time.Second)
	headAge(t, s, "its delay is over", key, 10*time.Second)
	headAge(t, s, "enqueued", key2, 70*time.Second)
	backlog(t, s)
	headAge(t, s, "somebody has looked", key, 10*time.Second)
	pause(t, s, key)
	headAge(t, s, "paused", key, 10*time.Second)
	resume(t, s, key)

	l := leaseOne(t, s, key)
	headAge(t, s, "leased", key, none)
	settle(t, s, queue.Settlement{Lease: l, Verb: queue.Retry, Delay: time.Minute})
	headAge(t, s, "waits to be tried again", key, none)
	advance(65 * time.Second)
	headAge(t, s, "to be tried again", key, 5*time.Second)
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Release})
	advance(20 * time.Second)
	headAge(t, s, "released", key, 20*time.Second)
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Advance, Key: "host:c"})
	advance(30 * time.Second)
	headAge(t, s, "moved on", "host:c", 30*time.Second)
	leaseOne(t, s, "host:c")
	advance(ttl)
	reap(t, s, 9, queue.Reaped{Returned: 1})
	advance(40 * time.Second)
	headAge(t, s, "reaped", "host:c", 40*time.Second)
}

// headOrder: the age is that of the job that Lease gives next, which need not be
// the oldest, nor be known as ready to anybody yet.
func headOrder(t *testing.T, s Store, advance func(time.Duration)) {
	urgent, late := job(1), job(2)
	urgent.Priority, late.Priority, late.Delay = 1, 2, 20*time.Second
	enqueue(t, s, job(0), job(3))
	advance(10 * time.Second)
	headAge(t, s, "at first", key, 10*time.Second)
	enqueue(t, s, urgent, late)
	advance(10 * time.Second)
	headAge(t, s, "with one of higher priority", key, 10*time.Second)
	advance(15 * time.Second)
	headAge(t, s, "with one of the highest priority, whose delay is over", key, 5*time.Second)
	next := func(n int, left time.Duration) queue.Lease {
		t.Helper()
		l := leaseOne(t, s, key)
		if want := job(n).ArtifactID; l.Job.ArtifactID != want {
			t.Errorf("leased %s, want %s", l.Job.ArtifactID, want)
		}
		headAge(t, s, "after the lease of "+l.Job.ArtifactID, key, left)
		return l
	}
	next(2, 25*time.Second)
	next(1, 35*time.Second)
	first := next(0, 35*time.Second)
	settle(t, s, queue.Settlement{Lease: first, Verb: queue.Retry, Delay: 10 * time.Second})
	advance(15 * time.Second)
	headAge(t, s, "with the one of the lowest rank back", key, 5*time.Second)
	next(0, 50*time.Second)
	next(3, none)
}
