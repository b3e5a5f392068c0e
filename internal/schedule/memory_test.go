package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// A table that is told the notes of another goes on where that one was.
func TestTable_Recall(t *testing.T) {
	rules := map[string]limit.Rule{"host:paced": {Every: 10 * time.Second}, "host:quick": {Every: 500 * time.Millisecond}, "resolver:a": {}}
	cfg := schedule.Config{Slots: 9, Rule: func(key string) limit.Rule { return rules[key] }}
	table := schedule.New(cfg)
	table.Refresh(epoch, []queue.KeyBacklog{
		{Key: "host:paced", Ready: 9}, {Key: "host:quick", Ready: 9}, {Key: "host:gated", Ready: 9},
	})
	for range 3 {
		p := pick(t, table, epoch, 1)
		s := queue.Signal{Kind: queue.OK}
		if p.Key == "host:gated" {
			s = queue.Signal{Kind: queue.Throttled, For: time.Hour}
		}
		if changed := table.Finish(p, epoch, s); changed != (p.Key == "host:gated") {
			t.Errorf("%s changed: %v", p.Key, changed)
		}
	}
	table.Moved("resolver:a", "host:paced")
	notes := table.Notes(at(2 * time.Second))
	if len(notes) != 3 || len(table.Notes(at(2*time.Second))) != 0 {
		t.Fatalf("%d notes, want one for each key and none the second time", len(notes))
	}
	for i := range notes {
		notes[i].Age = 3 * time.Second
	}

	again := schedule.New(cfg)
	now := at(5 * time.Second)
	if err := again.Recall(now, notes); err != nil {
		t.Fatal(err)
	}
	again.Refresh(now, []queue.KeyBacklog{
		{Key: "host:paced", Ready: 8}, {Key: "host:quick", Ready: 8}, {Key: "host:gated", Ready: 8}, {Key: "host:new", Ready: 1},
	})
	for key, want := range map[string]time.Duration{"host:paced": 5 * time.Second, "host:quick": 500 * time.Millisecond, "host:gated": time.Hour - 5*time.Second, "host:new": 0} {
		rest := schedule.New(cfg)
		if err := rest.Recall(now, notes); err != nil {
			t.Fatal(err)
		}
		rest.Refresh(now, []queue.KeyBacklog{{Key: key, Ready: 1}})
		if wake, ok := rest.Wake(now); !ok || wake.Sub(now) != want {
			t.Errorf("%s may start after %v, %v; want %v", key, wake.Sub(now), ok, want)
		}
	}
	if s, _ := again.Key(now, "host:gated"); s.Reason != limit.ReasonQuota {
		t.Errorf("gate for %q, want a quota", s.Reason)
	}
}

func TestTable_Recall_unreadable(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 1})
	err := table.Recall(epoch, []queue.KeyNote{{Key: "a", Doc: []byte(`{"gate":"x"}`)}, {Key: "b", Doc: []byte(`{"gate":60000000000}`)}})
	if err == nil || !strings.Contains(err.Error(), "note of a") {
		t.Errorf("error %v, want one that names a", err)
	}
	table.Add("b", 1)
	if s, _ := table.Key(epoch, "b"); s.Gate != time.Minute {
		t.Errorf("b: gate %v; the readable note was lost", s.Gate)
	}
}

// Requests are counted by how long they waited, and for what.
func TestTable_waits(t *testing.T) {
	table := schedule.New(schedule.Config{Slots: 9, Rule: always(limit.Rule{InFlight: 1, Every: time.Second})})
	table.Refresh(epoch, []queue.KeyBacklog{{Key: "a", Ready: 9}})
	now := epoch
	for range 4 {
		p := pick(t, table, now, 1)
		now = now.Add(300 * time.Millisecond)
		table.Finish(p, now, queue.Signal{Kind: queue.OK})
		now, _ = table.Wake(now)
	}
	s, _ := table.Key(now, "a")
	if s.Pace.Count() != 4 || s.Pace.Quantile(0.2) != 0 || s.Pace.Quantile(0.9) != 1024*time.Millisecond {
		t.Errorf("waits for pace: %v, want 1 under 1 ms and 3 of 700 ms", s.Pace)
	}
	if s.Full.Quantile(0.9) != 512*time.Millisecond {
		t.Errorf("waits for the cap: %v, want 3 of 300 ms", s.Full)
	}
	if s.Gated.Quantile(1) != 0 {
		t.Errorf("waits for the gate: %v", s.Gated)
	}
}
