package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/quire-dev/quire/internal/report"
)

const (
	watchEvery  = 2 * time.Second
	resizeEvery = 200 * time.Millisecond // a look at the terminal's size
)

// What a page that is drawn over itself needs, in xterm's sequences: a screen of its
// own without a cursor, and back; the first cell; all below is blank.
const (
	pageOn    = "\x1b[?1049h\x1b[?25l"
	pageOff   = "\x1b[?25h\x1b[?1049l"
	toCorner  = "\x1b[H"
	eraseDown = "\x1b[J"
)

// follow counts again and again until ctx ends or nobody reads any more: on a
// terminal on one page, else a block each time.
func (o *stats) follow(ctx context.Context, look func() (report.Stats, error)) error {
	if o.paged() {
		return o.page(ctx, look)
	}
	for first := true; ; first = false {
		s, err := look()
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // stopped, which is how this ends
		case err != nil:
			return err
		}
		if !first && !o.json {
			o.printf("\n")
		}
		if err := o.print(s); err != nil {
			return err
		}
		o.out.Flush()
		if o.out.gone() || !o.wait(ctx, watchEvery) {
			return nil
		}
	}
}

// wait returns true after a while, and false if ctx ends before.
func (o *stats) wait(ctx context.Context, long time.Duration) bool {
	after := time.NewTimer(long)
	defer after.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-after.C:
		return true
	}
}

// paged reports whether stdout is a terminal that takes a page, and nobody wants
// it otherwise.
func (o *stats) paged() bool {
	switch {
	case o.json || !o.able(o.out) || o.progress == "plain" || o.progress == "none":
		return false
	case o.progress == "auto" && o.getenv("CI", "") != "":
		return false
	}
	return true
}

// page shows a page that is drawn over itself, and leaves the last counts behind.
func (o *stats) page(ctx context.Context, look func() (report.Stats, error)) error {
	s, err := look()
	if err != nil {
		return err
	}
	restore := o.env.AtExit(func() { _, _ = io.WriteString(o.env.Stdout, pageOff) })
	defer restore()
	o.printf("%s", pageOn)
	for counted := time.Now(); err == nil; {
		columns, rows := windowSize(o.out)
		o.printf("%s", pageText(o.pageLines(s, counted, columns, rows)))
		o.out.Flush()
		if o.out.gone() {
			return nil
		}
		for same := true; same && time.Since(counted) < watchEvery; {
			if !o.wait(ctx, resizeEvery) {
				o.printf("%s", pageOff)
				return o.print(s)
			}
			c, r := windowSize(o.out)
			same = c == columns && r == rows
		}
		if time.Since(counted) < watchEvery {
			continue // it has another size
		}
		var next report.Stats
		if next, err = look(); err == nil {
			s, counted = next, time.Now()
		}
	}
	o.printf("%s", pageOff)
	if ctx.Err() != nil {
		return o.print(s)
	}
	return err
}

// fewKeys is how many keys a page shows before it has room for how jobs ended.
const fewKeys = 5

// listed breaks a text at its commas into lines that fit, if they can.
func listed(text string, columns int) (lines []string) {
	for i, part := range strings.Split(text, ", ") {
		last := len(lines) - 1
		switch {
		case i == 0:
			lines = append(lines, part)
		case ansi.StringWidth(lines[last]+", "+part) < columns: // a comma may follow
			lines[last] += ", " + part
		default:
			lines[last] += ","
			lines = append(lines, part)
		}
	}
	return lines
}

// pageText draws lines from the corner on, in one piece, or they would flicker.
func pageText(lines []string) string {
	return toCorner + strings.Join(lines, eraseRest+"\r\n") + eraseRest + eraseDown
}

// pageLines is a page that fits.
func (o *stats) pageLines(s report.Stats, at time.Time, columns, rows int) []string {
	title := fmt.Sprintf("quire  %s  %s", at.Format(time.TimeOnly), printable(o.data))
	if whole := title + "  (Ctrl-C ends)"; ansi.StringWidth(whole) <= columns {
		title = whole
	}
	top := []string{title, ""}
	top = append(top, listed(fmt.Sprintf("%d jobs: %d done, %d skipped, %d error, %d in progress, %d queued",
		s.Total, s.Done, s.Skipped, s.Error, s.InProgress, s.Queued), columns)...)
	for _, text := range o.below(s) {
		top = append(top, listed(text, columns)...)
	}
	var bottom []string // gives way to the keys, of which a few are to be seen
	for _, text := range o.ended(s) {
		more := append([]string{""}, listed(text, columns)...)
		if len(top)+len(bottom)+len(more)+min(len(s.Keys), fewKeys)+2 <= rows {
			bottom = append(bottom, more...)
		}
	}
	keys := keyLines(s.Keys, columns, rows-len(top)-len(bottom)-1)
	if len(keys) > 0 {
		top = append(top, "")
	}
	lines := append(append(top, keys...), bottom...)
	lines = lines[:min(len(lines), max(1, rows))]
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, columns, "…")
	}
	return lines
}
