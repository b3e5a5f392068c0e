package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

// crowd makes twelve jobs, named by what became of them and by their half; the
// second half comes an hour after the first.
func crowd(t *testing.T, s Store, advance func(time.Duration)) {
	t.Helper()
	fates := []string{"done", "skipped", "gone", "forbidden", "queued", "leased"}
	half := func(n int) {
		var js []queue.NewJob
		for _, fate := range fates {
			id := fmt.Sprint(fate, n)
			js = append(js, queue.NewJob{ArtifactID: id, Key: key, Run: fmt.Sprint("run", n), Priority: n})
		}
		enqueue(t, s, js...)
		give := []queue.Settlement{
			{Verb: queue.Finish, State: queue.Done, Reason: "stored"},
			{Verb: queue.Finish, State: queue.Skipped, Reason: "licence"},
			{Verb: queue.Finish, State: queue.Error, Reason: "gone", Class: "gone", Key: key2},
			{Verb: queue.Finish, State: queue.Error, Reason: "forbidden", Class: "forbidden"},
			{Verb: queue.Retry, Reason: "later", Class: "transient"},
		}
		for _, l := range lease(t, s, key, len(fates)) { // in any order
			i := slices.IndexFunc(js, func(j queue.NewJob) bool { return j.ArtifactID == l.Job.ArtifactID })
			if i < len(give) {
				give[i].Lease = l
			}
		}
		settle(t, s, give...)
	}
	half(1)
	advance(time.Hour)
	half(2)
}

// A filterCase selects jobs of a crowd.
type filterCase struct {
	filter queue.Filter
	want   []string // in the order of their ids
}

func filterCases(t *testing.T, s Store) map[string]filterCase {
	t.Helper()
	id := func(name string) int64 { return find(t, s, name).ID }
	finished := []queue.State{queue.Done, queue.Skipped, queue.Error}
	open := []queue.State{queue.Queued, queue.InProgress}
	return map[string]filterCase{
		"all": {queue.Filter{}, []string{
			"done1", "skipped1", "gone1", "forbidden1", "queued1", "leased1",
			"done2", "skipped2", "gone2", "forbidden2", "queued2", "leased2",
		}},
		"artifacts": {
			queue.Filter{ArtifactIDs: []string{"queued2", "none", "done1", "done1", "leased1", "gone2"}},
			[]string{"done1", "leased1", "gone2", "queued2"},
		},
		"no such artifact": {queue.Filter{ArtifactIDs: []string{"done", "DONE1", "done1 "}}, nil},
		"prefix":           {queue.Filter{Prefix: "gone"}, []string{"gone1", "gone2"}},
		"a whole id":       {queue.Filter{Prefix: "leased2"}, []string{"leased2"}},
		"no such prefix":   {queue.Filter{Prefix: "%one"}, nil},
		"state":            {queue.Filter{States: []queue.State{queue.Error}}, []string{"gone1", "forbidden1", "gone2", "forbidden2"}},
		"states":           {queue.Filter{States: []queue.State{queue.Skipped, queue.Queued}}, []string{"skipped1", "queued1", "skipped2", "queued2"}},
		"finished":         {queue.Filter{States: finished, Run: "run2"}, []string{"done2", "skipped2", "gone2", "forbidden2"}},
		"open":             {queue.Filter{States: open}, []string{"queued1", "leased1", "queued2", "leased2"}},
		"class":            {queue.Filter{Class: "gone"}, []string{"gone1", "gone2"}},
		"class of an open": {queue.Filter{Class: "transient"}, []string{"queued1", "queued2"}},
		"key":              {queue.Filter{Key: key2}, []string{"gone1", "gone2"}},
		"other key":        {queue.Filter{Key: key, States: []queue.State{queue.Error}}, []string{"forbidden1", "forbidden2"}},
		"run":              {queue.Filter{Run: "run1", States: open}, []string{"queued1", "leased1"}},
		"older":            {queue.Filter{Older: time.Hour}, []string{"done1", "skipped1", "gone1", "forbidden1", "queued1", "leased1"}},
		"too old":          {queue.Filter{Older: 2 * time.Hour}, nil},
		"after":            {queue.Filter{After: id("skipped2")}, []string{"gone2", "forbidden2", "queued2", "leased2"}},
		"after the last":   {queue.Filter{After: id("leased2")}, nil},
		"ever finished":    {queue.Filter{AfterSeq: -1, Run: "run1"}, []string{"done1", "skipped1", "gone1", "forbidden1"}},
		"finished later":   {queue.Filter{AfterSeq: find(t, s, "skipped2").FinishSeq}, []string{"gone2", "forbidden2"}},
		"all fields": {queue.Filter{
			ArtifactIDs: []string{"gone1", "gone2"}, States: finished, Class: "gone", Key: key2, Run: "run1",
			Older: time.Hour, After: id("done1"), AfterSeq: 1, Limit: 9,
		}, []string{"gone1"}},
		"nobody's run":        {queue.Filter{Run: "nobody's"}, nil},
		"class but not state": {queue.Filter{Class: "gone", States: []queue.State{queue.Done}}, nil},
	}
}

// A control is a method of [queue.Controller] that takes a filter.
type control struct {
	call    func(s Store, ctx context.Context, f queue.Filter) (int, error)
	touches []string                           // the kinds of jobs of a crowd that it changes
	after   func(j queue.Job, found bool) bool // what a changed job looks like
}

func controls() map[string]control {
	finished := []string{"done", "skipped", "gone", "forbidden"}
	return map[string]control{
		"Requeue": {Store.Requeue, finished, func(j queue.Job, found bool) bool {
			return found && j.State == queue.Queued && j.Attempts == 0 && j.Reason == "" && j.Class == ""
		}},
		"Cancel": {Store.Cancel, []string{"leased", "queued"}, func(j queue.Job, found bool) bool {
			return found && j.State == queue.Skipped && j.Reason == queue.ReasonCancelled && j.Owner == ""
		}},
		"Prune": {Store.Prune, finished, func(_ queue.Job, found bool) bool { return !found }},
	}
}

// controlFilters gives every filter, with limits and without, to all methods
// that take one, and looks at all jobs afterwards.
func controlFilters(t *testing.T, db Database) {
	s := db.open(t)
	crowd(t, s, db.Advance)
	for name, tt := range filterCases(t, s) {
		got := names(list(t, s, tt.filter))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Jobs, %s, want (-), got (+):\n%s", name, diff)
		}
	}
	if t.Failed() {
		return
	}
	for method, c := range controls() {
		for name := range filterCases(t, s) {
			for _, limit := range []int{0, 2} {
				tt := filterCases(t, s)[name] // numbers are others in each crowd
				if limit >= len(tt.want) && limit > 0 {
					continue // it would bind nothing
				}
				if n := c.try(t, s, fmt.Sprintf("%s, %s, limit %d", method, name, limit), tt, limit); n > 0 {
					again(t, s, db.Advance)
				}
				if t.Failed() {
					return
				}
			}
		}
	}
}

// try calls the method, and compares what it changed with what it should have.
// It returns how many jobs changed.
func (c control) try(t *testing.T, s Store, what string, tt filterCase, limit int) int {
	t.Helper()
	f := tt.filter
	if limit > 0 {
		f.Limit = limit
	}
	want := slices.DeleteFunc(slices.Clone(tt.want), func(id string) bool {
		return !slices.Contains(c.touches, id[:len(id)-1])
	})
	if f.Limit > 0 {
		want = want[:min(f.Limit, len(want))]
	}
	before := list(t, s, queue.Filter{})
	told := 0
	f.Changed = func(sum int) { told = sum }
	n, err := c.call(s, t.Context(), f)
	if err != nil || n != len(want) || told != n {
		t.Errorf("%s: got %d, %v, and told %d; want %d", what, n, err, told, len(want))
	}
	after := make(map[string]queue.Job)
	for _, j := range list(t, s, queue.Filter{}) {
		after[j.ArtifactID] = j
	}
	for _, was := range before {
		is, found := after[was.ArtifactID]
		switch changes := slices.Contains(want, was.ArtifactID); {
		case changes && !c.after(is, found):
			t.Errorf("%s: %s is %+v", what, was.ArtifactID, is)
		case !changes && !reflect.DeepEqual(was, is): // cmp.Equal is slow
			t.Errorf("%s: %s changed:\n%s", what, was.ArtifactID, cmp.Diff(was, is))
		}
	}
	return n
}

// again brings the crowd back as it was in an empty store.
func again(t *testing.T, s Store, advance func(time.Duration)) {
	t.Helper()
	for _, sweep := range []func(context.Context, queue.Filter) (int, error){s.Cancel, s.Prune} {
		if _, err := sweep(t.Context(), queue.Filter{}); err != nil {
			t.Fatal(err)
		}
	}
	crowd(t, s, advance)
}

func controlInvalid(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	many := make([]string, queue.MaxFilterIDs+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	calls := map[string]func(f queue.Filter) error{
		"Jobs": func(f queue.Filter) error { _, err := s.Jobs(t.Context(), f); return err },
	}
	for name, c := range controls() {
		calls[name] = func(f queue.Filter) error { _, err := c.call(s, t.Context(), f); return err }
	}
	for name, call := range calls {
		if err := call(queue.Filter{States: []queue.State{"lost"}}); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s of an unknown state: got %v, want ErrInvalid", name, err)
		}
		if err := call(queue.Filter{Prefix: "\xff"}); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s of a prefix that is no text: got %v, want ErrInvalid", name, err)
		}
		if err := call(queue.Filter{ArtifactIDs: many}); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s of too many artifacts: got %v, want ErrInvalid", name, err)
		}
	}
	many[1] = job(1).ArtifactID
	if got := list(t, s, queue.Filter{ArtifactIDs: many[1:]}); len(got) != 1 {
		t.Errorf("of as many artifacts as may be: got %d jobs, want 1", len(got))
	}
	if j := find(t, s, job(1).ArtifactID); j.State != queue.Queued {
		t.Errorf("a job that no filter selected is %s", j.State)
	}
}

// controlMany crosses the sizes in which a store cuts up its transactions.
func controlMany(t *testing.T, s Store, _ func(time.Duration)) {
	const n, half = 1234, 1050
	all := jobs(n)
	enqueue(t, s, all...)
	ids := make([]string, n)
	for i, j := range all {
		ids[i] = j.ArtifactID
	}
	cancel(t, s, queue.Filter{Limit: half}, half)
	if st := stats(t, s); st.Queued != n-half || st.Skipped != half || st.Reasons[queue.ReasonCancelled] != half {
		t.Errorf("after %d were cancelled: %+v", half, st)
	}
	cancel(t, s, queue.Filter{ArtifactIDs: ids}, n-half)
	requeue(t, s, queue.Filter{Limit: half, After: find(t, s, ids[99]).ID}, half)
	if l := leaseOne(t, s, key); l.Job.ArtifactID != ids[100] {
		t.Errorf("the first that was requeued: got %s, want %s", l.Job.ArtifactID, ids[100])
	}
	cancel(t, s, queue.Filter{States: []queue.State{queue.Queued, queue.InProgress}}, half)
	prune(t, s, queue.Filter{Limit: half}, half)
	prune(t, s, queue.Filter{ArtifactIDs: ids}, n-half)
	if diff := cmp.Diff(queue.Stats{}, stats(t, s), ignoreAge()); diff != "" {
		t.Errorf("after all were pruned, want (-), got (+):\n%s", diff)
	}
}
