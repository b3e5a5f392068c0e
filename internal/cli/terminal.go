package cli

import (
	"io"
	"os"

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
// terminal that can move its cursor; in CI, where some terminals are false ones,
// and beside a log for machines it would only be in the way. To ask for it where
// there is no terminal gets plain lines.
func (a *app) display() display {
	term := a.getenv("TERM", "")
	able := isTerminal(a.env.Stderr) && term != "" && term != "dumb"
	switch {
	case a.progress == "none" || a.progress == "auto" && a.logFormat == "json":
		return displayNone
	case a.progress == "tui" && able:
		return displayScreen
	case a.progress == "auto" && able && a.getenv("CI", "") == "":
		return displayScreen
	}
	return displayPlain
}

// coloured reports whether stderr may be coloured (https://no-color.org).
func (a *app) coloured() bool {
	return isTerminal(a.env.Stderr) && a.getenv("NO_COLOR", "") == "" && a.getenv("TERM", "dumb") != "dumb"
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a descriptor fits in an int
}
