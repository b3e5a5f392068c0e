package screen

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/quire-dev/quire/internal/progress"
	"github.com/quire-dev/quire/internal/report"
)

// Colours are of the sixteen that every terminal has, in its own theme.

func bold(s string) string    { return lipgloss.NewStyle().Bold(true).Render(s) }
func faint(s string) string   { return lipgloss.NewStyle().Faint(true).Render(s) }
func reverse(s string) string { return lipgloss.NewStyle().Reverse(true).Render(s) }
func green(s string) string   { return lipgloss.NewStyle().Foreground(lipgloss.Green).Render(s) }
func red(s string) string     { return lipgloss.NewStyle().Foreground(lipgloss.Red).Render(s) }
func yellow(s string) string  { return lipgloss.NewStyle().Foreground(lipgloss.Yellow).Render(s) }

const (
	wide = 120 // columns from which there are two columns of sections
	slim = 60  // columns below which tables show less
	// pageFrame is the lines of a page that are not its own: title, and the foot.
	pageFrame = 3
)

// draw returns the screen's lines, none wider and not more than there is room for.
func (m *model) draw() string {
	w, h := max(m.width, 1), max(m.height, 1)
	var lines []string
	switch m.page {
	case errorPage:
		lines = m.paged(fmt.Sprintf("Works that ended in error: %s", number(m.now.Failed)), m.errorLines(w), h)
	case logPage:
		lines = m.paged("Log", m.logLines(w), h)
	case helpPage:
		lines = m.paged("Keys", helpLines(), h)
	case overview:
		lines = m.overview(w, h)
	}
	lines = lines[:min(len(lines), h)]
	for i, line := range lines {
		lines[i] = strings.TrimRight(ansi.Truncate(line, w, "…"), " ")
	}
	return strings.Join(lines, "\n")
}

// overview is the first page: the run, its keys, its works.
func (m *model) overview(w, h int) []string {
	foot := m.foot(w)
	head := m.head(w)
	head = head[:min(len(head), max(h-len(foot), 1))]
	room := h - len(head) - len(foot)
	var body []string
	if w >= wide {
		half := (w - 3) / 2
		body = besides(stack(m.keySections(half), half, room), stack(m.workSections(half), half, room), half)
	} else {
		body = stack(append(m.keySections(w), m.workSections(w)...), w, room)
	}
	for len(body) < room {
		body = append(body, "")
	}
	return append(append(head, body...), foot...)
}

// head tells of the run as a whole.
func (m *model) head(w int) []string {
	s := m.now
	elapsed := s.Elapsed
	if !m.at.IsZero() {
		elapsed += time.Since(m.at)
	}
	left := m.leftText(w)
	first := spread(bold(m.cfg.Title), fmt.Sprintf("%s  %s", clock(elapsed), left), w)
	counted := fmt.Sprintf(" %3.0f %%  %s of %s", 100*s.Share(), number(s.Total()-s.Rest()), number(s.Total()))
	lines := []string{first, bar(s.Share(), w-ansi.StringWidth(counted)) + counted}
	lines = append(lines, wrap([]string{
		green(number(s.Done)) + " done", number(s.Skipped) + " skipped", alarming(s.Failed) + " error",
		number(s.Running) + " running", number(s.Ready) + " ready", number(s.Delayed) + " delayed", paused(s.Paused),
	}, w)...)
	requests := ""
	if w >= wide {
		requests = fmt.Sprintf("%.1f requests/s", s.RequestsPerSecond)
	}
	lines = append(lines, wrap([]string{
		fmt.Sprintf("%.1f works/s", s.WorksPerSecond), requests, report.Size(int64(s.BytesPerSecond)) + "/s", report.Size(s.Bytes), bound(s.Left),
	}, w)...)
	return append(lines, "")
}

// leftText tells how long the rest takes.
func (m *model) leftText(w int) string {
	s := m.now
	switch {
	case m.at.IsZero():
		return ""
	case s.QueuePaused:
		return yellow("paused")
	case s.Rest() == 0:
		return "nothing left"
	case s.Left.Known && w < slim:
		return "~ " + clock(s.Left.About)
	case s.Left.Known:
		return "about " + clock(s.Left.About) + " left"
	case s.Left.Least <= 0:
		return ""
	case w < slim:
		return "≥ " + clock(s.Left.Least)
	}
	return "at least " + clock(s.Left.Least) + " left"
}

// bound tells what the rest takes so long for.
func bound(l progress.Left) string {
	if l.Bound() == "" || l.About < worthTelling {
		return ""
	}
	return "bound by " + report.Printable(l.Bound())
}

// worthTelling is how long the rest must take for anybody to do something about it.
const worthTelling = 10 * time.Second

// foot tells which keys there are, or what the last one did.
func (m *model) foot(w int) []string {
	switch {
	case m.quits > 0:
		return []string{yellow("stopping: running requests get time to finish; q again stops at once")}
	case m.notice != "":
		return []string{yellow(report.Printable(m.notice))}
	case m.fault != nil:
		return []string{red(report.Printable(m.fault.Error()))}
	case m.cfg.Input == nil:
		return []string{faint("Ctrl-C stops")}
	}
	keys := wrap([]string{"q stop", "↑↓ select", "p pause key", "P pause all", "e errors", "l log", "? help"}, w)
	return []string{faint(keys[0])}
}

// paged is a page of lines that may be more than there is room for.
func (m *model) paged(name string, lines []string, h int) []string {
	room := max(h-pageFrame, 1)
	m.scroll = max(min(m.scroll, len(lines)-room), 0)
	shown := lines[m.scroll:min(m.scroll+room, len(lines))]
	out := append([]string{bold(name), ""}, shown...)
	for len(out) < h-1 {
		out = append(out, "")
	}
	where := "Esc goes back, q stops the run"
	if len(lines) > room {
		where = fmt.Sprintf("%d-%d of %d: ↑↓ scroll, %s", m.scroll+1, m.scroll+len(shown), len(lines), where)
	}
	if m.quits > 0 {
		where = "stopping: q again stops at once"
	}
	return append(out, faint(where))
}

// bar shows a share from 0 to 1. It is full only when all is done.
func bar(share float64, w int) string {
	w = max(w, 0)
	full := min(int(share*float64(w)), w)
	return green(strings.Repeat("█", full)) + faint(strings.Repeat("░", w-full))
}

// spread puts left and right at the ends of a line, and leaves out the left one's
// end if there is no room for both.
func spread(left, right string, w int) string {
	gap := w - ansi.StringWidth(left) - ansi.StringWidth(right)
	if gap < 2 && right != "" {
		left = ansi.Truncate(left, max(w-ansi.StringWidth(right)-2, 0), "…")
		gap = w - ansi.StringWidth(left) - ansi.StringWidth(right)
	}
	return left + strings.Repeat(" ", max(gap, 0)) + right
}

// wrap puts words into lines, two spaces apart; empty ones are left out.
func wrap(words []string, w int) []string {
	lines := []string{""}
	for _, word := range words {
		last := &lines[len(lines)-1]
		switch {
		case word == "":
		case *last == "":
			*last = word
		case ansi.StringWidth(*last)+2+ansi.StringWidth(word) <= w:
			*last += "  " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// alarming is a number that should be 0.
func alarming(n int) string {
	if n == 0 {
		return "0"
	}
	return red(number(n))
}

func paused(n int) string {
	if n == 0 {
		return ""
	}
	return yellow(number(n)) + " paused"
}

// number writes a whole number with commas.
func number(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// clock writes a time that counts: 0:07, 2:10, 1:02:03, 3 d 4 h.
func clock(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < 0:
		return "0:00"
	case d < time.Hour:
		return fmt.Sprintf("%d:%02d", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d:%02d:%02d", d/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second)
	}
	return report.Span(d)
}
