package forecast

import (
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

const (
	// mostKeys is how many keys are known one by one. The others count to their class.
	mostKeys = 1 << 16
	// mostPhases is how many phases there are, with that before the first source.
	mostPhases = 32
	// sourceClass is the class of keys that begin a phase of a job: a source is asked
	// once, and those before it not again.
	sourceClass = "resolver"
)

// key is what is known of a key.
type key struct {
	name  string
	class *class
	phase uint8 // that begins here; 0: none does
	loose bool  // it stands for all keys of the class that are not known one by one
	spots []*spot
	came  float64           // jobs from elsewhere, weighted
	due   [stages]time.Time // when the last row is due that waits here for its attempt
	speed

	// Of the flow that is being made.
	cell  int32
	state *schedule.KeyState
	queue *queue.KeyStats
}

// class is what is known of all keys of a class.
type class struct {
	word  string
	spots [mostPhases]*spot
	rest  *key
	speed
	cell int32
}

// key returns what is known of a key.
func (f *Forecast) key(name string) *key {
	if k := f.keys[name]; k != nil {
		return k
	}
	word, _, _ := strings.Cut(name, ":")
	c := f.classes[word]
	if c == nil {
		c = &class{word: word}
		c.rest = &key{class: c, loose: true}
		f.classes[word] = c
	}
	if len(f.keys) >= mostKeys {
		return c.rest
	}
	k := &key{name: name, class: c}
	if word == sourceClass && f.sources < mostPhases-1 {
		f.sources++
		k.phase = uint8(f.sources)
	}
	f.keys[name] = k
	f.order = append(f.order, k)
	return k
}

// spot returns that of jobs which come to a key in a phase.
func (k *key) spot(phase uint8) *spot {
	if k.phase > 0 {
		phase = k.phase
	}
	if k.loose {
		return k.class.spot(phase)
	}
	for _, s := range k.spots {
		if s.phase == phase {
			return s
		}
	}
	s := &spot{key: k, class: k.class, phase: phase}
	k.spots = append(k.spots, s)
	return s
}

// spot returns that of all keys of a class, in a phase.
func (c *class) spot(phase uint8) *spot {
	if c.spots[phase] == nil {
		c.spots[phase] = &spot{key: c.rest, class: c, phase: phase}
	}
	return c.spots[phase]
}

// wait notes when the row of a step is due here.
func (k *key) wait(s Step) {
	stage := min(max(s.Attempt, 1), stages-1)
	if due := s.At.Add(s.Delay); s.Delay > 0 && due.After(k.due[stage]) {
		k.due[stage] = due
	}
}
