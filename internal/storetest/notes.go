package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/queue"
)

// jobless is a key at which there is no job.
const jobless = "host:without-jobs"

// keyNotes reads the notes.
func keyNotes(t *testing.T, s Store) []queue.KeyNote {
	t.Helper()
	notes, err := s.KeyNotes(t.Context())
	if err != nil {
		t.Fatalf("KeyNotes: %v", err)
	}
	return notes
}

func saveNotes(t *testing.T, s Store, notes ...queue.KeyNote) {
	t.Helper()
	if err := s.SaveKeyNotes(t.Context(), notes...); err != nil {
		t.Fatalf("SaveKeyNotes: %v", err)
	}
}

func notesKeep(t *testing.T, db Database) {
	s := db.open(t)
	saveNotes(t, s)
	saveNotes(t, s, queue.KeyNote{Key: key, Doc: []byte(`{"n":1}`)}, queue.KeyNote{Key: jobless, Doc: []byte(`{"n":2}`)},
		queue.KeyNote{Key: "host:gone", Doc: []byte(`{}`)}, queue.KeyNote{Key: key, Doc: []byte(`{"n":3}`)})
	saveNotes(t, s, queue.KeyNote{Key: jobless, Doc: []byte(`{"n":4}`)}, queue.KeyNote{Key: "host:gone"}, queue.KeyNote{Key: "host:never"})
	want := []queue.KeyNote{{Key: key, Doc: []byte(`{"n":3}`)}, {Key: jobless, Doc: []byte(`{"n":4}`)}}
	slices.SortFunc(want, func(a, b queue.KeyNote) int { return strings.Compare(a.Key, b.Key) })
	for _, when := range []string{"saved", "reopened"} {
		if diff := cmp.Diff(want, keyNotes(t, s), cmpopts.IgnoreFields(queue.KeyNote{}, "Age")); diff != "" {
			t.Errorf("%s, want (-), got (+):\n%s", when, diff)
		}
		closeStore(t, s)
		s = db.open(t)
	}
}

func notesAge(t *testing.T, s Store, advance func(time.Duration)) {
	saveNotes(t, s, queue.KeyNote{Key: "a", Doc: []byte(`1`), Age: time.Hour}, queue.KeyNote{Key: "b", Doc: []byte(`1`)})
	advance(time.Minute)
	saveNotes(t, s, queue.KeyNote{Key: "b", Doc: []byte(`2`)})
	advance(10 * time.Second)
	notes := keyNotes(t, s)
	if !near(notes[0].Age, 70*time.Second) || !near(notes[1].Age, 10*time.Second) {
		t.Errorf("ages %v and %v, want 70 s, and 10 s for the one saved anew", notes[0].Age, notes[1].Age)
	}
}

func notesInvalid(t *testing.T, s Store, _ func(time.Duration)) {
	good := queue.KeyNote{Key: key, Doc: []byte(`{}`)}
	for name, bad := range map[string]queue.KeyNote{
		"no key":      {Doc: []byte(`{}`)},
		"long key":    {Key: strings.Repeat("k", queue.MaxKey+1), Doc: []byte(`{}`)},
		"not text":    {Key: "a\xff", Doc: []byte(`{}`)},
		"not JSON":    {Key: "a", Doc: []byte(`{`)},
		"much to say": {Key: "a", Doc: []byte(fmt.Sprintf("%q", strings.Repeat("x", queue.MaxKeyNote)))},
	} {
		if err := s.SaveKeyNotes(t.Context(), good, bad); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if notes := keyNotes(t, s); len(notes) != 0 {
		t.Errorf("%d notes saved beside bad ones, want all or none", len(notes))
	}
	saveNotes(t, s, queue.KeyNote{Key: strings.Repeat("k", queue.MaxKey), Doc: []byte(fmt.Sprintf("%q", strings.Repeat("x", queue.MaxKeyNote-2)))})
}

// Notes make no job ready, so nobody need look.
func notesQuiet(t *testing.T, s Store, _ func(time.Duration)) {
	w := watch(t, s)
	w.loud(t, s, "enqueue", 1)
	saveNotes(t, s, queue.KeyNote{Key: key, Doc: []byte(`{}`)})
	w.loud(t, s, "enqueue after notes", 1)
}

func statsHeadAge(t *testing.T, s Store, advance func(time.Duration)) {
	age := func(want time.Duration, when string) {
		t.Helper()
		for _, k := range stats(t, s).Keys {
			if k.Key == key && !near(k.HeadAge, want) {
				t.Errorf("%s: the head is ready for %v, want %v", when, k.HeadAge, want)
			}
		}
	}
	late := job(1)
	late.Delay = time.Minute
	enqueue(t, s, late)
	age(0, "delayed")
	advance(70 * time.Second)
	age(10*time.Second, "10 s after its delay")
	first := job(2)
	first.Priority = 1
	enqueue(t, s, first)
	advance(20 * time.Second)
	age(20*time.Second, "behind one of higher priority")
	leaseOne(t, s, key)
	age(30*time.Second, "with that one leased")
	l := leaseOne(t, s, key)
	age(0, "with both leased")
	settle(t, s, queue.Settlement{Lease: l, Verb: queue.Retry})
	advance(5 * time.Second)
	age(5*time.Second, "handed back 5 s ago")
}
