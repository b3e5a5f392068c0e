package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

func record(id, title string) paper.Record {
	return paper.Record{
		ArtifactID: id, IDs: paper.IDs{DOI: "10.1/x"}, Title: title,
		Asked: []paper.Asked{{Resolver: "unpaywall", Candidates: 2}},
		File:  &paper.File{SHA256: "ab", Bytes: 1 << 40, License: "cc-by-4.0", Version: paper.Published},
		At:    time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	}
}

func put(t *testing.T, s Store, r paper.Record) {
	t.Helper()
	if err := s.Put(t.Context(), r); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func catalogPut(t *testing.T, s Store, _ func(time.Duration)) {
	if _, err := s.Get(t.Context(), "doi:10.1/x"); !errors.Is(err, paper.ErrNotFound) {
		t.Errorf("Get of nothing: got %v, want ErrNotFound", err)
	}
	for _, title := range []string{"first", "first", "Über \U0001F4DA"} {
		r := record("doi:10.1/x", title)
		put(t, s, r)
		got, err := s.Get(t.Context(), r.ArtifactID)
		if err != nil {
			t.Fatalf("Get: %v", err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("want (-), got (+):\n%s", diff)
		}
	}
	if all, err := s.Records(t.Context(), paper.RecordFilter{}); err != nil || len(all) != 1 {
		t.Errorf("Records: got %d, %v; want 1", len(all), err)
	}
	if err := s.Put(t.Context(), paper.Record{}); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("Put without an artifact: got %v, want ErrInvalid", err)
	}
}

func catalogPages(t *testing.T, s Store, _ func(time.Duration)) {
	var want []string
	for i := range 10 {
		id := fmt.Sprintf("doi:10.1/%d", 9-i)
		put(t, s, record(id, id))
		want = append([]string{id}, want...)
	}
	var got []string
	f := paper.RecordFilter{Limit: 4}
	for {
		page, err := s.Records(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			got = append(got, r.ArtifactID)
		}
		f.After = got[len(got)-1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages, want (-), got (+):\n%s", diff)
	}
}

func catalogSettled(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	for i, verb := range []queue.Verb{queue.Advance, queue.Retry, queue.Release, queue.Finish} {
		want := record(job(1).ArtifactID, string(verb))
		doc, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		settle(t, s, queue.Settlement{Lease: leaseOne(t, s, key), Verb: verb, State: queue.Done, Record: doc})
		got, err := s.Get(t.Context(), job(1).ArtifactID)
		if err != nil {
			t.Fatalf("Get after settlement %d: %v", i, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", verb, diff)
		}
	}
}
