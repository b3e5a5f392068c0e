package screen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/quire-dev/quire/internal/progress"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

// section is a list under a title.
type section struct {
	title   string
	columns string // at the end of the title's line
	rows    []string
	focus   int // a row that must be seen, from 1; 0 for none
}

// stack puts sections one above the other. Each that has rows gets its title and
// one row if there is room, the first ones first; the rest of the room is dealt
// out row by row.
func stack(sections []section, w, room int) []string {
	shown := make([]int, len(sections)) // rows
	for i, s := range sections {
		need := 2
		if i > 0 {
			need++ // a line between
		}
		if len(s.rows) > 0 && need <= room {
			shown[i], room = 1, room-need
		}
	}
	for dealt := true; dealt && room > 0; {
		dealt = false
		for i, s := range sections {
			if shown[i] > 0 && shown[i] < len(s.rows) && room > 0 {
				shown[i], room, dealt = shown[i]+1, room-1, true
			}
		}
	}
	var lines []string
	for i, s := range sections {
		if shown[i] == 0 {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		name := bold(s.title)
		if more := len(s.rows) - shown[i]; more > 0 {
			name += faint(fmt.Sprintf("  and %s more", number(more)))
		}
		first := max(s.focus-shown[i], 0)
		if s.columns != "" {
			name = spread(name, faint(s.columns), w)
		}
		lines = append(append(lines, name), s.rows[first:first+shown[i]]...)
	}
	return lines
}

// besides puts two columns beside each other.
func besides(left, right []string, w int) []string {
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		var l, r string
		if i < len(left) {
			l = ansi.Truncate(left[i], w, "…")
		}
		if i < len(right) {
			r = ansi.Truncate(right[i], w, "…")
		}
		lines[i] = l + strings.Repeat(" ", w-ansi.StringWidth(l)+3) + r
	}
	return lines
}

// busy are the keys where something may start, those that take longest first.
func busy(s progress.Snapshot) []progress.Key {
	var keys []progress.Key
	for _, k := range s.Keys {
		if !k.Waits() && k.Ready+k.InFlight > 0 {
			keys = append(keys, k)
		}
	}
	return keys
}

// waiting are the keys where nothing may start now although there is work.
func waiting(s progress.Snapshot) []progress.Key {
	var keys []progress.Key
	for _, k := range s.Keys {
		if k.Waits() || k.Ready+k.InFlight == 0 {
			keys = append(keys, k)
		}
	}
	return keys
}

func (m *model) keySections(w int) []section {
	running, held := section{title: "Busiest", columns: columns(w)}, section{title: "Waiting"}
	for _, k := range busy(m.now) {
		running.add(busyRow(k, w), k.Key == m.selected, w)
	}
	for _, k := range waiting(m.now) {
		held.add(m.waitRow(k, w), k.Key == m.selected, w)
	}
	return []section{running, held}
}

// add adds a row; the one that is selected shows it.
func (s *section) add(row string, selected bool, w int) {
	if selected {
		row = ansi.Strip(row)
		row = reverse(row + strings.Repeat(" ", max(w-ansi.StringWidth(row), 0)))
		s.focus = len(s.rows) + 1
	}
	s.rows = append(s.rows, row)
}

// columns are the titles of those of the table of busy keys.
func columns(w int) string {
	if w < slim {
		return fmt.Sprintf("%6s %8s", "ready", "left")
	}
	return fmt.Sprintf("%9s %6s %7s %9s", "in flight", "rate/s", "ready", "left")
}

func busyRow(k progress.Key, w int) string {
	left := ""
	if k.Left > 0 {
		left = clock(k.Left)
	}
	if w < slim {
		return spread(report.Printable(k.Key), fmt.Sprintf("%6s %8s", number(k.Ready), left), w)
	}
	most, rate := "any", "any"
	if k.Cap > 0 {
		most = fmt.Sprint(k.Cap)
	}
	if k.PerSecond > 0 {
		rate = fmt.Sprintf("%.3g", k.PerSecond)
	}
	return spread(report.Printable(k.Key), fmt.Sprintf("%9s %6s %7s %9s", fmt.Sprintf("%d/%s", k.InFlight, most), rate, number(k.Ready), left), w)
}

// waitRow tells why nothing starts at a key, and for how long.
func (m *model) waitRow(k progress.Key, w int) string {
	why, until := "retries", ""
	switch {
	case k.Paused:
		why = "paused"
	case k.Breaker == "down":
		why = "keeps failing: given up"
	case k.Gate > 0:
		why = report.GateWords(k.Reason)
		until = "opens in " + clock(k.Gate-time.Since(m.at))
		if w < slim {
			until = clock(k.Gate - time.Since(m.at))
		}
	case k.Breaker == "open":
		why = "keeps failing"
	}
	count := number(k.Ready+k.Delayed) + " wait"
	right := strings.Join(wrap([]string{yellow(why), until, count}, w), " ")
	if w < slim {
		right = strings.Join(wrap([]string{yellow(why), until}, w), " ")
	}
	return spread(report.Printable(k.Key), right, w)
}

func (m *model) workSections(w int) []section {
	failed, ended, log := section{title: "Last failed"}, section{title: "Last ended"}, section{title: "Log"}
	for _, e := range m.now.Errors {
		failed.add(failedRow(e, w), false, w)
	}
	for _, e := range m.now.Ended {
		ended.add(endedRow(e, w), false, w)
	}
	for _, line := range slices.Backward(m.journal.latest()) {
		log.add(report.Printable(ansi.Strip(line)), false, w)
	}
	return []section{failed, ended, log}
}

func endedRow(e progress.Ending, w int) string {
	id := report.Printable(e.ArtifactID)
	if e.State == queue.Done {
		return spread(green("✓ ")+id, strings.TrimSpace(report.Size(e.Bytes)+"  "+report.Printable(e.Resolver)), w)
	}
	return spread(faint("– ")+id, faint(report.Printable(e.Reason)), w)
}

func failedRow(e progress.Ending, w int) string {
	why := e.Class
	if why == "" {
		why = e.Reason
	}
	return spread(red("✗ ")+report.Printable(e.ArtifactID), red(report.Printable(why))+"  "+faint(report.Printable(e.Key)), w)
}
