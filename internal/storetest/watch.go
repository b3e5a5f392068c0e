package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
)

// soon is the most that a wake-up may take; in fake time it costs nothing.
const soon = 30 * time.Second

// A watcher listens to a store's Watch. That nothing is reported is seen by
// what is reported next, so each loud operation is at a key of its own.
type watcher struct {
	s     Store
	woken chan []queue.KeyBacklog
	ready map[string]int // how many jobs have become ready at each key
	said  map[string]int // how many of them were reported, by name
	louds int            // keys that loud has used
}

// watch listens to s until the test ends.
func watch(t *testing.T, s Store) *watcher {
	t.Helper()
	w := &watcher{
		s: s, woken: make(chan []queue.KeyBacklog, 1<<10),
		ready: make(map[string]int), said: make(map[string]int),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Watch(ctx, func(arrived []queue.KeyBacklog) {
			select {
			case w.woken <- slices.Clone(arrived):
			default:
				t.Error("woken a thousand times")
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	return w
}

// next waits for a report and checks what it names.
func (w *watcher) next(t *testing.T, after string) (arrived []queue.KeyBacklog) {
	t.Helper()
	select {
	case arrived = <-w.woken:
	case <-time.After(soon):
		t.Fatalf("%s did not wake within %v", after, soon)
	}
	for _, k := range arrived {
		w.said[k.Key] += k.Ready
		if k.Ready < 1 || w.said[k.Key] > w.ready[k.Key] {
			t.Fatalf("after %s: woke for %+v; %d jobs in all became ready there, %d are reported by now",
				after, k, w.ready[k.Key], w.said[k.Key])
		}
	}
	return arrived
}

// arrives waits until n more ready jobs at key are reported, or that anything
// may have changed.
func (w *watcher) arrives(t *testing.T, after, key string, n int) {
	t.Helper()
	w.ready[key] += n
	for n > 0 {
		arrived := w.next(t, after)
		if arrived == nil {
			return
		}
		for _, k := range arrived {
			if k.Key == key {
				n -= k.Ready
			}
		}
	}
}

// changes waits until it is reported that anything may have changed.
func (w *watcher) changes(t *testing.T, after string) {
	t.Helper()
	for w.next(t, after) != nil {
	}
}

// loud has s enqueue n jobs at a key that is new, loud:0 at first, and waits for
// the report.
func (w *watcher) loud(t *testing.T, s Store, after string, n int) (key string) {
	t.Helper()
	key = fmt.Sprint("loud:", w.louds)
	w.louds++
	var js []queue.NewJob
	for i := range n {
		js = append(js, queue.NewJob{ArtifactID: fmt.Sprint(key, "/", i), Key: key})
	}
	enqueue(t, s, js...)
	w.arrives(t, after, key, n)
	return key
}

// watchOwn: what makes jobs ready wakes, what does not is not reported.
func watchOwn(t *testing.T, s Store, _ func(time.Duration)) {
	w := watch(t, s)
	w.loud(t, s, "the first Enqueue", 1)
	w.loud(t, s, "Enqueue", 3)
	if _, err := s.Enqueue(t.Context(), []queue.NewJob{{ArtifactID: "loud:0/0", Key: key}}); err != nil {
		t.Fatal(err)
	}
	w.loud(t, s, "Enqueue of a known job, and of a new one", 1)
	enqueue(t, s, queue.NewJob{ArtifactID: "later", Key: "delayed", Delay: time.Hour})
	w.loud(t, s, "Enqueue of a delayed job, and of a ready one", 1)
	finish(t, s, leaseOne(t, s, "loud:0"), queue.Error, "gone")
	finish(t, s, leaseOne(t, s, "loud:1"), queue.Error, "gone")
	w.loud(t, s, "Lease, Settle and Enqueue", 1)
	requeue(t, s, queue.Filter{ArtifactIDs: []string{"loud:0/0"}}, 1)
	w.arrives(t, "Requeue", "loud:0", 1)
	requeue(t, s, queue.Filter{States: []queue.State{queue.Done}}, 0)
	w.loud(t, s, "Requeue of nothing, and Enqueue", 1)

	enqueue(t, s, queue.NewJob{ArtifactID: "x", Key: "x"}, queue.NewJob{ArtifactID: "y1", Key: "y"},
		queue.NewJob{ArtifactID: "y2", Key: "y"}, queue.NewJob{ArtifactID: "y3", Key: "y", Delay: time.Hour})
	w.ready["x"]++
	w.arrives(t, "Enqueue at two keys", "y", 2)
	w.loud(t, s, "the last Enqueue", 1)
}

// watchOther: in the store that watches arrive the operations of another.
func watchOther(t *testing.T, a, b Store, _ func(time.Duration)) {
	w := watch(t, a)
	for i := range 3 {
		w.loud(t, b, fmt.Sprint("Enqueue of another store ", i), i+1)
	}
	finish(t, b, leaseOne(t, b, "loud:0"), queue.Error, "gone")
	requeue(t, b, queue.Filter{}, 1)
	w.arrives(t, "Requeue of another store", "loud:0", 1)
	settle(t, b, queue.Settlement{Lease: leaseOne(t, b, "loud:0"), Verb: queue.Advance, Key: key2})
	w.arrives(t, "Advance in another store", key2, 1)
	w.loud(t, a, "Enqueue of the own store", 1)
}

// watchControl: what may change anything says so, in every store.
func watchControl(t *testing.T, a, b Store, _ func(time.Duration)) {
	enqueue(t, a, jobs(4)...)
	own, other := watch(t, a), watch(t, b)
	own.ready[key], other.ready[key] = 4, 4 // a report may be on its way when Watch begins
	other.ready[own.loud(t, a, "Enqueue", 1)]++
	tell := func(what string, act func()) {
		t.Helper()
		act()
		own.changes(t, what)
		other.changes(t, what+" in another store")
	}
	for _, l := range lease(t, a, key, 2) {
		tell("Cancel of a leased job", func() { cancel(t, a, queue.Filter{ArtifactIDs: []string{l.Job.ArtifactID}}, 1) })
	}
	for _, key := range []string{key, ""} {
		tell("Pause", func() { pause(t, a, key) })
		tell("Resume", func() { resume(t, a, key) })
	}
}
