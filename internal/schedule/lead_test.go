package schedule_test

import (
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// A paced key is picked as much sooner as a row takes to be leased, and its request
// goes out at the pace all the same.
func TestTable_Pick_ahead(t *testing.T) {
	ms := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Millisecond) }
	wakes := func(t *testing.T, table *schedule.Table, now, want time.Time) {
		t.Helper()
		if got, ok := table.Wake(now); !ok || !got.Equal(want) {
			t.Fatalf("Wake = %v, %v; want %v", got, ok, want)
		}
	}
	start := func(t *testing.T, r limit.Rule) (*schedule.Table, schedule.Permit) {
		t.Helper()
		table := schedule.New(schedule.Config{Slots: 4, Rule: always(r)})
		table.Add("a", 9)
		p := pick(t, table, ms(0), 1)
		if wait := table.Send(p, ms(4)); wait != 0 {
			t.Fatalf("the first request is held back for %v", wait)
		}
		return table, p
	}

	t.Run("by one and a half times the mean", func(t *testing.T) {
		table, p := start(t, limit.Rule{InFlight: 1, Every: 100 * time.Millisecond})
		table.Finish(p, ms(50), queue.Signal{Kind: queue.OK})
		wakes(t, table, ms(50), ms(104-6))
		if p, ok := table.Pick(ms(97), 1); ok {
			t.Fatalf("picked %+v too soon", p)
		}
		p = pick(t, table, ms(98), 1)
		if wait := table.Send(p, ms(101)); wait != 3*time.Millisecond {
			t.Errorf("the second request is held back for %v, want until 100 ms after the first", wait)
		}
		table.Finish(p, ms(150), queue.Signal{Kind: queue.OK})
		if p, ok := table.Pick(ms(190), 1); ok {
			t.Fatalf("picked %+v: a pick ahead of its pace made the next one too soon", p)
		}
		p = pick(t, table, ms(199), 1)
		if wait := table.Send(p, ms(199)); wait != 5*time.Millisecond {
			t.Errorf("the third request is held back for %v, want until 100 ms after the second", wait)
		}
	})
	t.Run("not of a gate", func(t *testing.T) {
		table, p := start(t, limit.Rule{InFlight: 1, Every: 100 * time.Millisecond})
		table.Finish(p, ms(50), queue.Signal{Kind: queue.Throttled, For: time.Hour})
		wakes(t, table, ms(50), ms(50).Add(time.Hour))
	})
	t.Run("not of a cap", func(t *testing.T) {
		table, _ := start(t, limit.Rule{InFlight: 1, Every: 100 * time.Millisecond})
		if p, ok := table.Pick(ms(200), 1); ok {
			t.Fatalf("picked %+v above the cap", p)
		}
	})
	t.Run("not where starts may come in bursts", func(t *testing.T) {
		table, p := start(t, limit.Rule{Every: 100 * time.Millisecond, Burst: 2})
		table.Finish(p, ms(5), queue.Signal{Kind: queue.OK})
		pick(t, table, ms(5), 1)
		wakes(t, table, ms(5), ms(100))
	})
	t.Run("by twenty milliseconds at most", func(t *testing.T) {
		table := schedule.New(schedule.Config{Slots: 4, Rule: always(limit.Rule{InFlight: 1, Every: time.Second})})
		table.Add("a", 9)
		p := pick(t, table, ms(0), 1)
		table.Send(p, ms(500))
		table.Finish(p, ms(600), queue.Signal{Kind: queue.OK})
		wakes(t, table, ms(600), ms(1480))
	})
}

// The trickle behind a dump: rows of keys that have long backlogs used to go before
// the one row of a key that came later, as they were older.
func TestTable_Pick_trickle(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 8, Rule: always(limit.Rule{InFlight: 8})})
	table.Refresh(epoch, backlog("dump", 3, 1000))
	var out []schedule.Permit
	for range 8 {
		out = append(out, pick(t, table, epoch, 1))
	}
	table.Add("new", 1)
	for i, p := range out[:4] {
		table.Finish(p, at(time.Second), queue.Signal{Kind: queue.OK})
		if next := pick(t, table, at(time.Second), 1); next.Key == "new" {
			return
		} else if i == 3 {
			t.Error("the one row of a new key waits behind older rows of others")
		}
	}
}
