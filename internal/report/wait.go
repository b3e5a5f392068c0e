package report

import (
	"fmt"
	"time"
)

// Wait is the JSON shape of jobs that are left at a key, and of what they wait for.
type Wait struct {
	Key    string  `json:"key"`
	Jobs   int     `json:"jobs"`
	Until  *Time   `json:"until"`  // when the first of them may go on; null: at once, or when the key is resumed
	Reason *string `json:"reason"` // paused, retry, or why the key's gate is closed; null: only their turn
}

// What jobs wait for, apart from the reasons for which a key's gate is closed.
const (
	WaitPaused = "paused"
	WaitRetry  = "retry"
)

// NewWait makes the shape. An empty reason and a zero time are unknown.
func NewWait(key string, jobs int, reason string, until time.Time) Wait {
	w := Wait{Key: key, Jobs: jobs, Reason: known(reason)}
	if !until.IsZero() {
		at := Time(until)
		w.Until = &at
	}
	return w
}

// shortWait is what is over before people have read of it.
const shortWait = 10 * time.Second

// AdviseWaits says what to do about left jobs, of which waits tell the most. paused
// says that the whole queue is; clock writes an instant.
func AdviseWaits(waits []Wait, left int, paused bool, now time.Time, clock func(time.Time) string) (list []Advice) {
	if paused && left > 0 {
		text := fmt.Sprintf("%d %s because the queue is paused: resume it.", left, plural(left, "waits", "wait"))
		return []Advice{{Count: left, Text: text, Command: known("quire queue resume")}}
	}
	const again = "quire queue run --drain"
	for _, w := range waits {
		if len(list) == waitsShown {
			break
		}
		a := Advice{Key: known(w.Key), Count: w.Jobs, Command: known(again)}
		wait := fmt.Sprintf("%d %s", w.Jobs, plural(w.Jobs, "waits", "wait"))
		switch {
		case orEmpty(w.Reason) == WaitPaused:
			a.Text = fmt.Sprintf("%s at %s, which is paused: resume it.", wait, w.Key)
			a.Command = known("quire queue resume " + ShellWord(w.Key))
		case w.Until == nil || time.Time(*w.Until).Sub(now) < shortWait:
			continue
		default:
			a.Text = fmt.Sprintf("%s for %s until %s%s: run again then.", wait, w.Key, clock(time.Time(*w.Until)), because(orEmpty(w.Reason)))
		}
		list = append(list, a)
		left -= w.Jobs
	}
	if left > 0 {
		text := fmt.Sprintf("%d %s left: run again to go on.", left, plural(left, "is", "are"))
		list = append(list, Advice{Count: left, Text: text, Command: known(again)})
	}
	return list
}

// because puts the reason of a wait into words.
func because(reason string) string {
	switch reason {
	case "":
		return ""
	case WaitRetry:
		return " to be tried again"
	}
	return ", which " + GateWords(reason)
}

// GateWords says why a key's gate is closed, of the key. The reasons are those of
// the schedule's KeyState.
func GateWords(reason string) string {
	switch reason {
	case "throttled":
		return "asks for less"
	case "quota":
		return "has no quota left for us"
	case "blocked":
		return "shuts us out"
	case "breaker":
		return "keeps failing"
	case "daily":
		return "has had its requests of today"
	}
	return "is gated (" + reason + ")"
}
