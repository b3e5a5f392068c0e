package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// ignoreTimes compares jobs but for the columns that every write changes, and
// ranks, which have checks of their own.
func ignoreTimes() cmp.Option {
	return cmpopts.IgnoreFields(queue.Job{}, "ID", "Rank", "CreatedAt", "UpdatedAt", "AvailableAt", "Payload")
}

func settleFinish(t *testing.T, s Store, _ func(time.Duration)) {
	for i, state := range []queue.State{queue.Done, queue.Skipped, queue.Error} {
		enqueue(t, s, job(i))
		l := leaseOne(t, s, key)
		settle(t, s, queue.Settlement{Lease: l, Verb: queue.Retry, Progress: raw(`{"step":1}`)})
		settle(t, s, queue.Settlement{
			Lease: leaseOne(t, s, key), Verb: queue.Finish, State: state, Key: key2,
			Reason: "why", Class: "gone", Error: "404", Result: raw(`{"path":"x"}`), Progress: raw(`{}`),
		})
		want := queue.Job{
			ArtifactID: job(i).ArtifactID, Key: key2, State: state, Attempts: 2, Result: raw(`{"path":"x"}`),
			Reason: "why", Class: "gone", LastError: "404", FinishSeq: int64(i) + 1,
		}
		if diff := cmp.Diff(want, find(t, s, job(i).ArtifactID), ignoreTimes()); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", state, diff)
		}
		if got := lease(t, s, key2, 1); len(got) != 0 {
			t.Errorf("leased a finished job: %v", got)
		}
	}
}

func settleVerbs(t *testing.T, s Store, advance func(time.Duration)) {
	tests := map[string]struct {
		give queue.Settlement
		want queue.Job // Attempts counts on from 1 of a Retry before
	}{
		"retry keeps the attempt": {
			queue.Settlement{Verb: queue.Retry, Reason: "later", Class: "transient", Error: "reset"},
			queue.Job{Key: key, Attempts: 2, Progress: raw(`{"p":0}`), Reason: "later", Class: "transient", LastError: "reset"},
		},
		"advance gives it back": {
			queue.Settlement{Verb: queue.Advance, Key: key2, Progress: raw(`{"p":1}`)},
			queue.Job{Key: key2, Attempts: 1, Progress: raw(`{"p":1}`)},
		},
		"release gives it back": {
			queue.Settlement{Verb: queue.Release, Reason: "stopped"},
			queue.Job{Key: key, Attempts: 1, Progress: raw(`{"p":0}`), Reason: "stopped"},
		},
	}
	n := 0
	for name, tt := range tests {
		n++
		enqueue(t, s, job(n))
		settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Retry, Progress: raw(`{"p":0}`)})
		tt.give.Lease, tt.give.Delay = leaseOne(t, s, key), time.Minute
		settle(t, s, tt.give)
		tt.want.State, tt.want.ArtifactID = queue.Queued, job(n).ArtifactID
		if diff := cmp.Diff(tt.want, find(t, s, job(n).ArtifactID), ignoreTimes()); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", name, diff)
		}
		if got := lease(t, s, tt.want.Key, 1); len(got) != 0 {
			t.Errorf("%s: leased %v before its delay was over", name, got)
		}
		advance(time.Minute)
		l := leaseOne(t, s, tt.want.Key)
		if l.Job.Attempts != tt.want.Attempts+1 {
			t.Errorf("%s: attempts of the next lease: got %d", name, l.Job.Attempts)
		}
		finish(t, s, l, queue.Done, "")
	}
}

// settleStale lets a lease run out, has another owner take the job, and tries
// every way in which the first may touch it then.
func settleStale(t *testing.T, s Store, advance func(time.Duration)) {
	for _, verb := range []queue.Verb{queue.Finish, queue.Retry, queue.Advance, queue.Release} {
		id := "job to " + string(verb)
		enqueue(t, s, queue.NewJob{ArtifactID: id, Key: id})
		slow := leaseOne(t, s, id)
		late := queue.Settlement{Lease: slow, Verb: verb, State: queue.Error, Key: key2, Reason: "late"}
		advance(ttl)
		if _, err := s.Reap(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		refused(t, s, "reaped", late)
		quick := leaseOne(t, s, id)
		refused(t, s, "leased again", late)
		finish(t, s, quick, queue.Done, "stored")
		refused(t, s, "finished", late)
	}
}

// refused tries a stale settlement, and a heartbeat of its lease.
func refused(t *testing.T, s Store, when string, late queue.Settlement) {
	t.Helper()
	before := find(t, s, late.Lease.Job.ArtifactID)
	errs, err := s.Settle(t.Context(), late)
	if err != nil || len(errs) != 1 || !errors.Is(errs[0], queue.ErrLeaseLost) {
		t.Errorf("%s when %s: got %v, %v; want ErrLeaseLost", late.Verb, when, errs, err)
	}
	lost, err := s.Heartbeat(t.Context(), ttl, late.Lease)
	if err != nil || len(lost) != 1 {
		t.Errorf("heartbeat when %s: lost %v, %v", when, lost, err)
	}
	if diff := cmp.Diff(before, find(t, s, before.ArtifactID)); diff != "" {
		t.Errorf("%s when %s changed the job:\n%s", late.Verb, when, diff)
	}
}

func settleStaleRecord(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	l := leaseOne(t, s, key)
	record := func(title string) queue.Settlement {
		r, err := paper.Record{ArtifactID: job(1).ArtifactID, Title: title}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return queue.Settlement{Lease: l, Verb: queue.Finish, State: queue.Done, Record: r}
	}
	settle(t, s, record("first"))
	if errs, err := s.Settle(t.Context(), record("late")); err != nil || !errors.Is(errs[0], queue.ErrLeaseLost) {
		t.Errorf("Settle twice: got %v, %v", errs, err)
	}
	if r, err := s.Get(t.Context(), job(1).ArtifactID); err != nil || r.Title != "first" {
		t.Errorf("record: got %q, %v; want the first", r.Title, err)
	}
}

func settleNeighbours(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, jobs(4)...)
	ls := lease(t, s, key, 4)
	bad := ls[1]
	bad.Token++
	done := func(l queue.Lease) queue.Settlement {
		return queue.Settlement{Lease: l, Verb: queue.Finish, State: queue.Done}
	}
	unknown := queue.Lease{Job: queue.Job{ID: 1 << 40}, Token: 1}
	errs, err := s.Settle(t.Context(), done(ls[0]), done(bad), done(ls[2]), done(ls[2]), done(unknown), done(ls[3]))
	if err != nil {
		t.Fatal(err)
	}
	for i, lost := range []bool{false, true, false, true, true, false} {
		if errors.Is(errs[i], queue.ErrLeaseLost) != lost || (errs[i] == nil) == lost {
			t.Errorf("settlement %d: got %v, lost is %v", i, errs[i], lost)
		}
	}
	if st := stats(t, s); st.Done != 3 || st.InProgress != 1 {
		t.Errorf("got %d done and %d in progress, want 3 and 1", st.Done, st.InProgress)
	}
	if errs, err := s.Settle(t.Context()); err != nil || len(errs) != 0 {
		t.Errorf("Settle of nothing: got %v, %v", errs, err)
	}
}

func settleInvalid(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, jobs(3)...)
	ls := lease(t, s, key, 3)
	errs, err := s.Settle(t.Context(),
		queue.Settlement{Lease: ls[0], Verb: queue.Finish, State: queue.Queued},
		queue.Settlement{Lease: ls[1], Verb: "vanish"},
		queue.Settlement{Lease: ls[2], Verb: queue.Release})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if !errors.Is(errs[i], queue.ErrInvalid) {
			t.Errorf("settlement %d: got %v, want ErrInvalid", i, errs[i])
		}
	}
	if errs[2] != nil {
		t.Errorf("their neighbour: got %v", errs[2])
	}
}

func settleClass(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	expect := func(when, class, text string) {
		t.Helper()
		if j := find(t, s, job(1).ArtifactID); j.Class != class || j.LastError != text {
			t.Errorf("%s: got class %q, error %q; want %q, %q", when, j.Class, j.LastError, class, text)
		}
	}
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Retry, Class: "transient", Error: "reset"})
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Advance})
	expect("advanced", "transient", "reset")
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Release, Class: "throttled", Error: "429"})
	expect("throttled", "throttled", "429")
	finish(t, s, leaseOne(t, s, key), queue.Done, "stored")
	expect("done", "", "")
}

// settleOddText: what a server said may be anything; it is kept as text can be.
func settleOddText(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	const odd, clean = "a\x00b\xffc \u202e\U0001F4DA\n", "a\uFFFDb\uFFFDc \u202e\U0001F4DA\n"
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Retry, Reason: odd, Class: odd, Error: odd})
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Finish, State: queue.Error, Reason: odd, Class: odd, Error: odd})
	if j := find(t, s, job(1).ArtifactID); j.Reason != clean || j.Class != clean || j.LastError != clean {
		t.Errorf("got %q, %q and %q, want %q", j.Reason, j.Class, j.LastError, clean)
	}
	for _, a := range attempts(t, s, job(1).ArtifactID) {
		if a.Reason != clean || a.Class != clean || a.Error != clean {
			t.Errorf("attempt %d: got %q, %q and %q, want %q", a.Number, a.Reason, a.Class, a.Error, clean)
		}
	}
	if st := stats(t, s); st.Reasons[clean] != 1 || st.Classes[clean] != 1 {
		t.Errorf("stats: %+v", st)
	}
}

func settleSequence(t *testing.T, s Store, advance func(time.Duration)) {
	const n = 20
	enqueue(t, s, jobs(n)...)
	ls := lease(t, s, key, n)
	var want []string
	for _, i := range []int{7, 3, 11} {
		finish(t, s, ls[i], queue.Done, fmt.Sprint(i))
		want = append(want, ls[i].Job.ArtifactID)
	}
	if diff := cmp.Diff(want, names(list(t, s, queue.Filter{AfterSeq: -1}))); diff != "" {
		t.Errorf("jobs in the order in which they finished, want (-), got (+):\n%s", diff)
	}
	// One finishes again, and those that crash get a number too.
	if _, err := s.Requeue(t.Context(), queue.Filter{After: ls[6].Job.ID, Limit: 1}); err != nil {
		t.Fatal(err)
	}
	again := leaseOne(t, s, key)
	finish(t, s, again, queue.Error, "gone")
	advance(ttl)
	if got, err := s.Reap(t.Context(), 1); err != nil || got.Ended != n-3 {
		t.Fatalf("Reap: %+v, %v", got, err)
	}
	all := list(t, s, queue.Filter{AfterSeq: -1})
	for i, j := range all {
		if i > 0 && j.FinishSeq <= all[i-1].FinishSeq {
			t.Errorf("sequence does not grow: %d after %d", j.FinishSeq, all[i-1].FinishSeq)
		}
		if j.FinishSeq > 2*n {
			t.Errorf("sequence has large gaps: %d outcomes, number %d", n+1, j.FinishSeq)
		}
	}
	if len(all) != n {
		t.Errorf("finished jobs: got %d, want %d", len(all), n)
	}
	after := list(t, s, queue.Filter{AfterSeq: all[4].FinishSeq, Limit: 2})
	if diff := cmp.Diff(names(all[5:7]), names(after)); diff != "" {
		t.Errorf("a page of the sequence, want (-), got (+):\n%s", diff)
	}
	// Whatever becomes of others, and if it is enqueued once more, an outcome keeps number
	// and time, to the millisecond. By that a manifest knows the store that it followed.
	if got, err := s.Enqueue(t.Context(), jobs(n)); err != nil || got.Added != 0 {
		t.Errorf("Enqueue of what is known: %+v, %v", got, err)
	}
	if _, err := s.Requeue(t.Context(), queue.Filter{ArtifactIDs: names(all[:1])}); err != nil {
		t.Fatal(err)
	}
	finish(t, s, leaseOne(t, s, key), queue.Done, "again")
	kept := list(t, s, queue.Filter{AfterSeq: -1})
	if diff := cmp.Diff(all[1:], kept[:n-1], cmpopts.IgnoreFields(queue.Job{}, "Rank")); diff != "" {
		t.Errorf("outcomes of others, want (-), got (+):\n%s", diff)
	}
}
