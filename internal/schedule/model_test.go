package schedule_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// model does what the table promises by looking at everything each time. It
// shares no code with the table or with package limit.
type model struct {
	table *schedule.Table
	now   time.Time
	slots int
	rules map[string]limit.Rule
	keys  map[string]*modelKey
	out   []*modelPermit
	spent []schedule.Permit
}

type modelKey struct {
	rows, told, inFlight int
	oldest               int64
	last, gate           time.Time
	throttled            bool           // and not answered since
	starts               []*modelPermit // not cancelled, in order
}

type modelPermit struct {
	schedule.Permit
	key    *modelKey
	before int64
	told   int
	start  time.Time
	left   bool
	stale  bool // started before the latest throttle
}

// Invariants, against the model, whatever happens in whatever order: in flight
// never above a key's cap, active never above the slots, starts never closer
// than the pace nor before the gate, a permit freed exactly once, no slot idle
// while a key may start, a key forgotten only when not in use.
func TestTable_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			now:   epoch,
			slots: rapid.IntRange(0, 6).Draw(t, "slots"),
			rules: make(map[string]limit.Rule),
			keys:  make(map[string]*modelKey),
		}
		for i := range 5 {
			m.rules[fmt.Sprint("key", i)] = drawRule(t)
		}
		m.table = schedule.New(schedule.Config{Slots: m.slots, Rule: m.rule})
		t.Repeat(map[string]func(*rapid.T){
			"refresh":      m.refresh,
			"add":          m.add,
			"pick":         func(t *rapid.T) { m.pick(t, m.now) },
			"pick, behind": func(t *rapid.T) { m.pick(t, m.now.Add(-time.Millisecond)) },
			"pick all":     m.pickAll,
			"unpick":       m.unpick,
			"leave":        m.leave,
			"finish":       m.finish,
			"finish twice": m.finishTwice,
			"set slots": func(t *rapid.T) {
				m.slots = rapid.IntRange(0, 6).Draw(t, "slots")
				m.table.SetSlots(m.slots)
			},
			"set rule":  m.setRule,
			"set rules": m.setRules,
			"wait": func(t *rapid.T) {
				ms := rapid.SampledFrom([]int{1, 500, 1000, 3000, 60_000, 900_000}).Draw(t, "ms")
				m.now = m.now.Add(time.Duration(ms) * time.Millisecond)
			},
			"": m.check,
		})
	})
}

func drawRule(t *rapid.T) limit.Rule {
	return limit.Rule{
		InFlight: rapid.IntRange(0, 3).Draw(t, "in flight"),
		Every:    time.Duration(rapid.SampledFrom([]int{0, 0, 1000, 3000}).Draw(t, "every")) * time.Millisecond,
	}
}

func (m *model) rule(name string) limit.Rule { return m.rules[name] }

func (m *model) drawKey(t *rapid.T) string {
	return fmt.Sprint("key", rapid.IntRange(0, len(m.rules)-1).Draw(t, "key"))
}

func (m *model) key(name string) *modelKey {
	if m.keys[name] == nil {
		m.keys[name] = &modelKey{}
	}
	return m.keys[name]
}

func (m *model) limit(name string) int {
	if m.keys[name].throttled {
		return 1
	}
	return m.rules[name].InFlight
}

// opens returns when the key may start, or false if time alone does not do it.
func (m *model) opens(name string) (time.Time, bool) {
	k := m.keys[name]
	if k.rows == 0 || m.limit(name) > 0 && k.inFlight >= m.limit(name) {
		return time.Time{}, false
	}
	at := k.gate
	if every := m.rules[name].Every; every > 0 && !k.last.IsZero() && k.last.Add(every).After(at) {
		at = k.last.Add(every)
	}
	return at, true
}

// eligible returns the keys that may start and the order of the first of them.
func (m *model) eligible(now time.Time) (names []string, oldest int64) {
	if len(m.out) >= m.slots {
		return nil, 0
	}
	for name, k := range m.keys {
		if at, ok := m.opens(name); ok && !at.After(now) {
			if len(names) == 0 || k.oldest < oldest {
				oldest = k.oldest
			}
			names = append(names, name)
		}
	}
	return names, oldest
}

func (m *model) refresh(t *rapid.T) {
	var backlog []queue.KeyBacklog
	for name := range m.rules {
		if k := m.keys[name]; k != nil {
			k.rows = 0
		}
	}
	for i := range len(m.rules) {
		ready := rapid.IntRange(0, 3).Draw(t, "ready")
		if !rapid.Bool().Draw(t, "listed") {
			continue
		}
		b := queue.KeyBacklog{Key: fmt.Sprint("key", i), Ready: ready, Delayed: 1, Oldest: rapid.Int64Range(1, 1000).Draw(t, "oldest")}
		backlog = append(backlog, b)
		if ready > 0 {
			k := m.key(b.Key)
			k.rows, k.oldest = ready, b.Oldest
			k.told++
		}
	}
	m.table.Refresh(m.now, backlog)
}

func (m *model) add(t *rapid.T) {
	name := m.drawKey(t)
	rows := rapid.IntRange(0, 3).Draw(t, "rows")
	oldest := rapid.Int64Range(1, 1000).Draw(t, "oldest")
	m.table.Add(name, rows, oldest)
	if rows > 0 {
		m.give(m.key(name), rows, oldest)
		m.key(name).told++
	}
}

func (m *model) give(k *modelKey, rows int, oldest int64) {
	if k.rows == 0 || oldest < k.oldest {
		k.oldest = oldest
	}
	k.rows += rows
}

func (m *model) pick(t *rapid.T, now time.Time) bool {
	may, oldest := m.eligible(now)
	p, ok := m.table.Pick(now)
	if ok != (len(may) > 0) {
		t.Fatalf("Pick = %v %v, but these keys may start: %v", p.Key, ok, may)
	}
	if !ok {
		m.checkWake(t, now)
		return false
	}
	k := m.keys[p.Key]
	if !slices.Contains(may, p.Key) || k.oldest != oldest {
		t.Fatalf("picked %s (oldest %d), want one of %v with oldest %d", p.Key, k.oldest, may, oldest)
	}
	mp := &modelPermit{Permit: p, key: k, before: k.oldest, told: k.told, start: now}
	k.rows--
	k.oldest++
	k.inFlight++
	k.last = now
	k.starts = append(k.starts, mp)
	m.out = append(m.out, mp)
	return true
}

func (m *model) pickAll(t *rapid.T) {
	for m.pick(t, m.now) {
	}
}

// checkWake is called when Pick has just said no.
func (m *model) checkWake(t *rapid.T, now time.Time) {
	var want time.Time
	for name := range m.keys {
		if at, ok := m.opens(name); ok && len(m.out) < m.slots && (want.IsZero() || at.Before(want)) {
			want = at
		}
	}
	if got, ok := m.table.Wake(now); ok == want.IsZero() || !got.Equal(want) {
		t.Fatalf("Wake = %v, %v; want %v", got, ok, want)
	}
}

// take removes a random permit from those that are out.
func (m *model) take(t *rapid.T) *modelPermit {
	if len(m.out) == 0 {
		t.Skip("no permit is out")
	}
	i := rapid.IntRange(0, len(m.out)-1).Draw(t, "permit")
	p := m.out[i]
	m.out = slices.Delete(m.out, i, i+1)
	m.spent = append(m.spent, p.Permit)
	return p
}

func (m *model) unpick(t *rapid.T) {
	p := m.take(t)
	empty := rapid.Bool().Draw(t, "empty")
	m.table.Unpick(p.Permit, m.now, empty)
	k := p.key
	if !p.left {
		k.inFlight--
		if k.starts[len(k.starts)-1] == p {
			k.starts = k.starts[:len(k.starts)-1]
			k.last = time.Time{}
			if n := len(k.starts); n > 0 {
				k.last = k.starts[n-1].start
			}
		}
	}
	switch {
	case !empty:
		m.give(k, 1, p.before)
	case k.told == p.told:
		k.rows = 0
	}
}

func (m *model) leave(t *rapid.T) {
	if len(m.out) == 0 {
		t.Skip("no permit is out")
	}
	p := rapid.SampledFrom(m.out).Draw(t, "permit")
	m.table.Leave(p.Permit, m.now)
	if !p.left {
		p.left = true
		p.key.inFlight--
	}
}

func (m *model) finish(t *rapid.T) {
	p := m.take(t)
	k := p.key
	s := queue.Signal{
		Kind: rapid.SampledFrom([]queue.SignalKind{queue.None, queue.OK, queue.OK, queue.Throttled, queue.Troubled}).Draw(t, "signal"),
		For:  time.Duration(rapid.SampledFrom([]int{0, 1, 5, 3600}).Draw(t, "for")) * time.Second,
	}
	m.table.Finish(p.Permit, m.now, s)
	if !p.left {
		k.inFlight--
	}
	switch s.Kind {
	case queue.OK:
		k.throttled = k.throttled && p.stale
	case queue.Throttled:
		m.throttle(t, p, s.For)
	case queue.None, queue.Troubled, queue.Refused, queue.Blocked: // change nothing here
	}
}

func (m *model) throttle(t *rapid.T, p *modelPermit, wait time.Duration) {
	k := p.key
	if !p.stale {
		k.throttled = true
		for _, other := range m.out {
			other.stale = other.stale || other.key == k
		}
	}
	gate := m.now.Add(m.state(p.Key).Gate) // how long our own waits are is for package limit to say
	if least := m.now.Add(max(wait, time.Second)); gate.Before(least) || gate.Before(k.gate) {
		t.Fatalf("throttled for %v: gate opens at %v, was %v", wait, gate, k.gate)
	}
	k.gate = gate
}

func (m *model) finishTwice(t *rapid.T) {
	if len(m.spent) == 0 {
		t.Skip("no permit is spent")
	}
	p := rapid.SampledFrom(m.spent).Draw(t, "permit")
	m.table.Leave(p, m.now)
	m.table.Finish(p, m.now, queue.Signal{Kind: queue.Throttled, For: time.Hour})
	m.table.Unpick(p, m.now, true)
}

func (m *model) setRule(t *rapid.T) {
	name := m.drawKey(t)
	m.rules[name] = drawRule(t)
	m.table.SetRule(m.now, name, m.rules[name])
}

func (m *model) setRules(t *rapid.T) {
	for i := range len(m.rules) {
		m.rules[fmt.Sprint("key", i)] = drawRule(t)
	}
	m.table.SetRules(m.now, m.rule)
}

func (m *model) state(name string) schedule.KeyState {
	for _, s := range m.table.Keys(m.now) {
		if s.Key == name {
			return s
		}
	}
	return schedule.KeyState{}
}

// check compares all that can be seen of the table with the model.
func (m *model) check(t *rapid.T) {
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
			m.checkForgotten(t, name)
			continue
		}
		if s.InFlight != k.inFlight || s.Ready != k.rows || s.Cap != m.limit(name) || k.rows > 0 && s.Oldest != k.oldest {
			t.Fatalf("%s: got %+v, want %+v with cap %d", name, s, k, m.limit(name))
		}
		if want := max(0, k.gate.Sub(m.now)); s.Gate != want {
			t.Fatalf("%s: gate opens in %v, want %v", name, s.Gate, want)
		}
	}
	if m.table.HasReady() != ready {
		t.Fatalf("HasReady = %v, want %v", !ready, ready)
	}
}

// checkForgotten forgets a key that the table has forgotten.
func (m *model) checkForgotten(t *rapid.T, name string) {
	k := m.keys[name]
	out := slices.ContainsFunc(m.out, func(p *modelPermit) bool { return p.key == k })
	if k.rows > 0 || out || m.now.Before(k.gate) || m.now.Before(k.last.Add(m.rules[name].Every)) {
		t.Fatalf("%s was forgotten while in use: %+v", name, k)
	}
	delete(m.keys, name)
}

// epoch is when the tests begin.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
