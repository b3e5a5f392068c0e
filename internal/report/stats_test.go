package report_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

func TestNewStats(t *testing.T) {
	now := map[string]report.KeyNow{
		"host:a":    {Cap: 4, PerSecond: 4, RateFrom: "configured", Breaker: "closed"},
		"host:free": {RateFrom: "configured", Breaker: "closed"},
		"resolver:gated": {
			Cap: 1, PerSecond: 0.5, RateFrom: "learnt", Batch: 50, Gate: 90 * time.Second, Reason: "throttled", Breaker: "half-open",
			Service: 200 * time.Millisecond, Daily: true, Today: 12,
		},
	}
	stats := report.NewStats(queue.Stats{
		Queued: 3, Done: 2, Ready: 2, Delayed: 1, OldestReady: 1500 * time.Millisecond,
		Keys: []queue.KeyStats{
			{Key: "host:a", Ready: 2, InFlight: 1, HeadAge: 1500 * time.Millisecond, Paused: true},
			{Key: "host:free", Delayed: 1},
			{Key: "resolver:gated", Ready: 101},
		},
		Reasons: map[string]int{"stored": 2}, Classes: map[string]int{"transient": 1}, Paused: true,
	}, func(key string) report.KeyNow { return now[key] })
	got, err := json.Marshal(stats)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"queued":3,"in_progress":0,"done":2,"skipped":0,"error":0,"total":5,"ready":2,"delayed":1,` +
		`"oldest_ready_seconds":1.5,"keys":[` +
		`{"key":"host:a","ready":2,"delayed":0,"in_flight":1,"cap":4,"per_second":4,"gate_seconds":0,"breaker":"closed","paused":true,` +
		`"rate_from":"configured","gate_reason":null,"head_age_seconds":1.5,"service_seconds":null,"left_seconds":0.75,"today":null,"batch":1},` +
		`{"key":"host:free","ready":0,"delayed":1,"in_flight":0,"cap":0,"per_second":null,"gate_seconds":0,"breaker":"closed","paused":false,` +
		`"rate_from":"configured","gate_reason":null,"head_age_seconds":0,"service_seconds":null,"left_seconds":0,"today":null,"batch":1},` +
		`{"key":"resolver:gated","ready":101,"delayed":0,"in_flight":0,"cap":1,"per_second":0.5,"gate_seconds":90,"breaker":"half-open","paused":false,` +
		`"rate_from":"learnt","gate_reason":"throttled","head_age_seconds":0,"service_seconds":0.2,"left_seconds":96,"today":12,"batch":50}],` +
		`"reasons":{"stored":2},"classes":{"transient":1},"paused":true}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestStats_Bound(t *testing.T) {
	tests := map[string]struct {
		stats queue.Stats
		want  string
	}{
		"nothing to do":        {queue.Stats{Keys: []queue.KeyStats{{Key: "host:a"}}}, ""},
		"most work":            {queue.Stats{Keys: []queue.KeyStats{{Key: "host:a", Ready: 3}, {Key: "host:b", Ready: 4}, {Key: "host:c", Ready: 1}}}, "host:b"},
		"in flight counts":     {queue.Stats{Keys: []queue.KeyStats{{Key: "host:a", Ready: 3, InFlight: 2}, {Key: "host:b", Ready: 4}}}, "host:a"},
		"delayed ones count":   {queue.Stats{Keys: []queue.KeyStats{{Key: "host:a", Delayed: 5}, {Key: "host:b", Ready: 4}}}, "host:a"},
		"not what is paused":   {queue.Stats{Keys: []queue.KeyStats{{Key: "host:a", Ready: 3}, {Key: "host:b", Ready: 4, Paused: true}}}, "host:a"},
		"all paused":           {queue.Stats{Paused: true, Keys: []queue.KeyStats{{Key: "host:a", Ready: 3}}}, ""},
		"not what is given up": {queue.Stats{Keys: []queue.KeyStats{{Key: "host:a", Ready: 3}, {Key: "host:down", Ready: 40, Delayed: 2}}}, "host:a"},
		"cap before pace":      {queue.Stats{Keys: []queue.KeyStats{{Key: "host:a", Ready: 7}, {Key: "host:slow", Ready: 1}}}, "host:slow"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if b := report.NewStats(tt.stats, func(key string) report.KeyNow {
				switch key {
				case "host:down":
					return report.KeyNow{PerSecond: 1, Breaker: "down"}
				case "host:slow":
					return report.KeyNow{PerSecond: 1, Cap: 2, Service: 16 * time.Second}
				}
				return report.KeyNow{PerSecond: 1, Cap: 2, Service: time.Second, Breaker: "closed"}
			}).Bound(); b != nil {
				got = b.Key
			}
			if got != tt.want {
				t.Errorf("bound by %q, want %q", got, tt.want)
			}
		})
	}
}
