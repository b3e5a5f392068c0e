package schedule_test

import (
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// pick picks one permit or fails the test.
func pick(t *testing.T, table *schedule.Table, now time.Time, most int) schedule.Permit {
	t.Helper()
	p, ok := table.Pick(now, most)
	if !ok {
		t.Fatal("nothing may start")
	}
	return p
}

func TestTable_Pick_batch(t *testing.T) {
	rule := func(key string) limit.Rule {
		if key == "batch" {
			return limit.Rule{InFlight: 1, Batch: 50}
		}
		return limit.Rule{}
	}
	start := func(rows int) *schedule.Table {
		table := schedule.New(schedule.Config{Slots: 4, Rule: rule})
		table.Refresh(epoch, []queue.KeyBacklog{{Key: "batch", Ready: rows}})
		return table
	}

	t.Run("full", func(t *testing.T) {
		table := start(120)
		if p := pick(t, table, epoch, 1000); p.N != 50 {
			t.Errorf("took %d rows, want 50", p.N)
		}
		if s := table.Keys(epoch)[0]; s.Ready != 70 || s.InFlight != 1 {
			t.Errorf("%+v after a batch of 50 of 120", s)
		}
	})
	t.Run("as much room as there is", func(t *testing.T) {
		if p := pick(t, start(120), epoch, 7); p.N != 7 {
			t.Errorf("took %d rows, want 7", p.N)
		}
	})
	t.Run("nothing on its way", func(t *testing.T) {
		if p := pick(t, start(3), epoch, 1000); p.N != 3 {
			t.Errorf("took %d rows at once, want all 3", p.N)
		}
	})
	t.Run("more on their way", func(t *testing.T) {
		table := start(0)
		table.Add("other", 1)
		other := pick(t, table, epoch, 1000)
		table.Add("batch", 3)
		if p, ok := table.Pick(epoch, 1000); ok {
			t.Fatalf("picked %+v at once", p)
		}
		if at, ok := table.Wake(epoch); !ok || !at.Equal(epoch.Add(200*time.Millisecond)) {
			t.Errorf("Wake = %v, %v; want in 200 ms", at, ok)
		}
		table.Finish(other, at(time.Millisecond), queue.Signal{})
		if p := pick(t, table, at(time.Millisecond), 1000); p.N != 3 {
			t.Errorf("took %d rows when nothing was on its way any more, want 3", p.N)
		}
	})
	t.Run("waited long enough", func(t *testing.T) {
		table := start(0)
		table.Add("other", 1)
		pick(t, table, epoch, 1000)
		table.Add("batch", 3)
		if p := pick(t, table, at(200*time.Millisecond), 1000); p.N != 3 {
			t.Errorf("took %d rows after 200 ms, want 3", p.N)
		}
	})
	t.Run("fewer came", func(t *testing.T) {
		table := start(50)
		p := pick(t, table, epoch, 1000)
		table.Add("batch", 2)
		table.Took(p, epoch, 10)
		if s := table.Keys(epoch)[0]; s.Ready != 2 {
			t.Errorf("%d rows ready, want the 2 that came since", s.Ready)
		}
		table.Unpick(p, epoch, false)
		if s := table.Keys(epoch)[0]; s.Ready != 12 || s.InFlight != 0 {
			t.Errorf("%+v after giving back a permit of 10", s)
		}
	})
}

// Keys of a group share a cap, and one that waits for it gets the first place.
func TestTable_group(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 8, Rule: always(limit.Rule{InFlight: 2, Group: "domain:example.org", GroupInFlight: 3})})
	table.Refresh(epoch, []queue.KeyBacklog{{Key: "a", Ready: 9}, {Key: "b", Ready: 9}, {Key: "c", Ready: 9}})
	inFlight := make(map[string]int)
	var out []schedule.Permit
	for {
		p, ok := table.Pick(epoch, 1)
		if !ok {
			break
		}
		inFlight[p.Key]++
		out = append(out, p)
	}
	if len(out) != 3 || inFlight["a"] > 2 || inFlight["b"] > 2 {
		t.Fatalf("in flight %v, want 3 over the group and 2 at each", inFlight)
	}
	seen := make(map[string]bool)
	now := epoch
	for range 12 {
		now = now.Add(time.Second)
		table.Finish(out[0], now, queue.Signal{Kind: queue.OK})
		p := pick(t, table, now, 1)
		seen[p.Key] = true
		out = append(out[1:], p)
		if p, ok := table.Pick(now, 1); ok {
			t.Fatalf("a fourth in flight: %+v", p)
		}
	}
	if len(seen) != 3 {
		t.Errorf("in 12 turns only %v had one", seen)
	}
}

// A key that is given up passes its rows on: they take a slot, but neither its
// cap nor its pace.
func TestTable_down(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 2, Rule: always(limit.Rule{InFlight: 1, Every: time.Second})})
	now := epoch
	table.Refresh(now, []queue.KeyBacklog{{Key: "dead", Ready: 100}})
	requests := 0
	for {
		p, ok := table.Pick(now, 100)
		if !ok {
			now, ok = table.Wake(now)
			if !ok {
				t.Fatal("nothing will ever start")
			}
			continue
		}
		if p.Down {
			table.Unpick(p, now, false)
			break
		}
		requests++
		now = now.Add(30 * time.Second)
		table.Finish(p, now, queue.Signal{Kind: queue.Troubled})
		table.Add("dead", 1)
	}
	if requests > 12 {
		t.Errorf("%d requests before the key was given up, want at most 12", requests)
	}
	if s := table.Keys(now)[0]; s.Breaker != "down" || s.InFlight != 0 || s.Ready != 100 {
		t.Errorf("%+v", s)
	}
	for range 100 { // they held a drain open for the key's budget of retries
		if wait := table.Retry(now, "dead"); wait != 0 {
			t.Fatalf("a retry at a key that is given up waits for %v", wait)
		}
	}
	rows := 0
	for table.HasReady() {
		p := pick(t, table, now, 1000)
		rows += p.N
		if !p.Down {
			t.Fatalf("%+v: a request at a key that is given up", p)
		}
		table.Finish(p, now, queue.Signal{Kind: queue.Troubled})
	}
	if rows != 100 {
		t.Errorf("%d rows passed on, want 100", rows)
	}
}
