package limit_test

import (
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// refuse starts a request and has it refused in the same instant.
func refuse(k *limit.Key, now time.Duration, wait time.Duration) {
	ticket := k.Start(now)
	k.Done()
	k.Throttle(ticket, now, wait)
}

func TestKey_Throttle_told(t *testing.T) {
	tests := map[string]struct {
		waits  []time.Duration // named in one instant, each for a request of its own
		want   time.Duration
		reason string
	}{
		"as told":             {[]time.Duration{7 * time.Second}, 7 * time.Second, limit.ReasonThrottled},
		"a longer one counts": {[]time.Duration{time.Second, time.Minute}, time.Minute, limit.ReasonThrottled},
		"never shortened":     {[]time.Duration{time.Minute, time.Second}, time.Minute, limit.ReasonThrottled},
		"nor by our own wait": {[]time.Duration{time.Minute, 0}, time.Minute, limit.ReasonThrottled},
		"a quarter of an hour": {
			[]time.Duration{15 * time.Minute}, 15 * time.Minute, limit.ReasonThrottled,
		},
		"a quota":                  {[]time.Duration{time.Hour}, time.Hour, limit.ReasonQuota},
		"the quota's reason stays": {[]time.Duration{time.Hour, time.Second}, time.Hour, limit.ReasonQuota},
		"a mistake":                {[]time.Duration{1000 * time.Hour}, 24 * time.Hour, limit.ReasonQuota},
		"the greatest":             {[]time.Duration{1<<63 - 1}, 24 * time.Hour, limit.ReasonQuota},
		"negative":                 {[]time.Duration{-time.Hour}, time.Second, limit.ReasonThrottled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var k limit.Key
			for _, wait := range tt.waits {
				refuse(&k, at(0), wait)
			}
			if left, reason := k.Gate(at(0)); left != tt.want || reason != tt.reason {
				t.Errorf("Gate = %v, %q; want %v, %q", left, reason, tt.want, tt.reason)
			}
			if _, ok := k.Free(at(tt.want - 1)); ok {
				t.Error("Free before the gate opens")
			}
			if _, ok := k.Free(at(tt.want + time.Second)); !ok { // a second more, for the pace that was learnt
				t.Error("not Free when the gate is open")
			}
			if left, reason := k.Gate(at(tt.want)); left != 0 || reason != "" {
				t.Errorf("Gate = %v, %q when it opens; want 0 and no reason", left, reason)
			}
		})
	}
}

func TestKey_Throttle_ownWait(t *testing.T) {
	var k limit.Key
	now := at(0)
	for n, seconds := range []int{1, 3, 9, 27, 81, 243, 300, 300} {
		want := time.Duration(seconds) * time.Second
		refuse(&k, now, 0)
		left, _ := k.Gate(now)
		if left != want {
			t.Errorf("throttle %d: wait %v, want %v", n+1, left, want)
		}
		if k.Streak() != n+1 {
			t.Errorf("throttle %d: Streak = %d", n+1, k.Streak())
		}
		now = now + left
	}

	k.OK(k.Start(now), now)
	k.Done()
	refuse(&k, now, 0)
	if left, _ := k.Gate(now); left != time.Second {
		t.Errorf("after an answer: wait %v, want 1s", left)
	}
}

// A burst that is refused as a whole is one episode, and the answers of requests
// that started before it say nothing of what comes after.
func TestKey_Throttle_episode(t *testing.T) {
	k := limit.NewKey(limit.Rule{InFlight: 4}, 0, epoch)
	var burst []limit.Ticket
	for range 4 {
		burst = append(burst, k.Start(at(0)))
	}
	for i, ticket := range burst[:3] {
		k.Done()
		k.Throttle(ticket, at(time.Duration(i)*time.Millisecond), 0)
	}
	k.Done()
	k.OK(burst[3], at(0))
	if k.Streak() != 1 {
		t.Errorf("Streak = %d after one refused burst, want 1", k.Streak())
	}
	if left, _ := k.Gate(at(0)); left != time.Second+2*time.Millisecond {
		t.Errorf("wait %v, want a second from the last refusal", left)
	}

	probe := k.Start(at(2 * time.Second))
	if _, ok := k.Free(at(2 * time.Second)); ok || k.Cap() != 1 {
		t.Errorf("a second request beside the first after a throttle, cap %d", k.Cap())
	}
	k.Done()
	k.OK(probe, at(2*time.Second))
	if k.Streak() != 0 || k.Cap() != 4 {
		t.Errorf("after an answer: Streak = %d, Cap = %d; want 0 and 4", k.Streak(), k.Cap())
	}
}

func TestKey_Trouble(t *testing.T) {
	var k limit.Key
	for range 3 {
		k.Trouble(k.Start(at(0)), at(0))
		k.Done()
	}
	if k.Troubles() != 3 {
		t.Errorf("Troubles = %d, want 3", k.Troubles())
	}
	if _, ok := k.Free(at(0)); !ok {
		t.Error("trouble closed the gate")
	}
	k.OK(k.Start(at(0)), at(0))
	if k.Troubles() != 0 {
		t.Errorf("Troubles = %d after an answer, want 0", k.Troubles())
	}
}
