package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

const bulk = 2000

// rankSmall has a small run come behind a bulk run, before and in the middle of
// it: each time it is through within its fair share of the next starts.
func rankSmall(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, ofRun("bulk", bulk)...)
	within := func(run string, starts int, lease func() []queue.Lease) {
		t.Helper()
		const n = 10
		enqueue(t, s, ofRun(run, n)...)
		started := 0
		for i := 0; i < starts; {
			for _, l := range lease() {
				if i++; l.Job.Run == run {
					started++
				}
				finish(t, s, l, queue.Done, "stored")
			}
		}
		if started != n {
			t.Errorf("run %s: %d of %d started within %d starts", run, started, n, starts)
		}
	}
	one := func() []queue.Lease { return []queue.Lease{leaseOne(t, s, key)} }
	within("first", 25, one)
	var done []queue.Settlement
	for _, l := range lease(t, s, key, bulk/4) {
		done = append(done, queue.Settlement{Lease: l, Verb: queue.Finish, State: queue.Done})
	}
	settle(t, s, done...)
	within("middle", 25, one)
	within("at once", 25, func() []queue.Lease { return lease(t, s, key, 25) })
}

// ranks compares the ranks of jobs, in order.
func ranks(t *testing.T, s Store, when string, want map[string]int64) {
	t.Helper()
	got := make(map[string]int64)
	for id := range want {
		got[id] = find(t, s, id).Rank
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ranks %s, want (-), got (+):\n%s", when, diff)
	}
}

func rankDocumented(t *testing.T, s Store, _ func(time.Duration)) {
	as := ofRun("a", 4)
	enqueue(t, s, as[:3]...)
	ranks(t, s, "of the first run", map[string]int64{"a0": 0, "a1": 1, "a2": 2})
	enqueue(t, s, ofRun("b", 2)...)
	ranks(t, s, "of a run that joins", map[string]int64{"b0": 0, "b1": 1})

	var order []string
	for range 3 {
		order = append(order, leaseOne(t, s, key).Job.ArtifactID)
	}
	if diff := cmp.Diff([]string{"a0", "b0", "a1"}, order); diff != "" {
		t.Errorf("leased by rank, then id, want (-), got (+):\n%s", diff)
	}
	enqueue(t, s, ofRun("c", 2)...)
	ranks(t, s, "that start at the first ready one's", map[string]int64{"c0": 1, "c1": 2})

	got, err := s.Enqueue(t.Context(), []queue.NewJob{as[0], as[1], as[3], as[3]})
	if want := (queue.Enqueued{Added: 1, Known: 3}); err != nil || got != want {
		t.Errorf("Enqueue: got %+v, %v; want %+v", got, err, want)
	}
	ranks(t, s, "after known jobs, which take none", map[string]int64{"a0": 0, "a1": 1, "a3": 3})

	urgent := ofRun("urgent", 2)
	for i := range urgent {
		urgent[i].Priority = 5
	}
	enqueue(t, s, urgent...)
	ranks(t, s, "with none ready at a priority", map[string]int64{"urgent0": 1, "urgent1": 2})
	order = nil
	for range 4 {
		order = append(order, leaseOne(t, s, key).Job.ArtifactID)
	}
	if diff := cmp.Diff([]string{"urgent0", "urgent1", "b1", "c0"}, order); diff != "" {
		t.Errorf("leased by priority before rank, want (-), got (+):\n%s", diff)
	}
	lease(t, s, key, 10)
	enqueue(t, s, ofRun("d", 2)...)
	ranks(t, s, "with none ready at all", map[string]int64{"d0": 3, "d1": 4})
	enqueue(t, s, queue.NewJob{ArtifactID: "elsewhere", Key: key2, Run: "d"})
	ranks(t, s, "at another key", map[string]int64{"elsewhere": 0})
}

// rankNew has runs of one job each come to a backlog: each is next, after those that
// came before it.
func rankNew(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, ofRun("bulk", 100)...)
	lease(t, s, key, 10)
	for _, run := range []string{"x", "y", "z"} {
		enqueue(t, s, ofRun(run, 1)...)
	}
	ranks(t, s, "behind ten that were leased", map[string]int64{"bulk10": 10, "x0": 9, "y0": 9, "z0": 9})
	var order []string
	for range 4 {
		order = append(order, leaseOne(t, s, key).Job.ArtifactID)
	}
	if diff := cmp.Diff([]string{"x0", "y0", "z0", "bulk10"}, order); diff != "" {
		t.Errorf("order of leases, want (-), got (+):\n%s", diff)
	}
}

// rankDelayed: delayed jobs have ranks, but nothing is served by them.
func rankDelayed(t *testing.T, s Store, advance func(time.Duration)) {
	later := ofRun("later", 3)
	for i := range later {
		later[i].Delay = time.Minute
	}
	enqueue(t, s, later...)
	enqueue(t, s, ofRun("now", 2)...)
	ranks(t, s, "beside delayed jobs", map[string]int64{"later0": 0, "later2": 2, "now0": 0, "now1": 1})
	lease(t, s, key, 2)
	enqueue(t, s, ofRun("next", 1)...)
	ranks(t, s, "with only delayed ones left", map[string]int64{"next0": 1})
	leaseOne(t, s, key)
	advance(time.Minute)
	enqueue(t, s, ofRun("last", 1)...)
	ranks(t, s, "behind delayed ones that became ready", map[string]int64{"last0": 0})
}

// rankKept follows a job through all that leaves it at its key.
func rankKept(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, ofRun("a", 5)...)
	lease(t, s, key, 3) // so that what is served has moved on
	const id, want = "a3", 3
	kept := func(when string, act func(l queue.Lease)) {
		t.Helper()
		l := leaseOne(t, s, key)
		if l.Job.ArtifactID != id || l.Job.Rank != want {
			t.Fatalf("before %s: leased %s of rank %d", when, l.Job.ArtifactID, l.Job.Rank)
		}
		act(l)
		ranks(t, s, "after "+when, map[string]int64{id: want})
	}
	back := func(verb queue.Verb, key string, delay time.Duration) func(queue.Lease) {
		return func(l queue.Lease) {
			t.Helper()
			settle(t, s, queue.Settlement{Lease: l, Verb: verb, Key: key, Delay: delay})
			advance(delay)
		}
	}
	kept("a retry", back(queue.Retry, "", 0))
	kept("a delayed retry", back(queue.Retry, "", 10*time.Second))
	kept("a release", back(queue.Release, "", 0))
	kept("an advance to no other key", back(queue.Advance, "", 0))
	kept("an advance to its own key", back(queue.Advance, key, 0))
	kept("a reap", func(l queue.Lease) {
		advance(ttl)
		if _, err := s.Reap(t.Context(), 1<<20); err != nil {
			t.Fatal(err)
		}
		for _, other := range lease(t, s, key, 3) { // the three from above are first again
			settle(t, s, queue.Settlement{Lease: other, Verb: queue.Finish, State: queue.Done})
		}
	})
	kept("a finish", func(l queue.Lease) { finish(t, s, l, queue.Error, "gone") })
}

func rankAnew(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, ofRun("a", 6)...)
	leases := make([]queue.Lease, 4)
	for i := range leases {
		leases[i] = leaseOne(t, s, key)
	}
	settle(t, s,
		queue.Settlement{Lease: leases[2], Verb: queue.Advance, Key: key2},
		queue.Settlement{Lease: leases[3], Verb: queue.Advance, Key: key2},
		queue.Settlement{Lease: leases[0], Verb: queue.Finish, State: queue.Error})
	ranks(t, s, "at the next key", map[string]int64{"a2": 0, "a3": 1})
	requeue(t, s, queue.Filter{}, 1)
	ranks(t, s, "after a requeue", map[string]int64{"a0": 6})

	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key2), Verb: queue.Advance, Key: key})
	ranks(t, s, "back at the first key", map[string]int64{"a2": 7, "a4": 4, "a5": 5})

	enqueue(t, s, ofRun("b", 3)...) // they start at 3, what was leased last, before the first ready one, a4
	want := []string{"b0", "a4", "b1", "a5", "b2", "a0", "a2"}
	var got []string
	for range want {
		got = append(got, leaseOne(t, s, key).Job.ArtifactID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of leases, want (-), got (+):\n%s", diff)
	}
	if l := lease(t, s, key, 1); len(l) != 0 {
		t.Errorf("leased more: %s", fmt.Sprint(l))
	}
}
