package cli

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire"
)

func TestKeyWatch_news(t *testing.T) {
	w := keyWatch{told: make(map[string]keyTold)}
	now := time.Now()
	for _, step := range []struct {
		after   time.Duration
		gate    time.Duration
		reason  string
		breaker string
		want    []string
	}{
		{0, 0, "", "closed", nil},
		{0, 5 * time.Second, "throttled", "closed", nil},
		{0, 130 * time.Second, "throttled", "closed", []string{"host:a asks for less: no request for 2 min 10 s"}},
		{time.Second, 131 * time.Second, "throttled", "closed", nil},
		{time.Second, time.Hour, "quota", "closed", []string{"host:a has no quota left for us: no request for 1 h"}},
		{time.Hour, 0, "", "closed", nil},
		{0, time.Hour, "blocked", "closed", []string{"host:a shuts us out: no request for 1 h"}},
		{time.Hour, 30 * time.Second, "breaker", "open", []string{"host:a keeps failing: left alone for 30 s"}},
		{time.Second, 29 * time.Second, "breaker", "open", nil},
		{time.Minute, time.Minute, "breaker", "open", []string{"host:a keeps failing: left alone for 1 min"}},
		{time.Minute, 0, "", "half-open", nil},
		{0, 0, "", "closed", []string{"host:a answers again"}},
		{0, 5 * time.Second, "breaker", "open", []string{"host:a keeps failing: left alone for 5 s"}},
		{0, 2 * time.Minute, "breaker", "down", []string{"host:a keeps failing: given up for this run"}},
		{0, 2 * time.Minute, "breaker", "down", nil},
		{0, 10 * time.Hour, "daily", "closed", []string{"host:a answers again", "host:a has had its requests of today: no request for 10 h"}},
	} {
		now = now.Add(step.after)
		got := w.news(quire.KeyState{Key: "host:a", Gate: step.gate, Reason: step.reason, Breaker: step.breaker}, now)
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%+v: -want +got\n%s", step, diff)
		}
	}
}

func TestKeyWatch_json(t *testing.T) {
	var out bytes.Buffer
	w := keyWatch{log: slog.New(slog.NewJSONHandler(&out, nil)), json: true}
	w.observe(quire.KeyState{
		Key: "host:a", InFlight: 1, Cap: 2, PerSecond: 0.5, From: "learnt", Gate: 1500 * time.Millisecond, Reason: "throttled",
		Breaker: "closed", Ready: 7, Head: time.Second, Left: time.Minute,
	})
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	want := map[string]any{
		"level": "INFO", "msg": "key", "key": "host:a", "in_flight": 1.0, "cap": 2.0, "per_second": 0.5, "rate_from": "learnt",
		"gate_seconds": 1.5, "gate_reason": "throttled", "breaker": "closed", "ready": 7.0, "head_age_seconds": 1.0, "left_seconds": 60.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
