package screen

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/quire-dev/quire/internal/report"
)

// errorLines tells of each work that ended in error, the latest first.
func (m *model) errorLines(w int) []string {
	if len(m.held) == 0 {
		return []string{"none so far"}
	}
	var lines []string
	for _, e := range m.held {
		lines = append(lines, e.At.Format("15:04:05 ")+failedRow(e, max(w-9, 1)))
		text := report.Printable(e.Error)
		for line := range strings.SplitSeq(ansi.Wrap(text, max(w-4, 8), ""), "\n") {
			lines = append(lines, faint("    "+line))
		}
	}
	return append(lines, "", "all of them: quire queue list --state error; one work: quire explain ID")
}

// logLines is the log, wrapped, the latest line last.
func (m *model) logLines(w int) []string {
	var lines []string
	for _, line := range m.journal.latest() {
		lines = append(lines, strings.Split(ansi.Wrap(report.Printable(ansi.Strip(line)), max(w, 8), ""), "\n")...)
	}
	if len(lines) == 0 {
		return []string{"nothing so far"}
	}
	return lines
}

func helpLines() []string {
	return []string{
		"q, Ctrl-C   stop: running requests get time to finish; twice: at once",
		"↑ ↓  k j    select a key of a host or source",
		"p           pause the selected key, or let it go on",
		"P           pause the whole queue, or let it go on",
		"e           works that ended in error, and why",
		"l           the log",
		"Ctrl-Z      suspend; fg goes on",
		"Ctrl-L      draw the screen anew",
		"Esc         back",
		"",
		"Nothing is lost by stopping: start it again and it goes on.",
		"Pauses hold until they are taken back: quire queue resume [KEY].",
	}
}
