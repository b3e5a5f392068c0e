package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// sameNotes compares notes but for their ages.
func sameNotes(t *testing.T, when string, want, got []queue.KeyNote) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(queue.KeyNote{}, "Age"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s, want (-), got (+):\n%s", when, diff)
	}
}

func notesKeep(t *testing.T, db Database) {
	s := db.open(t)
	saveNotes(t, s)
	sameNotes(t, "none saved", nil, keyNotes(t, s))
	saveNotes(t, s, queue.KeyNote{Key: key, Doc: raw(`{"n":1}`)}, queue.KeyNote{Key: jobless, Doc: raw(`{"n":2}`)},
		queue.KeyNote{Key: "host:gone", Doc: raw(`{}`)}, queue.KeyNote{Key: key, Doc: raw(`{"n":3}`)})
	saveNotes(t, s, queue.KeyNote{Key: jobless, Doc: raw(`{"n":4}`)}, queue.KeyNote{Key: "host:gone"}, queue.KeyNote{Key: "host:never"})
	enqueue(t, s, job(1))
	finish(t, s, leaseOne(t, s, key), queue.Done, "stored")
	prune(t, s, queue.Filter{}, 1)
	want := []queue.KeyNote{{Key: key, Doc: raw(`{"n":3}`)}, {Key: jobless, Doc: raw(`{"n":4}`)}}
	for _, when := range []string{"saved", "reopened"} {
		sameNotes(t, when, want, keyNotes(t, s))
		closeStore(t, s)
		s = db.open(t)
	}
	sameNotes(t, "in another store", want, keyNotes(t, db.open(t)))
	if st := stats(t, s); len(st.Keys) != 0 {
		t.Errorf("notes are counted as jobs: %+v", st)
	}
}

// notesOdd: keys are in the order of their bytes, and documents come back as they were.
func notesOdd(t *testing.T, s Store, advance func(time.Duration)) {
	want := []queue.KeyNote{
		{Key: " ", Doc: raw(" {\n\t\"a\" : 1.0, \"a\" : 1e400 }\n")},
		{Key: "'; DROP TABLE jobs; --", Doc: raw(`null`)},
		{Key: "HOST:b", Doc: raw(`"\u0000"`)},
		{Key: "host:a", Doc: raw("\"\xff\"")},
		{Key: "host:\u00e9", Doc: raw(`["\ud800", "é"]`)},
	}
	for _, i := range []int{3, 0, 4, 2, 1} {
		saveNotes(t, s, want[i])
		advance(time.Second)
	}
	sameNotes(t, "odd ones", want, keyNotes(t, s))
}

func notesAge(t *testing.T, s Store, advance func(time.Duration)) {
	saveNotes(t, s, queue.KeyNote{Key: "a", Doc: raw(`1`), Age: time.Hour}, queue.KeyNote{Key: "b", Doc: raw(`1`)})
	advance(time.Minute)
	saveNotes(t, s, queue.KeyNote{Key: "b", Doc: raw(`2`)})
	advance(10 * time.Second)
	notes := keyNotes(t, s)
	if !near(notes[0].Age, 70*time.Second) || !near(notes[1].Age, 10*time.Second) {
		t.Errorf("ages %v and %v, want 70 s, and 10 s for the one saved anew", notes[0].Age, notes[1].Age)
	}
}

func notesInvalid(t *testing.T, s Store, _ func(time.Duration)) {
	kept := []queue.KeyNote{{Key: key, Doc: raw(`1`)}, {Key: key2, Doc: raw(`2`)}}
	saveNotes(t, s, kept...)
	long := strings.Repeat("k", queue.MaxKey)
	much := raw(strconv.Quote(strings.Repeat("x", queue.MaxKeyNote-2)))
	for name, tt := range map[string]struct {
		bad   queue.KeyNote
		names string
	}{
		"no key":       {queue.KeyNote{Doc: raw(`{}`)}, "key"},
		"nothing":      {queue.KeyNote{}, "key"},
		"long key":     {queue.KeyNote{Key: long + "k", Doc: raw(`{}`)}, "key"},
		"key with NUL": {queue.KeyNote{Key: "a\x00", Doc: raw(`{}`)}, "key"},
		"not text":     {queue.KeyNote{Key: "a\xff"}, "key"},
		"half JSON":    {queue.KeyNote{Key: "a", Doc: raw(`{`)}, "doc"},
		"spaces":       {queue.KeyNote{Key: "a", Doc: raw(` `)}, "doc"},
		"two values":   {queue.KeyNote{Key: "a", Doc: raw(`{}{}`)}, "doc"},
		"long doc":     {queue.KeyNote{Key: "a", Doc: append(raw(" "), much...)}, "doc"},
	} {
		err := s.SaveKeyNotes(t.Context(), queue.KeyNote{Key: key, Doc: raw(`3`)}, queue.KeyNote{Key: key2}, tt.bad)
		if !errors.Is(err, queue.ErrInvalid) || !strings.Contains(err.Error(), tt.names+":") || !strings.Contains(err.Error(), "note 3 of 3") {
			t.Errorf("%s: got %v, want ErrInvalid that names the %s of note 3", name, err, tt.names)
		}
	}
	sameNotes(t, "beside bad ones", kept, keyNotes(t, s))
	longest := queue.KeyNote{Key: long, Doc: much}
	saveNotes(t, s, longest)
	sameNotes(t, "as long as may be", append(kept, longest), keyNotes(t, s))
}

// notesTogether: a call is one transaction, also where several write at once and
// name the keys in different orders.
func notesTogether(t *testing.T, a, b Store, _ func(time.Duration)) {
	const keys, calls = 20, 10
	var writers sync.WaitGroup
	for i, s := range []Store{a, b, a, b} {
		var names []string
		for k := range keys {
			names = append(names, fmt.Sprint("host:", k))
		}
		if i > 1 {
			slices.Reverse(names)
		}
		writers.Go(func() {
			for n := range calls {
				var notes []queue.KeyNote
				for _, name := range names {
					notes = append(notes, queue.KeyNote{Key: name, Doc: raw(fmt.Sprint(i*calls + n))})
				}
				if err := s.SaveKeyNotes(t.Context(), notes...); err != nil {
					t.Errorf("SaveKeyNotes: %v", err)
				}
			}
		})
	}
	whole := func() {
		docs := make(map[string]int)
		for _, n := range keyNotes(t, a) {
			docs[string(n.Doc)]++
		}
		if len(docs) > 1 {
			t.Errorf("notes of several calls: %v", docs)
		}
	}
	for range calls {
		whole()
	}
	writers.Wait()
	whole()
	if n := len(keyNotes(t, b)); n != keys {
		t.Errorf("%d notes, want %d", n, keys)
	}
}

// notesQuiet: notes make no job ready, so nobody need look.
func notesQuiet(t *testing.T, s Store, _ func(time.Duration)) {
	w := watch(t, s)
	w.loud(t, s, "the first Enqueue", 1) // Watch may begin only after it, and then says so once
	for i := range 3 {
		saveNotes(t, s, queue.KeyNote{Key: key, Doc: raw(fmt.Sprint(i))})
		loud := fmt.Sprint("after note ", i)
		enqueue(t, s, queue.NewJob{ArtifactID: loud, Key: loud})
		w.ready[loud]++
		woken := 0
		for w.next(t, "Enqueue after a note") == nil {
			woken++
		}
		if woken == 0 {
			return
		}
	} // a report may be on its way when Watch begins
	t.Error("each note woke the watchers")
}
