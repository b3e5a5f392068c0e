package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

// outcomes finishes jobs in several ways: 0 done, 1 skipped, 2 error gone at
// key2, 3 error crashed of run r; 4 is leased and 5 queued.
func outcomes(t *testing.T, s Store) {
	t.Helper()
	js := jobs(6)
	js[3].Run = "r"
	enqueue(t, s, js...)
	ls := lease(t, s, key, 5)
	byID := make(map[string]queue.Lease)
	for _, l := range ls {
		byID[l.Job.ArtifactID] = l
	}
	of := func(n int) queue.Lease { return byID[job(n).ArtifactID] }
	settle(t, s,
		queue.Settlement{Lease: of(0), Verb: queue.Finish, State: queue.Done, Reason: "stored"},
		queue.Settlement{Lease: of(1), Verb: queue.Finish, State: queue.Skipped, Reason: "licence"},
		queue.Settlement{Lease: of(2), Verb: queue.Finish, State: queue.Error, Class: "gone", Reason: "gone", Key: key2},
		queue.Settlement{Lease: of(3), Verb: queue.Finish, State: queue.Error, Class: "forbidden", Reason: "forbidden"})
}

func requeueFilter(t *testing.T, s Store, advance func(time.Duration)) {
	outcomes(t, s)
	advance(time.Hour)
	tests := []struct {
		name   string
		filter queue.Filter
		want   int
	}{
		{"queued and leased", queue.Filter{States: []queue.State{queue.Queued, queue.InProgress}}, 0},
		{"another class", queue.Filter{States: []queue.State{queue.Error}, Class: "paywall"}, 0},
		{"too young", queue.Filter{Older: 2 * time.Hour}, 0},
		{"its class", queue.Filter{States: []queue.State{queue.Error}, Class: "gone"}, 1},
		{"not twice", queue.Filter{States: []queue.State{queue.Error}, Class: "gone"}, 0},
		{"its run", queue.Filter{Run: "r", Key: key}, 1},
		{"at most one", queue.Filter{Limit: 1, Older: time.Hour}, 1},
		{"the rest", queue.Filter{}, 1},
		{"none left", queue.Filter{}, 0},
	}
	for _, tt := range tests {
		if n, err := s.Requeue(t.Context(), tt.filter); err != nil || n != tt.want {
			t.Errorf("Requeue, %s: got %d, %v; want %d", tt.name, n, err, tt.want)
		}
	}
	if st := stats(t, s); st.Queued != 5 || st.InProgress != 1 || st.Ready != 5 {
		t.Errorf("after all requeues: %+v", st)
	}
}

func requeueFresh(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: queue.Advance, Key: key2, Progress: raw(`{"p":1}`)})
	settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key2), Verb: queue.Retry, Class: "transient", Error: "x"})
	settle(t, s, queue.Settlement{
		Lease: leaseOne(t, s, key2), Verb: queue.Finish, State: queue.Error,
		Reason: "gone", Class: "gone", Error: "404", Result: raw(`{}`),
	})
	first := find(t, s, job(1).ArtifactID)
	if n, err := s.Requeue(t.Context(), queue.Filter{}); err != nil || n != 1 {
		t.Fatalf("Requeue: %d, %v", n, err)
	}
	want := queue.Job{ArtifactID: job(1).ArtifactID, Key: key, State: queue.Queued, FinishSeq: first.FinishSeq}
	if diff := cmp.Diff(want, find(t, s, job(1).ArtifactID), ignoreTimes()); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	finish(t, s, leaseOne(t, s, key), queue.Done, "stored")
	if j := find(t, s, job(1).ArtifactID); j.FinishSeq <= first.FinishSeq || j.Attempts != 1 {
		t.Errorf("finished again: number %d after %d, attempts %d", j.FinishSeq, first.FinishSeq, j.Attempts)
	}
}

func inspectNotFound(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	if _, err := s.Job(t.Context(), "doi:10.1000/"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Job: got %v, want ErrNotFound", err)
	}
}

func inspectPages(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, jobs(10)...)
	var got []string
	f := queue.Filter{Limit: 3}
	for {
		page := list(t, s, f)
		if len(page) == 0 {
			break
		}
		if len(page) > 3 {
			t.Fatalf("a page of %d", len(page))
		}
		got = append(got, names(page)...)
		f.After = page[len(page)-1].ID
	}
	if diff := cmp.Diff(names(list(t, s, queue.Filter{})), got); diff != "" || len(got) != 10 {
		t.Errorf("pages, want (-), got (+):\n%s", diff)
	}
}

func inspectFilters(t *testing.T, s Store, advance func(time.Duration)) {
	outcomes(t, s)
	advance(time.Minute)
	enqueue(t, s, job(6))
	tests := map[string]struct {
		filter queue.Filter
		want   []int
	}{
		"all":             {queue.Filter{}, []int{0, 1, 2, 3, 4, 5, 6}},
		"one state":       {queue.Filter{States: []queue.State{queue.Error}}, []int{2, 3}},
		"two states":      {queue.Filter{States: []queue.State{queue.Queued, queue.Done}}, []int{0, 5, 6}},
		"class":           {queue.Filter{Class: "gone"}, []int{2}},
		"state and class": {queue.Filter{States: []queue.State{queue.Error}, Class: "forbidden"}, []int{3}},
		"key":             {queue.Filter{Key: key2}, []int{2}},
		"run":             {queue.Filter{Run: "r"}, []int{3}},
		"older":           {queue.Filter{Older: time.Minute, States: []queue.State{queue.Queued}}, []int{5}},
		"finished":        {queue.Filter{AfterSeq: -1}, []int{0, 1, 2, 3}},
		"limit":           {queue.Filter{AfterSeq: 1, Limit: 2}, []int{1, 2}},
		"none":            {queue.Filter{Run: "nobody's"}, nil},
	}
	for name, tt := range tests {
		var want []string
		for _, n := range tt.want {
			want = append(want, job(n).ArtifactID)
		}
		if diff := cmp.Diff(want, names(list(t, s, tt.filter))); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", name, diff)
		}
	}
	if _, err := s.Jobs(t.Context(), queue.Filter{States: []queue.State{"lost"}}); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("an unknown state: got %v, want ErrInvalid", err)
	}
}

func statsSums(t *testing.T, s Store, advance func(time.Duration)) {
	if diff := cmp.Diff(queue.Stats{}, stats(t, s), ignoreAge()); diff != "" {
		t.Errorf("an empty store, want (-), got (+):\n%s", diff)
	}
	outcomes(t, s)
	for i := range 3 {
		enqueue(t, s, queue.NewJob{ArtifactID: fmt.Sprint("late", i), Key: "host:late", Delay: time.Minute})
	}
	want := queue.Stats{
		Queued: 4, InProgress: 1, Done: 1, Skipped: 1, Error: 2, Ready: 1, Delayed: 3,
		Keys:    []queue.KeyStats{{Key: key, Ready: 1, InFlight: 1}, {Key: "host:late", Delayed: 3}},
		Reasons: map[string]int{"stored": 1, "licence": 1, "gone": 1, "forbidden": 1},
		Classes: map[string]int{"gone": 1, "forbidden": 1},
	}
	compare := func(when string) {
		t.Helper()
		if diff := cmp.Diff(want, stats(t, s), ignoreAge()); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", when, diff)
		}
	}
	compare("before the delay")
	advance(time.Minute)
	want.Ready, want.Delayed = 4, 0
	want.Keys[1] = queue.KeyStats{Key: "host:late", Ready: 3}
	compare("after the delay")
	for _, l := range lease(t, s, "host:late", 3) {
		finish(t, s, l, queue.Done, "stored")
	}
	want.Queued, want.Ready, want.Done, want.Keys = 1, 1, 4, want.Keys[:1]
	want.Reasons["stored"] = 4
	compare("without a key")
	requeue(t, s, queue.Filter{Class: "gone"}, 1)
	want.Queued, want.Ready, want.Error = 2, 2, 1
	want.Keys[0].Ready = 2
	delete(want.Reasons, "gone")
	delete(want.Classes, "gone")
	compare("after a requeue")
}

func statsOldest(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, queue.NewJob{ArtifactID: "later", Key: key, Delay: time.Minute})
	if got := stats(t, s).OldestReady; got != 0 {
		t.Errorf("none ready: %v", got)
	}
	advance(90 * time.Second)
	enqueue(t, s, job(1))
	if got := stats(t, s).OldestReady; !near(got, 30*time.Second) {
		t.Errorf("ready for 30 s: got %v", got)
	}
	advance(10 * time.Second)
	leaseOne(t, s, key)
	if got := stats(t, s).OldestReady; !near(got, 10*time.Second) {
		t.Errorf("with the oldest leased: got %v, want 10 s", got)
	}
}

func inspectRuns(t *testing.T, s Store, _ func(time.Duration)) {
	js := jobs(7)
	for i, run := range []string{"thesis-b", "", "thesis-a", "thesis-b", "thésis", "50%_a", "other"} {
		js[i].Run = run
	}
	enqueue(t, s, js...)
	tests := map[string]struct {
		prefix string
		limit  int
		want   []string
	}{
		"all":          {"", 9, []string{"50%_a", "other", "thesis-a", "thesis-b", "thésis"}},
		"two":          {"", 2, []string{"50%_a", "other"}},
		"prefix":       {"thesis", 9, []string{"thesis-a", "thesis-b"}},
		"no pattern":   {"%", 9, nil},
		"percent sign": {"50%_", 9, []string{"50%_a"}},
		"letters":      {"thé", 9, []string{"thésis"}},
		"no such":      {"thesis-c", 9, nil},
		"no text":      {"\xff\x00", 9, nil},
	}
	for name, tt := range tests {
		got, err := s.Runs(t.Context(), tt.prefix, tt.limit)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
