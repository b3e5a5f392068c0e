package cli

import (
	"golang.org/x/term"
)

// display is how a command tells how far it is.
type display uint8

const (
	displayNone   display = iota
	displayPlain          // a line every few seconds
	displayScreen         // a live view, drawn over itself
)

// display chooses from --progress and what stderr is. A live view needs a
// terminal that can move its cursor and that is this program's to draw on, which
// it is not in the background; in CI, where some terminals are false ones, and
// beside a log for machines it would only be in the way. To ask for it where it
// can't be gets plain lines.
func (a *app) display() display {
	switch {
	case a.progress == "none" || a.progress == "auto" && a.logFormat == "json":
		return displayNone
	case a.progress == "plain" || !a.able(a.env.Stderr):
		return displayPlain
	case a.progress == "auto" && a.getenv("CI", "") != "":
		return displayPlain
	}
	return displayScreen
}

// able reports whether a stream is a terminal whose cursor this program may move.
func (a *app) able(stream any) bool {
	kind := a.getenv("TERM", "")
	return isTerminal(stream) && inForeground(stream) && kind != "" && kind != "dumb"
}

// coloured reports whether stderr may be coloured (https://no-color.org).
func (a *app) coloured() bool {
	return isTerminal(a.env.Stderr) && a.getenv("NO_COLOR", "") == "" && a.getenv("TERM", "dumb") != "dumb"
}

// isTerminal reports whether a stream is a file that is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a descriptor fits in an int
}
