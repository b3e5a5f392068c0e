package limit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// server lets a number of requests a second through and refuses the rest, like
// most: a bucket of a second's worth of tokens.
type server struct {
	rate, burst, tokens float64
	last                time.Duration
	tell                func(missing float64) time.Duration // Retry-After of a refusal
}

func (s *server) ask(now time.Duration) (wait time.Duration, ok bool) {
	s.tokens = min(s.burst, s.tokens+s.rate*(now-s.last).Seconds())
	s.last = now
	if s.tokens >= 1 {
		s.tokens--
		return 0, true
	}
	return s.tell((1 - s.tokens) / s.rate), false
}

// drive sends requests for an hour as fast as the key allows and returns how many
// were answered and refused. Each takes latency.
func drive(k *limit.Key, s *server, latency time.Duration) (answered, refused int) {
	type request struct {
		limit.Ticket
		ends time.Duration
		wait time.Duration
		ok   bool
	}
	var open []request
	now := at(0)
	for now < at(time.Hour) {
		next, ok := k.Free(now)
		if ok {
			r := request{Ticket: k.Start(now), ends: now + latency}
			r.wait, r.ok = s.ask(now)
			open = append(open, r)
			continue
		}
		if len(open) > 0 && (next == limit.Never || open[0].ends <= next) {
			r := open[0]
			open, now = open[1:], r.ends
			k.Done()
			if r.ok {
				answered++
				k.OK(r.Ticket, now)
			} else {
				refused++
				k.Throttle(r.Ticket, now, r.wait)
			}
			continue
		}
		now = next
	}
	return answered, refused
}

// At a limit that nobody announces few requests are refused, and most of what
// the limit allows gets through.
func TestKey_learnsRate(t *testing.T) {
	tell := map[string]func(float64) time.Duration{
		"exact":     func(missing float64) time.Duration { return time.Duration(missing * 1e9) },
		"none":      func(float64) time.Duration { return 0 },
		"always 10": func(float64) time.Duration { return 10 * time.Second },
	}
	// The least share of the limit that must get through, by what the server
	// tells; a wait of 10 s for each refusal costs more the faster the limit is.
	least := map[string]float64{"exact": 0.85, "none": 0.84, "always 10": 0.65}
	for _, rate := range []float64{0.33, 1, 3, 10} {
		for name, tell := range tell {
			t.Run(fmt.Sprintf("%v a second, %s", rate, name), func(t *testing.T) {
				k := limit.NewKey(limit.Rule{InFlight: 4}, 0, epoch)
				s := &server{rate: rate, burst: max(1, rate), tokens: max(1, rate), last: at(0), tell: tell}
				answered, refused := drive(&k, s, 300*time.Millisecond)
				goodput := float64(answered) / (rate * 3600)
				share := float64(refused) / float64(answered+refused)
				t.Logf("goodput %.2f, refused %.3f", goodput, share)
				most := 0.05
				if rate < 1 {
					most = 0.10
				}
				if share > most || goodput < least[name] {
					t.Errorf("goodput %.2f, want at least %.2f; refused share %.3f, want at most %.2f", goodput, least[name], share, most)
				}
			})
		}
	}
}

func TestKey_announced(t *testing.T) {
	const rate = 3.0
	k := limit.NewKey(limit.Rule{InFlight: 4, Every: 100 * time.Millisecond}, 0, epoch)
	every := 20 * time.Second / 57 // 95 % of 3 a second
	k.Announce(limit.Allowance{Every: every, InFlight: 2})
	if got, from := k.Every(); got != every || from != limit.Announced || k.Cap() != 2 {
		t.Errorf("Every = %v, %s, Cap = %d; want what is announced", got, from, k.Cap())
	}
	s := &server{rate: rate, burst: rate, tokens: rate, last: at(0), tell: func(float64) time.Duration { return 0 }}
	answered, refused := drive(&k, s, 300*time.Millisecond)
	if refused > 0 || float64(answered) < 0.94*rate*3600 {
		t.Errorf("%d answered, %d refused in an hour of 3 a second", answered, refused)
	}

	k.Announce(limit.Allowance{Every: time.Millisecond, InFlight: 100})
	if got, from := k.Every(); got != 100*time.Millisecond || from != limit.Configured || k.Cap() != 4 {
		t.Errorf("Every = %v, %s, Cap = %d: an announcement widened the rule", got, from, k.Cap())
	}
}

// While a key is not used its learnt rate stays as it is.
func TestKey_rateGrowsOnlyInUse(t *testing.T) {
	k := limit.NewKey(limit.Rule{InFlight: 1}, 0, epoch)
	refuse(&k, at(0), 0)
	cut, from := k.Every()
	if from != limit.Learnt {
		t.Fatalf("Every = %v, %s after a refusal", cut, from)
	}
	now := at(time.Hour)
	k.OK(k.Start(now), now)
	k.Done()
	if got, _ := k.Every(); got != cut {
		t.Errorf("after an idle hour: Every = %v, want %v", got, cut)
	}
	for range 100 {
		now, _ = k.Free(now)
		k.OK(k.Start(now), now)
		k.Done()
		now = now + 1
	}
	if got, _ := k.Every(); got >= cut*9/10 {
		t.Errorf("after 100 starts at the pace: Every = %v, want well under %v", got, cut)
	}
}
