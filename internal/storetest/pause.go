package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/queue"
)

// ignoreAge compares stats but for how old the oldest job is.
func ignoreAge() cmp.Option {
	return cmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(queue.Stats{}, "OldestReady"),
		cmpopts.IgnoreFields(queue.KeyStats{}, "HeadAge"),
	}
}

// twoKeys enqueues two jobs at key and one at key2, with one more delayed there.
func twoKeys(t *testing.T, s Store) {
	t.Helper()
	enqueue(t, s, jobs(2)...)
	enqueue(t, s, queue.NewJob{ArtifactID: "b", Key: key2}, queue.NewJob{ArtifactID: "later", Key: key2, Delay: time.Hour})
}

// standing compares what Lease would give, the backlog and the stats with what
// they should be after twoKeys with the queue or keys paused.
func standing(t *testing.T, s Store, when string, all bool, paused ...string) {
	t.Helper()
	is := make(map[string]bool)
	for _, k := range paused {
		is[k] = true
	}
	stats1 := queue.Stats{
		Queued: 4, Ready: 3, Delayed: 1, Paused: all,
		Keys: []queue.KeyStats{{Key: key, Ready: 2, Paused: is[key]}, {Key: key2, Ready: 1, Delayed: 1, Paused: is[key2]}},
	}
	if diff := cmp.Diff(stats1, stats(t, s), ignoreAge()); diff != "" {
		t.Errorf("%s: stats, want (-), got (+):\n%s", when, diff)
	}
	want := map[string]queue.KeyBacklog{
		key:  {Key: key, Ready: 2},
		key2: {Key: key2, Ready: 1, Delayed: 1},
	}
	for k, b := range want {
		if all || is[k] {
			b.Ready, b.Paused = 0, true
			want[k] = b
		}
	}
	got, _ := backlog(t, s)
	if diff := cmp.Diff(want, got, ignoreAge()); diff != "" {
		t.Errorf("%s: backlog, want (-), got (+):\n%s", when, diff)
	}
	leases, err := s.Lease(t.Context(), "me", []queue.Want{{Key: key, N: 9}, {Key: key2, N: 9}}, ttl)
	if err != nil || len(leases) != want[key].Ready+want[key2].Ready {
		t.Errorf("%s: leased %d, %v", when, len(leases), err)
	}
	for _, l := range leases {
		settle(t, s, queue.Settlement{Lease: l, Verb: queue.Release})
	}
}

func pauseKey(t *testing.T, s Store, _ func(time.Duration)) {
	twoKeys(t, s)
	standing(t, s, "at first", false)
	for range 2 { // the second time changes nothing
		pause(t, s, key)
		standing(t, s, "paused", false, key)
	}
	resume(t, s, key2) // which was not paused
	standing(t, s, "another key resumed", false, key)
	for range 2 {
		resume(t, s, key)
		standing(t, s, "resumed", false)
	}
}

func pauseQueue(t *testing.T, s Store, advance func(time.Duration)) {
	resume(t, s, "")
	twoKeys(t, s)
	for range 2 {
		pause(t, s, "")
		standing(t, s, "paused", true)
	}
	enqueue(t, s, queue.NewJob{ArtifactID: "new", Key: "host:new"})
	if got := lease(t, s, "host:new", 1); len(got) != 0 {
		t.Errorf("leased at a new key of a paused queue: %v", got)
	}
	cancel(t, s, queue.Filter{Key: "host:new"}, 1)
	prune(t, s, queue.Filter{}, 1)
	for range 2 {
		resume(t, s, "")
		standing(t, s, "resumed", false)
	}
	pause(t, s, "")
	advance(time.Hour) // time goes on meanwhile
	resume(t, s, "")
	if got := lease(t, s, key2, 9); len(got) != 2 {
		t.Errorf("leased %d at key2 after its delay, want 2", len(got))
	}
}

func pauseIndependent(t *testing.T, s Store, _ func(time.Duration)) {
	twoKeys(t, s)
	pause(t, s, key)
	pause(t, s, "")
	standing(t, s, "both", true, key)
	resume(t, s, "")
	standing(t, s, "the queue resumed", false, key)
	pause(t, s, "")
	resume(t, s, key)
	standing(t, s, "the key resumed", true)
	pause(t, s, key2)
	resume(t, s, "")
	standing(t, s, "the other key is left", false, key2)
}

// pauseUnknown: a pause comes before the jobs, and outlives them.
func pauseUnknown(t *testing.T, s Store, _ func(time.Duration)) {
	pause(t, s, key)
	want := queue.Stats{Keys: []queue.KeyStats{{Key: key, Paused: true}}}
	if diff := cmp.Diff(want, stats(t, s), ignoreAge()); diff != "" {
		t.Errorf("paused without jobs, want (-), got (+):\n%s", diff)
	}
	if keys, until := backlog(t, s); len(keys) != 0 || until >= 0 {
		t.Errorf("backlog without jobs: %v, %v", keys, until)
	}
	for range 2 {
		twoKeys(t, s)
		standing(t, s, "jobs came", false, key)
		cancel(t, s, queue.Filter{}, 4)
		prune(t, s, queue.Filter{}, 4)
		if diff := cmp.Diff(want, stats(t, s), ignoreAge()); diff != "" {
			t.Errorf("jobs went, want (-), got (+):\n%s", diff)
		}
	}
	resume(t, s, key)
	if st := stats(t, s); len(st.Keys) != 0 {
		t.Errorf("resumed without jobs: %+v", st)
	}
}

// pauseLeased: leases of a paused key can be extended, settled and lost.
func pauseLeased(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, jobs(5)...)
	ls := lease(t, s, key, 5)
	pause(t, s, key)
	advance(ttl / 2)
	if lost, err := s.Heartbeat(t.Context(), ttl, ls[:4]...); err != nil || len(lost) != 0 {
		t.Errorf("Heartbeat: lost %v, %v", lost, err)
	}
	advance(ttl / 2)
	reap(t, s, 3, queue.Reaped{Returned: 1})
	settle(t, s,
		queue.Settlement{Lease: ls[0], Verb: queue.Finish, State: queue.Done, Reason: "stored"},
		queue.Settlement{Lease: ls[1], Verb: queue.Retry},
		queue.Settlement{Lease: ls[2], Verb: queue.Advance, Key: key2},
		queue.Settlement{Lease: ls[3], Verb: queue.Release})
	want := queue.Stats{
		Queued: 4, Done: 1, Ready: 4, Reasons: map[string]int{"stored": 1},
		Keys: []queue.KeyStats{{Key: key, Ready: 3, Paused: true}, {Key: key2, Ready: 1}},
	}
	if diff := cmp.Diff(want, stats(t, s), ignoreAge()); diff != "" {
		t.Errorf("stats, want (-), got (+):\n%s", diff)
	}
	if got := lease(t, s, key, 9); len(got) != 0 {
		t.Errorf("leased %d at the paused key", len(got))
	}
	if got := lease(t, s, key2, 9); len(got) != 1 {
		t.Errorf("leased %d at the next key, want 1", len(got))
	}
}

func pauseSurvives(t *testing.T, db Database) {
	s := db.open(t)
	twoKeys(t, s)
	pause(t, s, key)
	other := db.open(t)
	standing(t, other, "for another store", false, key)
	closeStore(t, s)
	closeStore(t, other)
	s = db.open(t)
	standing(t, s, "opened again", false, key)
	pause(t, s, "")
	closeStore(t, s)
	s = db.open(t)
	standing(t, s, "with the queue paused, too", true, key)
	resume(t, s, "")
	resume(t, s, key)
	closeStore(t, s)
	standing(t, db.open(t), "resumed", false)
}
