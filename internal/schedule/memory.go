package schedule

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/queue"
)

// note is the Doc of a [queue.KeyNote].
type note struct {
	limit.Note
	Service float64            `json:"service,omitzero"` // seconds that a request takes
	Share   map[string]float64 `json:"share,omitempty"`  // of the jobs of a class that come here, by class
}

// memory is a note of an earlier run about a key that this one has not met yet.
type memory struct {
	note
	age time.Duration // when the table was told
	at  time.Duration // that was then
}

// Recall takes over what earlier runs have noted. It is called once, before the
// table is used. A key that no note tells of is treated as if it had been in use
// just before: what started within the last second was not noted. Notes that
// can't be read are passed over, with an error that names the first.
func (t *Table) Recall(at time.Time, notes []queue.KeyNote) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	t.recalled, t.dark = true, now
	var bad error
	for _, n := range notes {
		m := memory{age: max(n.Age, 0), at: now}
		if err := json.Unmarshal(n.Doc, &m.note); err != nil {
			if bad == nil {
				bad = fmt.Errorf("note of %s: %w", n.Key, err)
			}
			continue
		}
		t.memory[n.Key] = m
	}
	return bad
}

// recall tells a new key what is remembered of it.
func (t *Table) recall(k *key, m memory) {
	k.limit.Recall(m.Note, m.at, m.age)
	if m.Service > 0 {
		k.service = mean{float32(m.Service), trust}
		if of := &t.flow[k.class].service; of.n == 0 {
			of.add(m.Service)
		}
	}
	for word, share := range m.Share {
		c := t.classOf(word + ":")
		t.flow[c].left = max(t.flow[c].left, priorFlow)
		k.fed[c] = float32(max(share, 0) * t.flow[c].left)
	}
}

// Note returns what should be remembered of a key, and whether the table knows it.
func (t *Table) Note(at time.Time, name string) (queue.KeyNote, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	k := t.keys[name]
	if k == nil {
		return queue.KeyNote{}, false
	}
	return t.note(k, now), true
}

// Notes returns what should be remembered of the keys at which something has
// happened since they were noted last.
func (t *Table) Notes(at time.Time) (notes []queue.KeyNote) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	for _, k := range t.keys {
		if k.unsaved {
			notes = append(notes, t.note(k, now))
		}
	}
	return notes
}

// note writes down what is known of k, which counts as saved from now on.
func (t *Table) note(k *key, now time.Duration) queue.KeyNote {
	k.unsaved = false
	n := note{Note: k.limit.Note(now), Service: float64(k.service.value)}
	for c, fed := range k.fed {
		if f := &t.flow[c]; fed > 0 && f.left > 0 {
			if n.Share == nil {
				n.Share = make(map[string]float64)
			}
			n.Share[f.word] = float64(fed) / f.left
		}
	}
	doc, err := json.Marshal(n)
	if err != nil {
		panic(fmt.Sprintf("note of %s: %v", k.name, err)) // a number that is none: a defect here
	}
	return queue.KeyNote{Key: k.name, Doc: doc}
}

// Noted is the state of a key as a note of a run tells it, which may still be
// going on. Limits that the note does not tell of are those of rule.
func Noted(n queue.KeyNote, rule limit.Rule, now time.Time) (KeyState, error) {
	t := New(Config{Rule: func(string) limit.Rule { return rule }})
	if err := t.Recall(now, []queue.KeyNote{n}); err != nil {
		return KeyState{}, err
	}
	t.key(n.Key, t.latest)
	s, _ := t.Key(now, n.Key)
	return s, nil
}
