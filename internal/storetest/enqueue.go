package storetest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/queue"
)

func enqueueIdempotent(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	finish(t, s, leaseOne(t, s, key), queue.Done, "stored")
	before := find(t, s, job(1).ArtifactID)

	again := job(1)
	again.Key, again.Priority, again.Payload = key2, 9, raw(`{"other":true}`)
	got, err := s.Enqueue(t.Context(), []queue.NewJob{again, job(2), job(2)})
	if want := (queue.Enqueued{Added: 1, Known: 2}); err != nil || got != want {
		t.Errorf("Enqueue of a known, a new and a doubled job: got %+v, %v; want %+v", got, err, want)
	}
	if diff := cmp.Diff(before, find(t, s, job(1).ArtifactID)); diff != "" {
		t.Errorf("the known job has changed:\n%s", diff)
	}
	if got, err := s.Enqueue(t.Context(), nil); err != nil || got != (queue.Enqueued{}) {
		t.Errorf("Enqueue of nothing: got %+v, %v", got, err)
	}
}

func enqueueConcurrent(t *testing.T, s Store, _ func(time.Duration)) {
	const callers, each = 8, 100
	var mu sync.Mutex
	var sum queue.Enqueued
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			got, err := s.Enqueue(t.Context(), jobs(each))
			if err != nil {
				t.Errorf("Enqueue: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum.Added += got.Added
			sum.Known += got.Known
		})
	}
	all.Wait()
	if want := (queue.Enqueued{Added: each, Known: (callers - 1) * each}); sum != want {
		t.Errorf("%d callers with the same jobs: got %+v, want %+v", callers, sum, want)
	}
	if n := stats(t, s).Total(); n != each {
		t.Errorf("rows: got %d, want %d", n, each)
	}
}

func enqueueAllOrNone(t *testing.T, s Store, _ func(time.Duration)) {
	bad := job(3)
	bad.Key = ""
	if _, err := s.Enqueue(t.Context(), []queue.NewJob{job(1), job(2), bad}); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("Enqueue with one bad job: got %v, want ErrInvalid", err)
	}
	if n := stats(t, s).Total(); n != 0 {
		t.Errorf("rows after a refused Enqueue: got %d", n)
	}
}

func enqueueLimits(t *testing.T, s Store, _ func(time.Duration)) {
	tests := map[string]struct {
		job   queue.NewJob
		names string // what the error must name; empty: it is accepted
	}{
		"longest":          {queue.NewJob{ArtifactID: strings.Repeat("x", queue.MaxArtifactID), Key: strings.Repeat("k", queue.MaxKey)}, ""},
		"largest payload":  {queue.NewJob{ArtifactID: "a", Key: "k", Payload: raw(`"` + strings.Repeat("x", queue.MaxPayload-2) + `"`)}, ""},
		"no artifact":      {queue.NewJob{Key: "k"}, "artifact id"},
		"no key":           {queue.NewJob{ArtifactID: "b"}, "key"},
		"long artifact":    {queue.NewJob{ArtifactID: strings.Repeat("x", queue.MaxArtifactID+1), Key: "k"}, "1024"},
		"long key":         {queue.NewJob{ArtifactID: "c", Key: strings.Repeat("k", queue.MaxKey+1)}, "512"},
		"large payload":    {queue.NewJob{ArtifactID: "d", Key: "k", Payload: raw(strings.Repeat("1", queue.MaxPayload+1))}, "1048576"},
		"NUL in artifact":  {queue.NewJob{ArtifactID: "e\x00", Key: "k"}, "artifact id"},
		"artifact not UTF": {queue.NewJob{ArtifactID: "e\xff", Key: "k"}, "artifact id"},
	}
	for name, tt := range tests {
		_, err := s.Enqueue(t.Context(), []queue.NewJob{tt.job})
		if tt.names == "" && err != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if tt.names != "" && (!errors.Is(err, queue.ErrInvalid) || !strings.Contains(err.Error(), tt.names)) {
			t.Errorf("%s: got %v, want ErrInvalid that names %s", name, err, tt.names)
		}
	}
}

func enqueueOddIDs(t *testing.T, s Store, _ func(time.Duration)) {
	ids := []string{
		"caf\u00e9", "cafe\u0301", // composed and not: two artifacts
		"doi:10.1/A", "doi:10.1/a",
		"\U0001F4DA books", "'; DROP TABLE jobs; --", "100%_", "../../etc/passwd", " ", "a\nb\tc\x1b[0m",
		"\u202Eevil\u200D", `"quoted\"`, "x ", "x",
	}
	for _, id := range ids {
		enqueue(t, s, queue.NewJob{ArtifactID: id, Key: id + " key"})
	}
	for _, id := range ids {
		l := leaseOne(t, s, id+" key")
		if l.Job.ArtifactID != id {
			t.Errorf("leased %q at the key of %q", l.Job.ArtifactID, id)
		}
		finish(t, s, l, queue.Done, id)
		if j := find(t, s, id); j.ArtifactID != id || j.Reason != id {
			t.Errorf("found %q with reason %q, want %q", j.ArtifactID, j.Reason, id)
		}
	}
}

func enqueueKeeps(t *testing.T, s Store, _ func(time.Duration)) {
	start := time.Now()
	enqueue(t, s, queue.NewJob{
		ArtifactID: "doi:10.1/x", Key: key, Run: "monday", Priority: -3,
		Delay: time.Hour, Payload: raw(`{"hint": "pmc", "é": [1, 2]}`),
	})
	got := find(t, s, "doi:10.1/x")
	want := queue.Job{
		ID: got.ID, ArtifactID: "doi:10.1/x", Key: key, Run: "monday", State: queue.Queued, Priority: -3,
		Payload: raw(`{"hint": "pmc", "é": [1, 2]}`), AvailableAt: start.Add(time.Hour), CreatedAt: start, UpdatedAt: start,
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(2*time.Second)); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if zone := got.CreatedAt.Location(); zone != time.UTC {
		t.Errorf("times are in %v, want UTC", zone)
	}
}

// enqueueMany crosses the sizes in which a store may cut up its statements.
func enqueueMany(t *testing.T, s Store, _ func(time.Duration)) {
	all := jobs(1234)
	got, err := s.Enqueue(t.Context(), all[:777])
	if err != nil || got.Added != 777 {
		t.Fatalf("Enqueue: %+v, %v", got, err)
	}
	got, err = s.Enqueue(t.Context(), all)
	if want := (queue.Enqueued{Added: 457, Known: 777}); err != nil || got != want {
		t.Errorf("Enqueue: got %+v, %v; want %+v", got, err, want)
	}
	var want []string
	for _, j := range all {
		want = append(want, j.ArtifactID)
	}
	if got := names(list(t, s, queue.Filter{})); !slices.Equal(got, want) {
		t.Errorf("jobs are not in the order of their enqueueing")
	}
}
