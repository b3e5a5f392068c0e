package schedule_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

func at(d time.Duration) time.Time { return epoch.Add(d) }

// limitsOnly compares what the tests below are about.
var limitsOnly = cmpopts.IgnoreFields(schedule.KeyState{}, "From", "Breaker", "Head", "Service", "Left", "Today", "Pace", "Full", "Group", "Gated")

func always(r limit.Rule) func(string) limit.Rule {
	return func(string) limit.Rule { return r }
}

// picks returns the keys of all permits that the table gives out at once.
func picks(table *schedule.Table, now time.Time) (keys []string) {
	for {
		p, ok := table.Pick(now, 1)
		if !ok {
			return keys
		}
		keys = append(keys, p.Key)
	}
}

func TestTable_Pick_order(t *testing.T) {
	tests := map[string]struct {
		slots int
		rule  limit.Rule
		ready []queue.KeyBacklog
		want  []string
	}{
		"nothing ready": {slots: 4},
		"no slots":      {ready: []queue.KeyBacklog{{Key: "a", Ready: 1}}},
		"who came first": {
			slots: 6,
			ready: []queue.KeyBacklog{{Key: "b", Ready: 1}, {Key: "c", Ready: 1}, {Key: "a", Ready: 1}},
			want:  []string{"b", "c", "a"},
		},
		"as many as slots": {
			slots: 2,
			ready: []queue.KeyBacklog{{Key: "a", Ready: 9}},
			want:  []string{"a", "a"},
		},
		"a long backlog takes turns with a short one": {
			slots: 5,
			ready: []queue.KeyBacklog{{Key: "a", Ready: 9}, {Key: "b", Ready: 2}},
			want:  []string{"a", "b", "a", "a", "a"}, // by turns, then by work, which b has little of
		},
		"a key at its cap leaves the slots to others": {
			slots: 4,
			rule:  limit.Rule{InFlight: 1},
			ready: []queue.KeyBacklog{{Key: "a", Ready: 9}, {Key: "b", Ready: 9}},
			want:  []string{"a", "b"},
		},
		"a paced key starts once": {
			slots: 4,
			rule:  limit.Rule{Every: time.Second},
			ready: []queue.KeyBacklog{{Key: "a", Ready: 9}, {Key: "b", Ready: 9}},
			want:  []string{"a", "b"},
		},
		"half of the slots for the most work": {
			slots: 4,
			rule:  limit.Rule{InFlight: 2},
			ready: []queue.KeyBacklog{{Key: "old", Ready: 9}, {Key: "heavy", Ready: 900}, {Key: "new", Ready: 9}},
			want:  []string{"old", "heavy", "heavy", "new"},
		},
		"a slow pace is work, too": {
			slots: 2,
			rule:  limit.Rule{Every: time.Minute},
			ready: []queue.KeyBacklog{{Key: "a", Ready: 1}, {Key: "b", Ready: 2}, {Key: "c", Ready: 9}},
			want:  []string{"a", "c"},
		},
		"delayed rows do not count": {
			slots: 4,
			ready: []queue.KeyBacklog{{Key: "a", Delayed: 9}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			table := schedule.New(schedule.Config{Slots: tt.slots, Rule: always(tt.rule)})
			table.Refresh(epoch, tt.ready)
			if diff := cmp.Diff(tt.want, picks(table, epoch)); diff != "" {
				t.Errorf("picks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTable_Wake(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 1, Rule: always(limit.Rule{Every: time.Minute})})
	if _, ok := table.Wake(epoch); ok {
		t.Error("an empty table wants to be woken")
	}
	table.Add("a", 2)
	if got, ok := table.Wake(epoch); !ok || !got.Equal(epoch) {
		t.Errorf("Wake = %v, %v with a key that may start; want now", got, ok)
	}
	p, _ := table.Pick(epoch, 1)
	if _, ok := table.Wake(epoch); ok {
		t.Error("time alone frees no slot")
	}
	table.Finish(p, at(time.Second), queue.Signal{Kind: queue.Throttled, For: time.Hour})
	if got, ok := table.Wake(at(time.Second)); !ok || !got.Equal(at(time.Second+time.Hour)) {
		t.Errorf("Wake = %v, %v; want when the gate opens", got, ok)
	}
	table.Refresh(at(time.Minute), nil)
	if _, ok := table.Wake(at(time.Minute)); ok {
		t.Error("a gated key without rows wants to be woken")
	}
}

// A late settle tells of a new row while the lease that found none is on its
// way back: the row must not be lost.
func TestTable_Unpick_addedMeanwhile(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 1})
	table.Add("a", 1)
	p, _ := table.Pick(epoch, 1)
	table.Add("a", 1)
	table.Unpick(p, epoch, true)
	if !table.HasReady() {
		t.Error("a row that was added after the pick is lost")
	}
}

func TestTable_Unpick_afterLeave(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 1, Rule: always(limit.Rule{InFlight: 1})})
	table.Add("a", 1)
	p, _ := table.Pick(epoch, 1)
	table.Leave(p, epoch)
	table.Unpick(p, epoch, false)
	want := []schedule.KeyState{{Key: "a", Cap: 1, Widest: 1, Batch: 1, Ready: 1}}
	if diff := cmp.Diff(want, table.Keys(epoch), limitsOnly); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestTable_Leave(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 2, Rule: always(limit.Rule{InFlight: 1})})
	table.Add("a", 3)
	first, _ := table.Pick(epoch, 1)
	table.Leave(first, epoch)
	second, ok := table.Pick(epoch, 1)
	if !ok || table.Active() != 2 {
		t.Fatalf("Pick = %v with %d active after Leave; want the key free and its slot held", ok, table.Active())
	}
	table.Leave(first, epoch)
	table.Finish(first, epoch, queue.Signal{})
	if _, ok := table.Pick(epoch, 1); ok {
		t.Error("leaving twice freed the key of another permit")
	}
	table.Finish(second, epoch, queue.Signal{})
	if table.Active() != 0 {
		t.Errorf("Active = %d at the end", table.Active())
	}
}

// A key that was forgotten and came back owes nothing to permits of its former
// life.
func TestTable_forgets(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 1, Rule: always(limit.Rule{InFlight: 1})})
	table.Add("a", 1)
	old, _ := table.Pick(epoch, 1)
	table.Finish(old, epoch, queue.Signal{Kind: queue.Troubled})

	table.Refresh(at(time.Minute), nil)
	if keys := table.Keys(at(time.Minute)); len(keys) != 1 || keys[0].Troubles != 1 {
		t.Errorf("after a minute: %+v, want the key still known", keys)
	}
	later := at(time.Hour)
	table.Refresh(later, nil)
	if keys := table.Keys(later); len(keys) != 0 {
		t.Errorf("after an hour: %+v, want it forgotten", keys)
	}

	table.Add("a", 1)
	if _, ok := table.Pick(later, 1); !ok {
		t.Fatal("the key that came back may not start")
	}
	table.Finish(old, later, queue.Signal{Kind: queue.Throttled, For: time.Hour})
	want := []schedule.KeyState{{Key: "a", InFlight: 1, Cap: 1, Widest: 1, Batch: 1}}
	if diff := cmp.Diff(want, table.Keys(later), limitsOnly); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// Without any Refresh the table still does not grow with the keys ever seen.
func TestTable_staysSmall(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 1})
	now := epoch
	for i := range 20_000 {
		now = now.Add(time.Second)
		table.Add(fmt.Sprint("host:", i), 1)
		p, ok := table.Pick(now, 1)
		if !ok {
			t.Fatalf("key %d may not start", i)
		}
		table.Finish(p, now, queue.Signal{Kind: queue.OK})
	}
	if n := len(table.Keys(now)); n > 5000 {
		t.Errorf("%d keys known, of which 1,800 were used in the last half hour", n)
	}
}

// A snapshot of many new keys drops old ones while it is being taken over.
func TestTable_Refresh_manyKeys(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 9999})
	table.Refresh(epoch, backlog("old", 1024, 1))
	table.Refresh(epoch, backlog("new", 2000, 1))
	if n := len(picks(table, epoch)); n != 2000 {
		t.Errorf("%d picks, want one for each of the 2000 rows of the last snapshot", n)
	}
	if table.HasReady() {
		t.Error("rows left over")
	}
}

func backlog(prefix string, keys, rows int) []queue.KeyBacklog {
	all := make([]queue.KeyBacklog, keys)
	for i := range all {
		all[i] = queue.KeyBacklog{Key: fmt.Sprint(prefix, i), Ready: rows}
	}
	return all
}

func TestTable_Keys(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 3, Rule: always(limit.Rule{InFlight: 4, Every: 500 * time.Millisecond})})
	table.Refresh(epoch, []queue.KeyBacklog{{Key: "a", Ready: 1}, {Key: "b", Ready: 7}})
	p, _ := table.Pick(epoch, 1)
	table.Finish(p, epoch, queue.Signal{Kind: queue.Throttled, For: time.Hour})
	table.Pick(epoch, 1)
	want := []schedule.KeyState{
		{Key: "a", Cap: 1, Widest: 4, Batch: 1, PerSecond: 0.85000000017, Gate: time.Hour - time.Second, Reason: limit.ReasonQuota, Next: time.Hour - time.Second, Throttles: 1},
		{Key: "b", InFlight: 1, Cap: 4, Widest: 4, Batch: 1, PerSecond: 2, Ready: 6},
	}
	if diff := cmp.Diff(want, table.Keys(at(time.Second)), limitsOnly); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// Steps finish in goroutines of their own while one goroutine picks.
func TestTable_concurrent(t *testing.T) {
	const rows = 2000
	table := schedule.New(schedule.Config{Slots: 8, Rule: always(limit.Rule{InFlight: 2})})
	table.Refresh(epoch, backlog("key", 10, rows/10))
	finished := make(chan struct{}, rows)
	var steps sync.WaitGroup
	for picked := 0; picked < rows; {
		p, ok := table.Pick(epoch, 1)
		if !ok {
			<-finished
			continue
		}
		picked++
		steps.Go(func() {
			table.Leave(p, epoch)
			table.Keys(epoch)
			table.Finish(p, epoch, queue.Signal{Kind: queue.OK})
			finished <- struct{}{}
		})
	}
	steps.Wait()
	if table.Active() != 0 || table.HasReady() {
		t.Errorf("at the end %d are active, rows left: %v", table.Active(), table.HasReady())
	}
}

func TestTable_allocates_nothing(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 4, Rule: always(limit.Rule{InFlight: 2, Every: time.Millisecond})})
	table.Refresh(epoch, backlog("key", 50, 1<<30))
	now := epoch
	round := func() {
		now = now.Add(time.Millisecond)
		for {
			p, ok := table.Pick(now, 1)
			if !ok {
				return
			}
			table.Finish(p, now, queue.Signal{Kind: queue.OK})
		}
	}
	round()
	if n := testing.AllocsPerRun(10, round); n != 0 {
		t.Errorf("%v allocations for 50 picks", n)
	}
}

func BenchmarkTable(b *testing.B) {
	rules := map[string]limit.Rule{
		"capped": {InFlight: 4},
		"paced":  {InFlight: 4, Every: time.Microsecond}, // each pick moves the key between the heaps
	}
	for _, keys := range []int{200, 10_000, 100_000} {
		for _, name := range []string{"capped", "paced"} {
			b.Run(fmt.Sprintf("%s/%d", name, keys), func(b *testing.B) {
				benchmark(b, keys, rules[name])
			})
		}
	}
}

// benchmark picks and finishes with 32 permits out at any time.
func benchmark(b *testing.B, keys int, rule limit.Rule) {
	table := schedule.New(schedule.Config{Slots: 32, Rule: always(rule)})
	rows := backlog("host:www.journal-of-benchmarks.example/", keys, 1<<40)
	table.Refresh(epoch, rows)
	now := epoch
	var out [32]schedule.Permit
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(100 * time.Nanosecond)
		table.Finish(out[i%32], now, queue.Signal{Kind: queue.OK})
		out[i%32], _ = table.Pick(now, 1)
	}
}

// BenchmarkTable_Pick measures picks alone, in rounds of 32 whose requests then
// end while nobody looks at the clock.
func BenchmarkTable_Pick(b *testing.B) {
	for _, keys := range []int{200, 10_000, 100_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			table := schedule.New(schedule.Config{Slots: 32, Rule: always(limit.Rule{InFlight: 4})})
			now := time.Now()
			table.Refresh(now, backlog("host:www.journal-of-benchmarks.example/", keys, 1<<40))
			var out [32]schedule.Permit
			var took time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				for i := range out {
					out[i], _ = table.Pick(start, 1)
				}
				took += time.Since(start)
				now = now.Add(time.Microsecond)
				for _, p := range out {
					table.Finish(p, now, queue.Signal{Kind: queue.OK})
				}
			}
			b.ReportMetric(float64(took)/float64(b.N)/32, "ns/pick")
		})
	}
}

// BenchmarkTable_idle reports what an idle key costs.
func BenchmarkTable_idle(b *testing.B) {
	const keys = 100_000
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		table := schedule.New(schedule.Config{Slots: keys})
		for i := range keys {
			table.Add(fmt.Sprint("host:www.journal", i), 1)
		}
		for range keys {
			p, _ := table.Pick(epoch, 1)
			table.Finish(p, epoch, queue.Signal{})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/keys, "B/key")
		runtime.KeepAlive(table)
	}
}
