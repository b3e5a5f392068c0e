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
// shares no code with the table; what a key's limits allow it asks keys of its
// own, which are told the same.
type model struct {
	table *schedule.Table
	now   time.Time
	slots int
	rules map[string]limit.Rule
	keys  map[string]*modelKey
	out   []*modelPermit
	spent []schedule.Permit
	fresh bool // the table has just looked at every key
}

type modelKey struct {
	name       string
	limit      limit.Key
	rows, told int
	head       time.Time       // the first row has been first since
	passed     map[string]bool // keys that were picked while this one could start
}

type modelPermit struct {
	schedule.Permit
	key    *modelKey
	ticket limit.Ticket
	told   int
	fair   bool
	left   bool
}

// Invariants, against the model, whatever happens in whatever order: in flight
// never above a key's or group's cap (I1), requests never above the slots (I2),
// starts never closer than the pace nor before the gate (I4), a permit freed
// exactly once (I5), no slot idle while a key may start (I6), a key forgotten only
// when not in use (I7), by turns on half of the slots, the heaviest on the others.
func TestTable_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			now:   epoch,
			slots: rapid.IntRange(0, 6).Draw(t, "slots"),
			rules: make(map[string]limit.Rule),
			keys:  make(map[string]*modelKey),
		}
		for i := range 5 {
			m.rules[fmt.Sprint("key", i)] = drawRule(t, i)
		}
		m.table = schedule.New(schedule.Config{Slots: m.slots, Rule: m.rule})
		t.Repeat(map[string]func(*rapid.T){
			"refresh":      m.refresh,
			"add":          m.add,
			"pick":         func(t *rapid.T) { m.pick(t, m.now) },
			"pick, behind": func(t *rapid.T) { m.pick(t, m.now.Add(-time.Millisecond)) },
			"pick all":     m.pickAll,
			"took":         m.took,
			"unpick":       m.unpick,
			"leave":        m.leave,
			"finish":       m.finish,
			"finish twice": m.finishTwice,
			"set slots": func(t *rapid.T) {
				m.slots = rapid.IntRange(0, 6).Draw(t, "slots")
				m.table.SetSlots(m.slots)
				m.fresh = false
			},
			"set rule": m.setRule,
			"set rules": func(t *rapid.T) {
				for i := range len(m.rules) {
					m.newRule(fmt.Sprint("key", i), drawRule(t, i))
				}
				m.table.SetRules(m.now, m.rule)
			},
			"wait": func(t *rapid.T) {
				ms := rapid.SampledFrom([]int{1, 100, 500, 1000, 3000, 60_000, 900_000}).Draw(t, "ms")
				m.now = m.now.Add(time.Duration(ms) * time.Millisecond)
			},
			"": m.check,
		})
	})
}

// drawRule makes the rule of key i. Keys 0 and 1 are in one of two groups or in
// none; key 2 may take batches.
func drawRule(t *rapid.T, i int) limit.Rule {
	r := limit.Rule{
		InFlight: rapid.IntRange(0, 3).Draw(t, "in flight"),
		Every:    time.Duration(rapid.SampledFrom([]int{0, 0, 1000, 3000}).Draw(t, "every")) * time.Millisecond,
		Burst:    rapid.IntRange(0, 2).Draw(t, "burst"),
		Daily:    rapid.SampledFrom([]int{0, 0, 5}).Draw(t, "daily"),
	}
	switch i {
	case 0, 1:
		r.Group = rapid.SampledFrom([]string{"group", "group", "group", "other", ""}).Draw(t, "group")
		if r.Group != "" {
			r.GroupInFlight = 2
		}
	case 2:
		r.Batch = rapid.SampledFrom([]int{3, 3, 1}).Draw(t, "batch")
	}
	return r
}

func (m *model) rule(name string) limit.Rule { return m.rules[name] }

func (m *model) drawKey(t *rapid.T) string {
	return fmt.Sprint("key", rapid.IntRange(0, len(m.rules)-1).Draw(t, "key"))
}

func (m *model) key(name string) *modelKey {
	if m.keys[name] == nil {
		m.keys[name] = &modelKey{name: name, passed: make(map[string]bool), limit: limit.NewKey(m.rules[name], 0, epoch)}
	}
	return m.keys[name]
}

// inGroup counts the requests in flight at the keys of k's group.
func (m *model) inGroup(k *modelKey) (n int) {
	for _, p := range m.out {
		if group := k.limit.Rule().Group; group != "" && !p.left && !p.Down && p.key.limit.Rule().Group == group {
			n++
		}
	}
	return n
}

// opens returns when the key may start, or false if time alone does not do it.
func (m *model) opens(k *modelKey, now time.Time) (time.Time, bool) {
	r := k.limit.Rule()
	switch {
	case k.rows == 0:
		return time.Time{}, false
	case k.limit.Down():
		return now, true
	}
	opens, _ := k.limit.Free(since(now))
	at := epoch.Add(min(opens, 1000*time.Hour))
	switch {
	case opens == limit.Never:
		return at, false
	case !at.After(now) && r.GroupInFlight > 0 && m.inGroup(k) >= r.GroupInFlight:
		return time.Time{}, false
	}
	if until := k.head.Add(200 * time.Millisecond); !at.After(now) && k.rows < r.Batch && len(m.out) > 0 && until.After(now) {
		at = until
	}
	return at, true
}

// taken reports whether no request more may start.
func (m *model) taken() bool {
	active := 0
	for _, p := range m.out {
		if !p.left {
			active++
		}
	}
	return active >= m.slots || len(m.out) >= 3*m.slots
}

// interrupt notes which keys may not start: their turn begins anew.
func (m *model) interrupt(now time.Time) {
	for _, k := range m.keys {
		if at, ok := m.opens(k, now); !ok || at.After(now) {
			clear(k.passed)
		}
	}
}

// eligible returns the keys that may start.
func (m *model) eligible(now time.Time) (may []*modelKey) {
	if m.taken() {
		return nil
	}
	for _, k := range m.keys {
		if at, ok := m.opens(k, now); ok && !at.After(now) {
			may = append(may, k)
		}
	}
	return may
}

func (m *model) refresh(t *rapid.T) {
	var backlog []queue.KeyBacklog
	listed := make(map[string]bool)
	for i := range len(m.rules) {
		rows := rapid.IntRange(0, 7).Draw(t, "ready")
		if !rapid.Bool().Draw(t, "listed") {
			continue
		}
		b := queue.KeyBacklog{Key: fmt.Sprint("key", i), Ready: rows, Delayed: 1}
		backlog = append(backlog, b)
		if rows > 0 {
			k := m.key(b.Key)
			m.setRows(k, rows)
			k.told++
			listed[b.Key] = true
		}
	}
	for name, k := range m.keys {
		if !listed[name] {
			m.setRows(k, 0)
		}
	}
	m.table.Refresh(m.now, backlog)
	m.fresh = true
}

func (m *model) setRows(k *modelKey, rows int) {
	if k.rows == 0 && rows > 0 {
		k.head = m.now
	}
	k.rows = rows
}

func (m *model) add(t *rapid.T) {
	name := m.drawKey(t)
	rows := rapid.IntRange(0, 3).Draw(t, "rows")
	m.table.Refresh(m.now, m.backlog()) // tells the instant, which Add takes from the latest call
	for _, k := range m.keys {
		if k.rows > 0 {
			k.told++
		}
	}
	m.check(t) // what the table has forgotten the model forgets
	m.table.Add(name, rows)
	if rows > 0 {
		k := m.key(name)
		m.setRows(k, k.rows+rows)
		k.told++
	}
}

// backlog is what the store would say.
func (m *model) backlog() (b []queue.KeyBacklog) {
	for _, k := range m.keys {
		if k.rows > 0 {
			b = append(b, queue.KeyBacklog{Key: k.name, Ready: k.rows})
		}
	}
	return b
}

func (m *model) pick(t *rapid.T, now time.Time) bool {
	m.interrupt(now)
	may := m.eligible(now)
	fair := 0
	for _, p := range m.out {
		if p.fair && !p.left {
			fair++
		}
	}
	lane := 2*fair < m.slots
	left := make(map[string]time.Duration)
	for _, s := range m.table.Keys(now) {
		left[s.Key] = s.Left
	}
	p, ok := m.table.Pick(now, rapid.IntRange(1, 4).Draw(t, "most"))
	if ok != (len(may) > 0) {
		t.Fatalf("Pick = %v %v, but %d keys may start", p.Key, ok, len(may))
	}
	if !ok {
		if now.Equal(m.now) {
			m.checkWake(t, now)
		}
		return false
	}
	k := m.keys[p.Key]
	m.checkChoice(t, k, may, lane, left)
	for _, other := range may {
		other.passed[k.name] = other.limit.Rule().Group == "" // a group lists as many as have room
	}
	clear(k.passed)
	mp := &modelPermit{Permit: p, key: k, told: k.told, fair: lane}
	if p.N > k.rows || p.N < 1 || !p.Down && p.N > max(1, k.limit.Rule().Batch) || p.Down != k.limit.Down() {
		t.Fatalf("%+v for a key with %d rows, rule %+v", p, k.rows, k.limit.Rule())
	}
	k.head = now
	k.rows -= p.N
	if !p.Down {
		mp.ticket = k.limit.Start(since(now))
	}
	m.out = append(m.out, mp)
	if g := k.limit.Rule(); g.GroupInFlight > 0 && m.inGroup(k) > g.GroupInFlight {
		t.Fatalf("%s started as one of %d in flight at a group of %d", k.name, m.inGroup(k), g.GroupInFlight)
	}
	return true
}

func (m *model) pickAll(t *rapid.T) {
	for m.pick(t, m.now) {
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
	m.fresh = false
	return p
}

func (m *model) took(t *rapid.T) {
	if len(m.out) == 0 {
		t.Skip("no permit is out")
	}
	p := rapid.SampledFrom(m.out).Draw(t, "permit")
	n := rapid.IntRange(1, p.N).Draw(t, "n")
	m.table.Took(p.Permit, m.now, n)
	if n < p.N {
		p.N = n
		if p.key.told == p.told {
			m.setRows(p.key, 0)
		}
	}
}

func (m *model) unpick(t *rapid.T) {
	p := m.take(t)
	empty := rapid.Bool().Draw(t, "empty")
	m.table.Unpick(p.Permit, m.now, empty)
	k := p.key
	if !p.left && !p.Down {
		k.limit.Cancel(p.ticket, since(m.now))
	}
	switch {
	case !empty:
		m.setRows(k, k.rows+p.N)
	case k.told == p.told:
		m.setRows(k, 0)
	}
}

func (m *model) leave(t *rapid.T) {
	if len(m.out) == 0 {
		t.Skip("no permit is out")
	}
	p := rapid.SampledFrom(m.out).Draw(t, "permit")
	m.table.Leave(p.Permit, m.now)
	m.fresh = false
	if !p.left && !p.Down {
		p.left = true
		p.key.limit.Done()
	}
}

func (m *model) finish(t *rapid.T) {
	p := m.take(t)
	k := p.key
	s := queue.Signal{
		Kind: rapid.SampledFrom([]queue.SignalKind{queue.None, queue.OK, queue.OK, queue.Throttled, queue.Troubled, queue.Refused, queue.Blocked}).Draw(t, "signal"),
		For:  time.Duration(rapid.SampledFrom([]int{0, 1, 5, 3600}).Draw(t, "for")) * time.Second,
	}
	if rapid.IntRange(0, 5).Draw(t, "announces") == 0 {
		s.Allowance = queue.Allowance{Every: 2 * time.Second, InFlight: 1, Wait: time.Minute}
	}
	m.table.Finish(p.Permit, m.now, s)
	if p.Down {
		return
	}
	if !p.left {
		k.limit.Done()
	}
	if s.Allowance.Wait > 0 {
		k.limit.Announce(limit.Allowance{Every: s.Allowance.Every, InFlight: s.Allowance.InFlight})
		k.limit.Spend(since(m.now), s.Allowance.Wait)
	}
	switch s.Kind {
	case queue.OK:
		k.limit.OK(p.ticket, since(m.now))
	case queue.Throttled:
		k.limit.Throttle(p.ticket, since(m.now), s.For)
	case queue.Troubled:
		k.limit.Trouble(p.ticket, since(m.now))
	case queue.Refused:
		k.limit.Refuse(p.ticket, since(m.now))
	case queue.Blocked:
		k.limit.Block(p.ticket, since(m.now), s.For)
	case queue.None:
	}
}

func (m *model) finishTwice(t *rapid.T) {
	if len(m.spent) == 0 {
		t.Skip("no permit is spent")
	}
	p := rapid.SampledFrom(m.spent).Draw(t, "permit")
	m.table.Leave(p, m.now)
	m.table.Took(p, m.now, 1)
	m.table.Finish(p, m.now, queue.Signal{Kind: queue.Throttled, For: time.Hour})
	m.table.Unpick(p, m.now, true)
}

func (m *model) setRule(t *rapid.T) {
	i := rapid.IntRange(0, len(m.rules)-1).Draw(t, "key")
	name := fmt.Sprint("key", i)
	m.newRule(name, drawRule(t, i))
	m.table.SetRule(m.now, name, m.rules[name])
}

func (m *model) newRule(name string, r limit.Rule) {
	m.rules[name] = r
	m.fresh = false
	if k := m.keys[name]; k != nil {
		k.limit.SetRule(r)
	}
}

// since is an instant as keys count it.
func since(at time.Time) time.Duration { return at.Sub(epoch) }

// epoch is when the tests begin.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
