package schedule_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// Why tells what the first row of a key has waited for, and by what it was picked.
func TestTable_Why(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 2, Rule: always(limit.Rule{InFlight: 1}), Explain: true})
	table.Refresh(epoch, []queue.KeyBacklog{{Key: "host:a", Ready: 3}})
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	pick := func(s int) (schedule.Permit, schedule.Why) {
		t.Helper()
		p, ok := table.Pick(at(s), 1)
		why, known := table.Why(p)
		if !ok || !known {
			t.Fatalf("nothing picked after %d s", s)
		}
		why.Left = 0
		return p, why
	}
	first, why := pick(0)
	if diff := cmp.Diff(schedule.Why{ByTurn: true, Rows: 3}, why); diff != "" {
		t.Errorf("the first (-want +got):\n%s", diff)
	}
	table.Finish(first, at(5), queue.Signal{Kind: queue.OK})
	if _, known := table.Why(first); known {
		t.Error("Why tells of a permit that is spent")
	}
	_, why = pick(7)
	want := schedule.Why{ByTurn: true, Rows: 2, Head: 7 * time.Second, Full: 5 * time.Second, Slot: 2 * time.Second}
	if diff := cmp.Diff(want, why); diff != "" {
		t.Errorf("after the cap (-want +got):\n%s", diff)
	}
}

// Without Explain nothing is kept.
func TestTable_Why_unasked(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 1})
	table.Add("host:a", 1)
	p, _ := table.Pick(epoch, 1)
	if why, known := table.Why(p); known {
		t.Errorf("got %+v", why)
	}
}
