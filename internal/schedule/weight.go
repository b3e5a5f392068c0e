package schedule

import (
	"math"
	"time"
)

// flow is what is known of the jobs at all keys of a class.
type flow struct {
	word    string  // the class
	rows    int     // ready
	running int     // in steps
	left    float64 // jobs whose steps here have ended
	service mean
}

// mean is a mean in which what is recent counts more: after a while each new
// value counts a sixteenth.
type mean struct {
	value float32 // seconds
	n     uint8   // values seen, up to meanOf
}

const (
	meanOf = 16
	// trust is how many values of its own a key needs until they count as much as
	// the mean of its class.
	trust = 4
	// unknown is taken for the service time while nothing at all is known.
	unknown = 1.0
	// priorFlow is how many jobs' worth a share that was remembered counts.
	priorFlow = 100
)

func (m *mean) add(v float64) {
	m.n = min(m.n+1, meanOf)
	m.value += (float32(v) - m.value) / float32(m.n)
}

// serviceOf estimates the seconds that a request at k takes: its own mean, drawn
// to that of its class while it is made of few.
func (t *Table) serviceOf(k *key) float64 {
	of := t.flow[k.class].service
	class := unknown
	if of.n > 0 {
		class = float64(of.value)
	}
	n := float64(k.service.n)
	return (n*float64(k.service.value) + trust*class) / (n + trust)
}

// expected is how many jobs at keys of other classes are likely to come to k.
func (t *Table) expected(k *key) float64 {
	var n float64
	for c := range t.flow {
		if f := &t.flow[c]; uint8(c) != k.class && f.left > 0 && k.fed[c] > 0 {
			n += float64(f.rows+f.running) * min(1, float64(k.fed[c])/f.left)
		}
	}
	return n
}

// weight is the least time in seconds that the work at k, there and on its way,
// takes from now on: by its cap or by its pace, whichever takes longer.
func (t *Table) weight(k *key) float64 {
	n := t.requests(k)
	left := n * t.serviceOf(k) / float64(t.most(k))
	if every, _ := k.limit.Every(); every > 0 {
		left = max(left, n*every.Seconds())
	}
	return left
}

// requests is how many requests k has before it, with those in flight.
func (t *Table) requests(k *key) float64 {
	if k.limit.Down() {
		return 0
	}
	jobs := float64(k.rows) + t.expected(k)
	return math.Ceil(jobs/float64(max(k.limit.Rule().Batch, 1))) + float64(k.limit.InFlight())
}

// most is how many requests k can have in flight, once it has got over what holds
// it down now.
func (t *Table) most(k *key) int {
	most := t.slots
	if n := k.limit.Widest(); n > 0 {
		most = min(most, n)
	}
	if g := k.group; g != nil && g.most > 0 {
		most = min(most, g.most)
	}
	return max(most, 1)
}

// Moved tells that a step at one key has ended and sent its job to another; to is
// empty for a job that stays or has finished.
func (t *Table) Moved(from, to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.classOf(from)
	t.flow[c].left++
	if to == "" || to == from {
		return
	}
	if k := t.key(to, t.latest); k.class != c {
		k.fed[c]++
	}
}

// Bound returns the key that will take longest if nothing new comes, and how
// long: no order of picking can be faster. The key is empty if it is the slots,
// not a key, that bind; the time is 0 if nothing is left.
func (t *Table) Bound(at time.Time) (name string, left time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.see(at)
	var longest, total float64
	for _, k := range t.keys {
		if k.rows == 0 && k.limit.InFlight() == 0 {
			continue
		}
		gate, _ := k.limit.Gate(now)
		if k.limit.Down() {
			gate = 0
		}
		if w := t.weight(k) + gate.Seconds(); w > longest {
			name, longest = k.name, w
		}
		total += t.requests(k) * t.serviceOf(k)
	}
	if all := total / float64(max(t.slots, 1)); all > longest {
		name, longest = "", all
	}
	return name, seconds(longest)
}

// seconds is a number of seconds as a Duration, or the longest there is.
func seconds(s float64) time.Duration {
	if s >= math.MaxInt64/1e9 {
		return math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}
