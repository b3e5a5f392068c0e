package limit_test

import (
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is an instant of the tests: for keys, the time since their epoch.
func at(d time.Duration) time.Duration { return d }

func TestKey_Free(t *testing.T) {
	tests := map[string]struct {
		rule   limit.Rule
		before func(k *limit.Key)
		now    time.Duration
		want   time.Duration // as Free says; -1 for "not for time alone"
		ok     bool
	}{
		"no limit": {
			rule:   limit.Rule{},
			before: func(k *limit.Key) { k.Start(at(0)); k.Start(at(0)) },
			ok:     true,
		},
		"never started": {rule: limit.Rule{InFlight: 1, Every: time.Hour}, ok: true},
		"negative rule": {
			rule:   limit.Rule{InFlight: -1, Every: -time.Second},
			before: func(k *limit.Key) { k.Start(at(0)) },
			ok:     true,
		},
		"at the cap": {
			rule:   limit.Rule{InFlight: 2},
			before: func(k *limit.Key) { k.Start(at(0)); k.Start(at(0)) },
			want:   -1,
		},
		"below the cap again": {
			rule:   limit.Rule{InFlight: 2},
			before: func(k *limit.Key) { k.Start(at(0)); k.Start(at(0)); k.Done() },
			ok:     true,
		},
		"pace": {
			rule:   limit.Rule{Every: 3 * time.Second},
			before: func(k *limit.Key) { k.Start(at(0)) },
			now:    time.Second,
			want:   3 * time.Second,
		},
		"pace to the nanosecond": {
			rule:   limit.Rule{Every: 3 * time.Second},
			before: func(k *limit.Key) { k.Start(at(0)) },
			now:    3*time.Second - 1,
			want:   3 * time.Second,
		},
		"pace passed": {
			rule:   limit.Rule{Every: 3 * time.Second},
			before: func(k *limit.Key) { k.Start(at(0)) },
			now:    3 * time.Second,
			want:   3 * time.Second,
			ok:     true,
		},
		"a late start shifts the next": {
			rule:   limit.Rule{Every: time.Second},
			before: func(k *limit.Key) { k.Start(at(0)); k.Start(at(1500 * time.Millisecond)) },
			now:    2 * time.Second,
			want:   2500 * time.Millisecond,
		},
		"cap hides pace": {
			rule:   limit.Rule{InFlight: 1, Every: time.Second},
			before: func(k *limit.Key) { k.Start(at(0)) },
			want:   -1,
		},
		"gate and pace, the later counts": {
			rule: limit.Rule{Every: time.Minute},
			before: func(k *limit.Key) {
				ticket := k.Start(at(0))
				k.Done()
				k.Throttle(ticket, at(time.Second), 10*time.Second)
			},
			now:  2 * time.Second,
			want: time.Minute,
		},
		"slower rule counts from the last start": {
			rule:   limit.Rule{Every: time.Second},
			before: func(k *limit.Key) { k.Start(at(0)); k.SetRule(limit.Rule{Every: time.Minute}) },
			now:    2 * time.Second,
			want:   time.Minute,
		},
		"faster rule counts from the last start": {
			rule:   limit.Rule{Every: time.Minute},
			before: func(k *limit.Key) { k.Start(at(0)); k.SetRule(limit.Rule{Every: time.Second}) },
			now:    2 * time.Second,
			want:   2 * time.Second,
			ok:     true,
		},
		"lower cap waits for those in flight": {
			rule: limit.Rule{InFlight: 3},
			before: func(k *limit.Key) {
				k.Start(at(0))
				k.Start(at(0))
				k.SetRule(limit.Rule{InFlight: 1})
				k.Done()
			},
			want: -1,
		},
		"a clock that went back": {
			rule:   limit.Rule{Every: time.Second},
			before: func(k *limit.Key) { k.Start(at(0)) },
			now:    -time.Hour,
			want:   time.Second,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := limit.NewKey(tt.rule, 0, epoch)
			if tt.before != nil {
				tt.before(&k)
			}
			want := at(tt.want)
			if tt.want == -1 {
				want = limit.Never
			}
			if got, ok := k.Free(at(tt.now)); ok != tt.ok || got != want {
				t.Errorf("Free = %v, %v; want %v, %v", got, ok, want, tt.ok)
			}
		})
	}
}

func TestKey_Cancel(t *testing.T) {
	k := limit.NewKey(limit.Rule{InFlight: 1, Every: 10 * time.Second}, 0, epoch)
	k.Start(at(0))
	k.Done()
	ticket := k.Start(at(15 * time.Second))
	k.Cancel(ticket, at(15*time.Second))
	if n := k.InFlight(); n != 0 {
		t.Errorf("InFlight = %d after Cancel, want 0", n)
	}
	if _, ok := k.Free(at(15 * time.Second)); !ok {
		t.Error("a cancelled start kept its turn")
	}
	k.SetRule(limit.Rule{Every: time.Minute})
	if got, _ := k.Free(at(15 * time.Second)); got != at(time.Minute) {
		t.Errorf("next start at %v, want a minute after the start that did happen", got)
	}
}

func TestKey_Cancel_outOfOrder(t *testing.T) {
	var k limit.Key
	first := k.Start(at(0))
	k.Start(at(0))
	k.Cancel(first, at(0)) // the other start of the same instant did happen
	k.SetRule(limit.Rule{Every: time.Second})
	if got, ok := k.Free(at(0)); ok || got != at(time.Second) {
		t.Errorf("Free = %v, %v; want a second after the start that did happen", got, ok)
	}
}

func TestKey_Forgettable(t *testing.T) {
	k := limit.NewKey(limit.Rule{Every: time.Hour}, 0, epoch)
	if !k.Forgettable(at(0)) {
		t.Error("a new key is worth keeping")
	}
	ticket := k.Start(at(0))
	if k.Forgettable(at(24 * time.Hour)) {
		t.Error("forgot a key with a request in flight")
	}
	k.Done()
	if k.Forgettable(at(time.Hour - 1)) {
		t.Error("forgot a key before its pace had passed")
	}
	if !k.Forgettable(at(time.Hour)) {
		t.Error("kept a key that has long been idle")
	}
	k.Throttle(ticket, at(0), 2*time.Hour)
	if k.Forgettable(at(2 * time.Hour)) {
		t.Error("forgot a throttle at the moment its gate opened")
	}
	if !k.Forgettable(at(3 * time.Hour)) {
		t.Error("kept a throttle for ever")
	}
}

func TestRule_PerSecond(t *testing.T) {
	tests := []struct {
		every time.Duration
		want  float64
	}{{0, 0}, {-1, 0}, {time.Second, 1}, {100 * time.Millisecond, 10}, {4 * time.Second, 0.25}}
	for _, tt := range tests {
		if got := (limit.Rule{Every: tt.every}).PerSecond(); got != tt.want {
			t.Errorf("every %v: PerSecond = %v, want %v", tt.every, got, tt.want)
		}
	}
}
