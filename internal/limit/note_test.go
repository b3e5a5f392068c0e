package limit_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// reborn passes a key's note through JSON to a new key, which learns of it later.
func reborn(t *testing.T, k *limit.Key, noted, later time.Duration) *limit.Key {
	t.Helper()
	doc, err := json.Marshal(k.Note(noted))
	if err != nil {
		t.Fatal(err)
	}
	var n limit.Note
	if err := json.Unmarshal(doc, &n); err != nil {
		t.Fatal(err)
	}
	again := limit.NewKey(k.Rule(), 0, epoch)
	again.Recall(n, later, later-noted)
	return &again
}

// A key that is started anew from its note goes on as the old one would.
func TestKey_Recall(t *testing.T) {
	tests := map[string]struct {
		rule limit.Rule
		do   func(k *limit.Key)
	}{
		"nothing": {limit.Rule{InFlight: 2, Every: time.Second}, func(*limit.Key) {}},
		"pace":    {limit.Rule{Every: 3 * time.Second}, func(k *limit.Key) { k.Start(at(0)); k.Done() }},
		"burst": {limit.Rule{Every: 10 * time.Second, Burst: 3}, func(k *limit.Key) {
			for range 3 {
				k.Start(at(0))
				k.Done()
			}
		}},
		"gate":           {limit.Rule{InFlight: 2}, func(k *limit.Key) { refuse(k, at(0), 20*time.Minute) }},
		"learnt rate":    {limit.Rule{InFlight: 2}, func(k *limit.Key) { refuse(k, at(0), 0) }},
		"announced":      {limit.Rule{InFlight: 2}, func(k *limit.Key) { k.Announce(limit.Allowance{Every: time.Minute, InFlight: 1}) }},
		"spent":          {limit.Rule{}, func(k *limit.Key) { k.Spend(at(0), time.Hour) }},
		"breaker":        {limit.Rule{InFlight: 4}, func(k *limit.Key) { k.Block(k.Start(at(0)), at(0), 0); k.Done() }},
		"daily, used":    {limit.Rule{Daily: 2}, func(k *limit.Key) { k.Start(at(0)); k.Done() }},
		"daily, used up": {limit.Rule{Daily: 1}, func(k *limit.Key) { k.Start(at(0)); k.Done() }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := limit.NewKey(tt.rule, 0, epoch)
			tt.do(&k)
			for _, later := range []time.Duration{time.Second, 2 * time.Minute} {
				again := reborn(t, &k, at(time.Second), at(time.Second+later))
				now := at(time.Second + later)
				wantAt, wantOK := k.Free(now)
				if got, ok := again.Free(now); ok != wantOK || got != wantAt {
					t.Errorf("after %v: Free = %v, %v; want %v, %v", later, got, ok, wantAt, wantOK)
				}
				every, from := again.Every()
				if wantEvery, wantFrom := k.Every(); every != wantEvery || from != wantFrom {
					t.Errorf("after %v: Every = %v, %s; want %v, %s", later, every, from, wantEvery, wantFrom)
				}
				if again.Cap() != k.Cap() || again.Breaker(now) != k.Breaker(now) || tt.rule.Daily > 0 && again.Today(now) != k.Today(now) {
					t.Errorf("after %v: cap %d, breaker %s, today %d; want %d, %s, %d", later,
						again.Cap(), again.Breaker(now), again.Today(now), k.Cap(), k.Breaker(now), k.Today(now))
				}
			}
		})
	}
}

func TestNote_Ahead(t *testing.T) {
	k := limit.NewKey(limit.Rule{Every: 3 * time.Second}, 0, epoch)
	if a := k.Note(at(0)).Ahead(); a != 0 {
		t.Errorf("a new key's note reaches %v ahead", a)
	}
	k.Start(at(0))
	if a := k.Note(at(time.Second)).Ahead(); a != 2*time.Second {
		t.Errorf("a second after a start: %v ahead, want 2s", a)
	}
}

// What started within the last second before a process began may not be noted.
func TestKey_Doubt(t *testing.T) {
	tests := map[string]struct {
		rule limit.Rule
		want time.Duration
	}{
		"no pace":       {limit.Rule{}, 0},
		"half a second": {limit.Rule{Every: time.Second / 2}, time.Second / 2},
		"a burst":       {limit.Rule{Every: time.Second / 2, Burst: 4}, time.Second / 2},
		"noted":         {limit.Rule{Every: 2 * time.Second}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := limit.NewKey(tt.rule, 0, epoch)
			k.Doubt(at(0))
			if got, _ := k.Free(at(0)); got != at(tt.want) {
				t.Errorf("may start after %v, want %v", got, tt.want)
			}
		})
	}
}

func TestKey_daily(t *testing.T) {
	k := limit.NewKey(limit.Rule{Daily: 2}, 0, epoch)
	noon := at(0) // the tests begin at noon UTC
	k.Cancel(k.Start(noon), noon)
	for range 2 {
		if _, ok := k.Free(noon); !ok {
			t.Fatal("the budget is spent too early")
		}
		k.Start(noon)
		k.Done()
	}
	midnight := at(12 * time.Hour)
	if next, ok := k.Free(noon); ok || next != midnight {
		t.Errorf("Free = %v, %v with the budget spent; want midnight UTC", next, ok)
	}
	if left, reason := k.Gate(noon); left != 12*time.Hour || reason != limit.ReasonDaily {
		t.Errorf("Gate = %v, %s", left, reason)
	}
	if _, ok := k.Free(midnight); !ok || k.Today(midnight) != 0 {
		t.Error("no new budget at midnight")
	}
}

func TestKey_Retry(t *testing.T) {
	var k limit.Key
	for n := range 10 {
		if wait := k.Retry(at(0)); wait != 0 {
			t.Fatalf("retry %d waits %v", n+1, wait)
		}
	}
	if wait := k.Retry(at(0)); wait != 10*time.Second {
		t.Errorf("retry 11 waits %v, want 10s", wait)
	}
	for range 5 { // earn a retry
		k.Start(at(0))
		k.Done()
	}
	if wait := k.Retry(at(0)); wait.Round(time.Millisecond) != 10*time.Second {
		t.Errorf("after five requests: %v, want 10s", wait)
	}
	if wait := k.Retry(at(time.Hour)); wait != 0 {
		t.Errorf("an hour later: %v", wait)
	}
}

func TestKey_burst(t *testing.T) {
	k := limit.NewKey(limit.Rule{Every: time.Second, Burst: 3}, 0, epoch)
	var starts []time.Duration
	now := at(0)
	for range 5 {
		now, _ = k.Free(now)
		starts = append(starts, now)
		k.Start(now)
		k.Done()
	}
	for i, want := range []time.Duration{0, 0, 0, time.Second, 2 * time.Second} {
		if starts[i] != want {
			t.Errorf("starts at %v, want three at once and then one a second", starts)
			break
		}
	}
}

// Waits that others were told as well get longer by a little, and differ.
func TestKey_jitter(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for seed := range uint64(50) {
		k := limit.NewKey(limit.Rule{}, seed+1, epoch)
		refuse(&k, at(0), 10*time.Second)
		left, _ := k.Gate(at(0))
		if left < 10*time.Second || left > 11*time.Second {
			t.Fatalf("told 10 s, waits %v", left)
		}
		seen[left] = true
	}
	if len(seen) < 40 {
		t.Errorf("50 keys wait %d different times", len(seen))
	}
}
