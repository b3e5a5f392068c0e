package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/progress"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/internal/screen"
	"github.com/quire-dev/quire/queue"
)

// screenAfter is how long a run lasts before the screen opens: what is over sooner
// needs none.
const screenAfter = time.Second

// start shows the run until the function it returns is called.
func (w *watch) start(ctx context.Context, sys *quire.System) (stop func()) {
	if w.shown == displayNone {
		return func() {}
	}
	shown, cancel := context.WithCancel(context.WithoutCancel(ctx)) // also while it stops
	var showing sync.WaitGroup
	showing.Go(func() {
		if w.shown == displayScreen {
			w.screen(shown, sys)
		}
		w.lines(shown, sys) // until the end, if there is no screen any more
	})
	return func() {
		cancel()
		showing.Wait()
	}
}

// running is what a view of a run looks at.
type running struct{ *quire.System }

func (r running) Stats(ctx context.Context) (queue.Stats, error) { return r.Queue().Stats(ctx) }

// lines prints a line every so often.
func (w *watch) lines(ctx context.Context, sys *quire.System) {
	every := time.NewTicker(plainEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if s, err := w.run.Snapshot(ctx, running{sys}); err == nil { // else the run itself will say
				w.note("%s", progressLine(s))
			}
		}
	}
}

// progressLine is a run in one line.
func progressLine(s progress.Snapshot) string {
	line := fmt.Sprintf("%s  done %d  skipped %d  error %d  left %d (%d running, %d delayed)  %.1f requests/s",
		report.Span(s.Elapsed), s.Done, s.Skipped, s.Failed, s.Rest(), s.Running, s.Delayed,
		s.RequestsPerSecond)
	switch about := s.Left.About; {
	case s.Left.Known && about > longBound && s.Left.Bound() != "":
		line += fmt.Sprintf("  about %s left, bound by %s", report.Span(about), s.Left.Bound())
	case s.Left.Known && s.Rest() > 0:
		line += fmt.Sprintf("  about %s left", report.Span(about))
	case s.Left.Least > longBound:
		line += "  " + boundText(s.Left.LeastKey, s.Left.Least)
	}
	return line
}

// screen fills the terminal, if the run lasts.
func (w *watch) screen(ctx context.Context, sys *quire.System) {
	wait := time.NewTimer(screenAfter)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return
	case <-wait.C:
	}
	keyboard, release := w.keyboard()
	defer release()
	s := screen.New(screen.Config{
		Title: "quire  " + printable(w.data), Output: w.console.raw, Input: keyboard, Environ: w.env.Environ,
		Look:  func(ctx context.Context) (progress.Snapshot, error) { return w.run.Snapshot(ctx, running{sys}) },
		Pause: sys.Queue().Pause, Resume: sys.Queue().Resume, Quit: w.env.Interrupt,
	})
	defer w.env.AtExit(s.Restore)()
	defer w.console.divert(s)()
	if err := s.Run(ctx); err != nil {
		w.log.Warn("there is no live view any more: lines instead", "error", err)
	}
}

// keyboard is where key presses come from: the terminal on stdin or, if something
// else is there, the terminal that started the program. It is nil if there is none.
func (a *app) keyboard() (in io.Reader, release func()) {
	if f, ok := a.env.Stdin.(interface{ Fd() uintptr }); ok && isTerminal(f) {
		return a.env.Stdin, func() {}
	}
	if tty, err := openTerminal(); err == nil {
		return tty, func() { _ = tty.Close() }
	}
	return nil, func() {}
}
