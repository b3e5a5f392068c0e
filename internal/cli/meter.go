package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/quire-dev/quire/internal/report"
)

// How often a command that takes long tells how far it is. The first line on a
// terminal comes when people begin to wonder, a second at the latest (J. Nielsen,
// Usability Engineering, 1993, section 5.5); commands that are over by then show none.
const (
	drawAfter = 500 * time.Millisecond
	drawEvery = 200 * time.Millisecond
	// plainEvery is how often a line of progress is printed.
	plainEvery = 5 * time.Second
)

// reading is how far a command is. What is 0 is not known, or not told.
type reading struct {
	unit       string // what is counted: "rows"
	done, of   int64  // how many of them
	read, size int64  // bytes of the input
	bytes      int64  // that were worked on
	also       string // what else there is to tell
}

// part is how much of the work is done, from 0 to 1. ok is false if nobody knows.
func (r reading) part() (part float64, ok bool) {
	switch {
	case r.size > 0:
		return min(1, float64(r.read)/float64(r.size)), true
	case r.of > 0:
		return min(1, float64(r.done)/float64(r.of)), true
	}
	return 0, false
}

// meter shows how far a command is, until it is stopped: on a terminal in a line
// that is drawn in place, else with a line now and then.
type meter struct {
	app   *app
	doing string // "importing works.csv"
	look  func() reading
	began time.Time
	late  late
}

// meter starts a meter. doing says in a few words what is done, and look, which is
// called from another goroutine, how far it is. The caller must call stop; again
// does nothing.
func (a *app) meter(doing string, look func() reading) (stop func()) {
	kind := a.display()
	if kind == displayNone {
		return func() {}
	}
	m := &meter{app: a, doing: printable(doing), look: look, began: time.Now()}
	if kind == displayScreen {
		return beside(m.draw)
	}
	return beside(m.lines)
}

// beside runs do in a goroutine until stop is called, which closes over and waits.
func beside(do func(over <-chan struct{})) (stop func()) {
	over := make(chan struct{})
	var doing sync.WaitGroup
	doing.Go(func() { do(over) })
	return sync.OnceFunc(func() {
		close(over)
		doing.Wait()
	})
}

// lines prints a line every so often.
func (m *meter) lines(over <-chan struct{}) {
	every := time.NewTicker(plainEvery)
	defer every.Stop()
	for {
		select {
		case <-over:
			return
		case <-every.C:
			m.app.note("%s", m.line(time.Now()))
		}
	}
}

// draw draws the line again and again, and takes it away.
func (m *meter) draw(over <-chan struct{}) {
	wait := time.NewTimer(drawAfter)
	defer wait.Stop()
	select {
	case <-over:
		return
	case <-wait.C:
	}
	stderr := m.app.console
	defer m.app.env.AtExit(stderr.leave)()
	defer stderr.draw("")
	every := time.NewTicker(drawEvery)
	defer every.Stop()
	for {
		if !isTerminal(stderr) || inForeground(stderr) { // else it is somebody else's for now
			columns, _ := windowSize(stderr)
			stderr.draw(fitted(m.line(time.Now()), columns))
		}
		select {
		case <-over:
			return
		case <-every.C:
		}
	}
}

// fitted cuts a line so that the cursor stays in it.
func fitted(line string, columns int) string { return ansi.Truncate(line, columns-1, "…") }

// line tells how far it is, the most important first.
func (m *meter) line(now time.Time) string {
	r, since := m.look(), now.Sub(m.began)
	m.late.add(since, r)
	parts := []string{since.Truncate(time.Second).String(), m.doing}
	if part, ok := r.part(); ok {
		parts = append(parts, fmt.Sprintf("%d %%", int(100*part)))
		if left, ok := m.late.left(r); ok {
			parts = append(parts, report.Span(left.Round(time.Second))+" left")
		}
	}
	works, bytes := m.late.rates()
	switch {
	case r.unit == "":
	case r.of > 0:
		parts = append(parts, fmt.Sprintf("%d of %d %s, %s", r.done, r.of, r.unit, perSecond(works)))
	default:
		parts = append(parts, fmt.Sprintf("%d %s, %s", r.done, r.unit, perSecond(works)))
	}
	switch {
	case r.size > 0:
		parts = append(parts, fmt.Sprintf("%s of %s", report.Size(r.read), report.Size(r.size)))
	case r.read > 0:
		parts = append(parts, report.Size(r.read))
	}
	if r.bytes > 0 {
		parts = append(parts, report.Size(r.bytes)+", "+report.Size(int64(bytes))+"/s")
	}
	if r.also != "" {
		parts = append(parts, printable(r.also))
	}
	return strings.Join(parts, "  ")
}

// perSecond writes a rate of things that are counted.
func perSecond(rate float64) string {
	if rate >= 10 {
		return fmt.Sprintf("%.0f/s", rate)
	}
	return fmt.Sprintf("%.1f/s", rate)
}
