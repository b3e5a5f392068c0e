package limit_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quire-dev/quire/internal/limit"
)

// history is what a server would have seen of a key, plus what it said.
type history struct {
	key     limit.Key
	rule    limit.Rule
	now     time.Duration
	open    []limit.Ticket
	started bool
	last    time.Duration // latest start that was not cancelled
	gate    time.Duration
	probe   bool // throttled and not answered since
	fresh   map[limit.Ticket]bool
}

// Whatever happens, in whatever order: never more in flight than the cap, never
// two starts closer than the pace, never a start before the gate, and never a
// refusal without one of these reasons.
func TestKey_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{now: at(0), fresh: make(map[limit.Ticket]bool)}
		h.setRule(t)
		t.Repeat(map[string]func(*rapid.T){
			"start":    h.start,
			"cancel":   h.startAndCancel,
			"end":      h.end,
			"set rule": h.setRule,
			"wait": func(t *rapid.T) {
				h.now = h.now + (time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			},
			"": func(t *rapid.T) {
				if h.key.InFlight() != len(h.open) {
					t.Fatalf("InFlight = %d, want %d", h.key.InFlight(), len(h.open))
				}
			},
		})
	})
}

func (h *history) setRule(t *rapid.T) {
	h.rule = limit.Rule{
		InFlight: rapid.IntRange(0, 4).Draw(t, "in flight"),
		Every:    time.Duration(rapid.IntRange(0, 3).Draw(t, "every")) * time.Second,
	}
	h.key.SetRule(h.rule)
}

// may says by the history alone whether a start is allowed.
func (h *history) may() bool {
	limit := h.rule.InFlight
	every, _ := h.key.Every() // what is learnt may lengthen it
	if h.probe {
		limit = 1
	}
	return (limit == 0 || len(h.open) < limit) &&
		h.now >= h.gate &&
		(!h.started || h.now >= h.last+max(every, h.rule.Every))
}

func (h *history) begin(t *rapid.T) (limit.Ticket, bool) {
	next, ok := h.key.Free(h.now)
	if want := h.may(); ok != want {
		t.Fatalf("Free = %v, want %v", ok, want)
	}
	if ok {
		return h.key.Start(h.now), true
	}
	if next != limit.Never {
		if _, early := h.key.Free(next - 1); early {
			t.Fatal("Free before the instant that Free named")
		}
		if _, ok := h.key.Free(next); !ok {
			t.Fatal("not Free at the instant that Free named")
		}
	}
	return limit.Ticket{}, false
}

func (h *history) start(t *rapid.T) {
	if ticket, ok := h.begin(t); ok {
		h.last, h.started = h.now, true
		h.open = append(h.open, ticket)
		h.fresh[ticket] = true
	}
}

func (h *history) startAndCancel(t *rapid.T) {
	if ticket, ok := h.begin(t); ok {
		h.key.Cancel(ticket, h.now)
	}
}

func (h *history) end(t *rapid.T) {
	if len(h.open) == 0 {
		t.Skip("nothing in flight")
	}
	i := rapid.IntRange(0, len(h.open)-1).Draw(t, "which")
	ticket := h.open[i]
	h.open = append(h.open[:i], h.open[i+1:]...)
	h.key.Done()
	switch rapid.SampledFrom([]string{"ok", "throttled", "none"}).Draw(t, "signal") {
	case "ok":
		h.key.OK(ticket, h.now)
		if h.fresh[ticket] {
			h.probe = false
		}
	case "throttled":
		wait := time.Duration(rapid.IntRange(0, 10).Draw(t, "wait")) * time.Second
		h.key.Throttle(ticket, h.now, wait)
		h.probe = true
		clear(h.fresh)
		least := h.now + max(wait, time.Second)
		if left, _ := h.key.Gate(h.now); h.now+left < least || h.now+left < h.gate {
			t.Fatalf("gate open in %v, want at least %v and no shortening", left, max(wait, time.Second))
		}
		left, _ := h.key.Gate(h.now)
		h.gate = h.now + left
	}
	delete(h.fresh, ticket)
}
