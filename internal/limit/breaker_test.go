package limit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// attempt starts a request as soon as the key allows and ends it after took.
func attempt(t *testing.T, k *limit.Key, now time.Duration, took time.Duration, end func(limit.Ticket, time.Duration)) time.Duration {
	t.Helper()
	at, ok := k.Free(now)
	if at == limit.Never {
		t.Fatal("the key is full")
	}
	if !ok {
		now = at
	}
	ticket := k.Start(now)
	now = now + took
	k.Done()
	end(ticket, now)
	return now
}

func TestKey_breaker(t *testing.T) {
	k := limit.NewKey(limit.Rule{InFlight: 4}, 0, epoch)
	now := at(0)
	for range 4 {
		now = attempt(t, &k, now, 0, k.Trouble)
	}
	if s := k.Breaker(now); s != "closed" {
		t.Fatalf("%s after four failures", s)
	}
	for n, wait := range []time.Duration{30 * time.Second, time.Minute} {
		now = attempt(t, &k, now, 0, k.Trouble)
		left, reason := k.Gate(now)
		if k.Breaker(now) != "open" || left != wait || reason != limit.ReasonBreaker {
			t.Fatalf("opening %d: %s for %v (%s), want open for %v", n+1, k.Breaker(now), left, reason, wait)
		}
		if k.Breaker(now+left) != "half-open" || k.Cap() != 1 {
			t.Fatalf("opening %d: %s, cap %d after the wait; want half-open and 1", n+1, k.Breaker(now+left), k.Cap())
		}
	}
	for n := range 3 {
		if k.Breaker(now+time.Hour) != "half-open" {
			t.Fatalf("closed after %d answers", n)
		}
		now = attempt(t, &k, now, 0, k.OK)
	}
	if s := k.Breaker(now); s != "closed" || k.Down() {
		t.Errorf("%s, down %v after three answers", s, k.Down())
	}
}

// A dead host gets few requests before it is given up.
func TestKey_breaker_givesUp(t *testing.T) {
	k := limit.NewKey(limit.Rule{InFlight: 4}, 0, epoch)
	const timeout = 30 * time.Second
	type request struct {
		limit.Ticket
		ends time.Duration
	}
	var open []request
	now, sent := at(0), 0
	for !k.Down() {
		next, ok := k.Free(now)
		switch {
		case ok:
			sent++
			open = append(open, request{k.Start(now), now + timeout})
		case len(open) > 0:
			now = open[0].ends
			k.Done()
			k.Trouble(open[0].Ticket, now)
			open = open[1:]
		default:
			now = next
		}
	}
	t.Logf("%d requests in %v", sent, now)
	if sent > 12 {
		t.Errorf("%d requests at a dead host, want at most 12", sent)
	}
	if k.Breaker(now) != "down" {
		t.Errorf("Breaker = %s", k.Breaker(now))
	}
}

func TestKey_breaker_byShare(t *testing.T) {
	k := limit.NewKey(limit.Rule{}, 0, epoch)
	now := at(0)
	n := 0
	for ; n < 30 && k.Breaker(now) == "closed"; n++ {
		end := k.OK
		if n%2 == 1 {
			end = k.Trouble
		}
		now = attempt(t, &k, now, time.Second, end)
	}
	if n != 20 {
		t.Errorf("opened after %d requests of which every other failed, want 20", n)
	}
}

// Requests from before the breaker opened say nothing of the time after it.
func TestKey_breaker_lateOutcomes(t *testing.T) {
	k := limit.NewKey(limit.Rule{}, 0, epoch)
	var before []limit.Ticket
	for range 8 {
		before = append(before, k.Start(at(0)))
	}
	for _, ticket := range before[:7] {
		k.Done()
		k.Trouble(ticket, at(0))
	}
	k.Done()
	k.OK(before[7], at(0))
	if left, _ := k.Gate(at(0)); left != 30*time.Second {
		t.Errorf("open for %v after one burst of failures, want 30 s", left)
	}
	if s := k.Breaker(at(time.Minute)); s != "half-open" {
		t.Errorf("%s, want half-open: the answer was late", s)
	}
}

func TestKey_Block(t *testing.T) {
	challenge := func(k *limit.Key) func(limit.Ticket, time.Duration) {
		return func(t limit.Ticket, now time.Duration) { k.Block(t, now, 0) }
	}
	k := limit.NewKey(limit.Rule{}, 0, epoch)
	now := attempt(t, &k, at(0), 0, challenge(&k))
	if k.Breaker(now) != "open" {
		t.Errorf("%s after a challenge, want open", k.Breaker(now))
	}
	now = attempt(t, &k, now, 0, challenge(&k))
	if k.Breaker(now) != "down" {
		t.Errorf("%s after another, want down", k.Breaker(now))
	}

	k = limit.NewKey(limit.Rule{}, 0, epoch)
	k.Block(k.Start(at(0)), at(0), time.Hour)
	if left, reason := k.Gate(at(0)); left != time.Hour || reason != limit.ReasonBlocked || k.Down() {
		t.Errorf("gate %v (%s), down %v after a block for an hour", left, reason, k.Down())
	}
}

func TestKey_Refuse(t *testing.T) {
	answer := func(k *limit.Key, n int, now time.Duration) time.Duration {
		for range n {
			now = attempt(t, k, now, 0, k.OK)
		}
		return now
	}
	tests := map[string]struct {
		answers, refusals int
		reason            string
	}{
		"from the first":             {0, 9, ""},
		"one document":               {20, 1, ""},
		"two documents":              {20, 2, ""},
		"suddenly":                   {20, 3, limit.ReasonThrottled},
		"still":                      {20, 6, limit.ReasonBlocked},
		"few answers before, no new": {5, 6, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := limit.NewKey(limit.Rule{}, 0, epoch)
			now := answer(&k, tt.answers, at(0))
			for range tt.refusals {
				now = attempt(t, &k, now, 0, k.Refuse)
			}
			if left, reason := k.Gate(now); reason != tt.reason {
				t.Errorf("gate %v %q, want %q", left, reason, tt.reason)
			}
		})
	}
}

func TestKey_width(t *testing.T) {
	k := limit.NewKey(limit.Rule{InFlight: 4, Start: 2}, 0, epoch)
	now := at(0)
	for n, want := range []int{0: 2, 9: 2, 10: 3, 19: 3, 20: 4, 40: 4} {
		if want > 0 && k.Cap() != want {
			t.Errorf("after %d answers: cap %d, want %d", n, k.Cap(), want)
		}
		now = attempt(t, &k, now, 0, k.OK)
	}
	now = attempt(t, &k, now, 0, k.Trouble)
	if k.Cap() != 4 {
		t.Errorf("after one failure: cap %d, want 4", k.Cap())
	}
	now = attempt(t, &k, now, 0, k.Trouble)
	if k.Cap() != 2 {
		t.Errorf("after two failures: cap %d, want 2", k.Cap())
	}
	for range 50 {
		now = attempt(t, &k, now, 0, k.OK)
	}
	if k.Cap() != 3 {
		t.Errorf("50 answers later: cap %d, want 3", k.Cap())
	}
}

// A slow host that had two timeouts in a row had its cap halved for the 50 answers
// that few runs need from it.
func TestKey_width_slowHost(t *testing.T) {
	k := limit.NewKey(limit.Rule{InFlight: 4}, 0, epoch)
	now := at(0)
	for range 2 {
		now = attempt(t, &k, now, 0, k.Trouble)
	}
	var caps []int
	for range 10 {
		now += at(14 * time.Second)
		now = attempt(t, &k, now, 0, k.OK)
		caps = append(caps, k.Cap())
	}
	if want := []int{2, 2, 2, 2, 3, 3, 3, 3, 3, 4}; !slices.Equal(caps, want) {
		t.Errorf("caps after answers 14 s apart: %v, want %v", caps, want)
	}
}
