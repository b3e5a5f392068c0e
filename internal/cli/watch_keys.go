package cli

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
)

// longGate is how long a key must keep us waiting for people to be told: shorter
// waits are over before they are read.
const longGate = 10 * time.Second

// keyWatch logs how keys change. It is safe for concurrent use.
type keyWatch struct {
	log  *slog.Logger
	json bool

	mu   sync.Mutex
	told map[string]keyTold // in text only
}

// keyTold is what people have last been told of a key.
type keyTold struct {
	breaker string
	until   time.Time // its gate opens
}

// observe takes in a change.
func (w *keyWatch) observe(s quire.KeyState) {
	if w.json {
		w.log.Info("key", keyAttrs(s)...)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range w.news(s, time.Now()) {
		w.log.Info(printable(text))
	}
}

// keyAttrs has the names that the JSON of the queue's counts has.
func keyAttrs(s quire.KeyState) []any {
	return []any{
		"key", s.Key, "in_flight", s.InFlight, "cap", s.Cap, "per_second", unlessZero(s.PerSecond), "rate_from", s.From,
		"gate_seconds", s.Gate.Seconds(), "gate_reason", unlessZero(s.Reason), "breaker", s.Breaker,
		"ready", s.Ready, "head_age_seconds", s.Head.Seconds(), "left_seconds", s.Left.Seconds(),
	}
}

// news puts into words what people do not know yet of a key.
func (w *keyWatch) news(s quire.KeyState, now time.Time) (news []string) {
	before, known := w.told[s.Key]
	if !known {
		before.breaker = "closed"
	}
	until := now.Add(s.Gate)
	longer := s.Gate > longGate && until.Sub(before.until) > longGate
	switch {
	case s.Breaker == "down" && before.breaker != "down":
		news = append(news, s.Key+" keeps failing: given up for this run")
	case s.Breaker == "open" && (before.breaker != "open" || longer && s.Reason == "breaker"):
		news = append(news, fmt.Sprintf("%s keeps failing: left alone for %s", s.Key, report.Span(s.Gate)))
	case s.Breaker == "closed" && before.breaker != "closed":
		news = append(news, s.Key+" answers again")
	}
	if longer && s.Reason != "breaker" {
		news = append(news, gateText(s))
	}
	switch {
	case s.Breaker == "closed" && s.Gate <= longGate:
		delete(w.told, s.Key)
	default:
		w.told[s.Key] = keyTold{s.Breaker, until}
	}
	return news
}

// gateText says in words why a key's gate is closed, and for how long.
func gateText(s quire.KeyState) string {
	return fmt.Sprintf("%s %s: no request for %s", s.Key, report.GateWords(s.Reason), report.Span(s.Gate))
}
