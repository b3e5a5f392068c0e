package schedule_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/quire-dev/quire/internal/schedule"
)

// checkChoice checks that the right one was picked of all keys that might be: by
// turns, none that was picked since another has been able to start, or else the one
// with about the most work.
func (m *model) checkChoice(t *rapid.T, k *modelKey, may []*modelKey, byTurns bool, left map[string]time.Duration) {
	if !slices.Contains(may, k) {
		t.Fatalf("picked %s, which may not start", k.name)
	}
	for _, other := range may {
		if byTurns && other.passed[k.name] {
			t.Fatalf("picked %s again, while %s could start throughout", k.name, other.name)
		}
		if !byTurns && m.fresh && left[other.name] > time.Millisecond && left[other.name] > 2*left[k.name] {
			t.Fatalf("picked %s with work for %v, but %s has it for %v", k.name, left[k.name], other.name, left[other.name])
		}
	}
}

// checkWake is called when Pick has just said no.
func (m *model) checkWake(t *rapid.T, now time.Time) {
	var want time.Time
	for _, k := range m.keys {
		if at, ok := m.opens(k, now); ok && !m.taken() && (want.IsZero() || at.Before(want)) {
			want = at
		}
	}
	if got, ok := m.table.Wake(now); ok == want.IsZero() || !got.Equal(want) {
		t.Fatalf("Wake = %v, %v; want %v", got, ok, want)
	}
}

// check compares all that can be seen of the table with the model.
func (m *model) check(t *rapid.T) {
	m.interrupt(m.now)
	if m.table.Active() != len(m.out) {
		t.Fatalf("Active = %d, want %d", m.table.Active(), len(m.out))
	}
	known := make(map[string]schedule.KeyState)
	for _, s := range m.table.Keys(m.now) {
		known[s.Key] = s
	}
	ready := false
	for name, k := range m.keys {
		ready = ready || k.rows > 0
		s, ok := known[name]
		if !ok {
			m.checkForgotten(t, k)
			continue
		}
		if s.InFlight != k.limit.InFlight() || s.Ready != k.rows || s.Cap != k.limit.Cap() {
			t.Fatalf("%s: got %+v, want %+v with cap %d", name, s, k, k.limit.Cap())
		}
		if want, reason := k.limit.Gate(since(m.now)); s.Gate != want || s.Reason != reason || s.Breaker != k.limit.Breaker(since(m.now)) {
			t.Fatalf("%s: gate opens in %v (%s), breaker %s; want %v (%s), %s", name, s.Gate, s.Reason, s.Breaker, want, reason, k.limit.Breaker(since(m.now)))
		}
	}
	if m.table.HasReady() != ready {
		t.Fatalf("HasReady = %v, want %v", !ready, ready)
	}
}

// checkForgotten forgets a key that the table has forgotten.
func (m *model) checkForgotten(t *rapid.T, k *modelKey) {
	out := slices.ContainsFunc(m.out, func(p *modelPermit) bool { return p.key == k })
	if k.rows > 0 || out || !k.limit.Forgettable(since(m.now)) {
		t.Fatalf("%s was forgotten while in use: %+v", k.name, k)
	}
	delete(m.keys, k.name)
}
