package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/quire-dev/quire/paper"
)

// Advice is the JSON shape of what to do about works that are not there.
type Advice struct {
	Class   *string `json:"class"` // failure class, or reason, of works that were not got; null for those that wait
	Key     *string `json:"key"`   // what the works wait for; null for those that were not got, and for many keys together
	Count   int     `json:"count"`
	Text    string  `json:"text"`    // one sentence
	Command *string `json:"command"` // that does it; null: there is none
}

// waitsShown is of how many keys people are told that works wait for them.
const waitsShown = 5

// adviseWaiting says what to do about works that are not finished, by what they
// wait for.
func adviseWaiting(waiting Table) (list []Advice) {
	rows := waiting.Rows[:min(len(waiting.Rows), waitsShown)]
	left := waiting.Count
	for _, r := range rows {
		text := fmt.Sprintf("%d %s for %s: go on with quire queue run.", r.Count, plural(r.Count, "waits", "wait"), name(r, "a key"))
		list = append(list, Advice{Key: r.Name, Count: r.Count, Text: text, Command: known("quire queue run --drain")})
		left -= r.Count
	}
	if left > 0 {
		text := fmt.Sprintf("%d %s for other keys: see quire queue stats.", left, plural(left, "waits", "wait"))
		list = append(list, Advice{Count: left, Text: text, Command: known("quire queue stats")})
	}
	return list
}

// adviseOn says what to do about the works that ended in one way. at is when the
// first of them is due to be looked for again, if any is.
func adviseOn(run string, r Row, at time.Time) Advice {
	a := Advice{Class: r.Name, Count: r.Count}
	e, ok := endingOf(orEmpty(r.Name))
	if !ok {
		a.Text = fmt.Sprintf("%d ended as %s: see quire queue list.", r.Count, name(r, "unknown"))
		return a
	}
	then := e.then
	if e.way == due && !at.IsZero() {
		then = "look again, the first on " + at.UTC().Format(time.DateOnly)
	}
	a.Text = fmt.Sprintf("%d %s: %s.", r.Count, e.words(r.Count), then)
	a.Command = known(e.command(run, *r.Name))
	return a
}

// command is how the works of a class are asked for again, when it is time; empty
// if nothing is gained by that.
func (e ending) command(run, class string) string {
	older := ""
	if days := e.wait(); days > 0 {
		older = fmt.Sprintf(" --older %dh", days*24)
	}
	selected := " --class " + class
	if !slices.Contains(paper.Classes(), paper.Class(class)) {
		return "" // a reason, which no flag selects
	}
	if run != "" {
		selected += " --run " + ShellWord(run)
	}
	switch e.way {
	case retry:
		return "quire queue retry-failed" + selected + older
	case due:
		return "quire queue retry-failed --due" + selected
	case reask:
		if older == "" {
			older = " --older 0s"
		}
		return "quire queue prune --state skipped" + selected + older + " && quire queue import FILE"
	default:
		return ""
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// name is what people are shown for a row's name.
func name(r Row, unknown string) string {
	if r.Name == nil {
		return unknown
	}
	return *r.Name
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
