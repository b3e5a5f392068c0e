package storetest

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/quire-dev/quire/queue"
)

// modelNote is a note of a key.
type modelNote struct {
	doc   string
	saved int
}

// note saves or deletes the notes of a few keys, the last of several of one key.
func (m *model) note(t *rapid.T) {
	var notes []queue.KeyNote
	for range rapid.IntRange(0, 3).Draw(t, "notes") {
		key, doc := drawOf(t, "key", append(modelKeys(), "host:none")...), drawOf(t, "doc", "", "{}", "[1]", `"é"`)
		notes = append(notes, queue.KeyNote{Key: key, Doc: raw(doc)})
		if delete(m.notes, key); doc != "" {
			m.notes[key] = modelNote{doc, m.now}
		}
	}
	if err := m.any(t).SaveKeyNotes(m.t.Context(), notes...); err != nil {
		m.fail(t, "SaveKeyNotes failed", err)
	}
}

func (m *model) compareNotes(t *rapid.T, s Store) {
	got, err := s.KeyNotes(m.t.Context())
	if err != nil || len(got) != len(m.notes) {
		m.fail(t, "notes are more or fewer", got, err, m.notes)
	}
	for i, key := range slices.Sorted(maps.Keys(m.notes)) {
		want := m.notes[key]
		if got[i].Key != key || string(got[i].Doc) != want.doc || !about(got[i].Age, m.now-want.saved) {
			m.fail(t, "a note differs", got[i], key, want, m.now)
		}
	}
}
