package schedule_test

import (
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// run takes a step at the first key that may start, for a while.
func run(t *testing.T, table *schedule.Table, now time.Time, took time.Duration) time.Time {
	t.Helper()
	p := pick(t, table, now, 1)
	now = now.Add(took)
	table.Finish(p, now, queue.Signal{Kind: queue.OK})
	return now
}

func TestTable_Bound(t *testing.T) {
	tests := map[string]struct {
		slots   int
		rules   map[string]limit.Rule
		backlog []queue.KeyBacklog
		key     string
		left    time.Duration // a request takes a second while nothing is known
	}{
		"nothing":      {slots: 4},
		"by its cap":   {4, map[string]limit.Rule{"a": {InFlight: 2}}, []queue.KeyBacklog{{Key: "a", Ready: 100}, {Key: "b", Ready: 40}}, "a", 50 * time.Second},
		"by its pace":  {4, map[string]limit.Rule{"a": {Every: 3 * time.Second}}, []queue.KeyBacklog{{Key: "a", Ready: 20}, {Key: "b", Ready: 40}}, "a", time.Minute},
		"by the slots": {4, map[string]limit.Rule{"a": {InFlight: 2}}, []queue.KeyBacklog{{Key: "a", Ready: 10}, {Key: "b", Ready: 40}}, "", 12500 * time.Millisecond},
		"by batches":   {4, map[string]limit.Rule{"a": {Every: time.Second, InFlight: 1, Batch: 50}}, []queue.KeyBacklog{{Key: "a", Ready: 101}}, "a", 3 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			table := schedule.New(schedule.Config{Slots: tt.slots, Rule: func(key string) limit.Rule { return tt.rules[key] }})
			table.Refresh(epoch, tt.backlog)
			if key, left := table.Bound(epoch); key != tt.key || left != tt.left {
				t.Errorf("Bound = %q, %v; want %q, %v", key, left, tt.key, tt.left)
			}
		})
	}
}

func TestTable_Bound_gate(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 4, Rule: always(limit.Rule{InFlight: 1})})
	table.Refresh(epoch, []queue.KeyBacklog{{Key: "a", Ready: 5}})
	table.Finish(pick(t, table, epoch, 1), epoch, queue.Signal{Kind: queue.OK, Allowance: queue.Allowance{Wait: time.Hour}})
	table.Add("a", 1)
	table.Add("b", 9)
	if key, left := table.Bound(epoch); key != "a" || left < time.Hour || left > time.Hour+time.Minute {
		t.Errorf("Bound = %q, %v", key, left)
	}
}

// What jobs take is learnt, for a key that is new from others of its class.
func TestTable_service(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 1, Rule: always(limit.Rule{InFlight: 1})})
	table.Refresh(epoch, []queue.KeyBacklog{{Key: "host:slow", Ready: 100}})
	now := epoch
	for range 20 {
		now = run(t, table, now, 10*time.Second)
	}
	if s, _ := table.Key(now, "host:slow"); s.Service.Round(time.Second) != 10*time.Second || s.Left.Round(time.Minute) != 13*time.Minute {
		t.Errorf("service %v, left %v; want 10 s, and 80 times that", s.Service, s.Left)
	}
	table.Add("host:new", 60)
	table.Add("api:new", 60)
	for key, want := range map[string]time.Duration{"host:new": 10 * time.Minute, "api:new": time.Minute} {
		if s, _ := table.Key(now, key); s.Left.Round(time.Minute) != want {
			t.Errorf("%s: left %v, want %v", key, s.Left, want)
		}
	}
}

// Jobs that are still at the resolvers count for the host to which most of them
// will go, so that it is begun with early.
func TestTable_expected(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 2, Rule: always(limit.Rule{InFlight: 2})})
	for n := range 100 {
		to := "host:hot"
		if n%10 == 0 {
			to = "host:cold"
		}
		table.Moved("resolver:a", to)
	}
	table.Add("resolver:a", 1000)
	table.Add("host:hot", 2)
	table.Add("host:cold", 2)
	hot, _ := table.Key(epoch, "host:hot")
	cold, _ := table.Key(epoch, "host:cold")
	if hot.Left != 451*time.Second || cold.Left != 51*time.Second {
		t.Errorf("left %v and %v; want half a second for each of 902 and 102 jobs", hot.Left, cold.Left)
	}
}
