package cli

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

// watch follows a run: it logs each change of state, prints a line of progress
// every so often, and sums up.
type watch struct {
	*app
	log   *slog.Logger
	keys  keyWatch
	began time.Time

	mu      sync.Mutex
	steps   int
	counts  map[queue.State]int
	reasons map[queue.State]map[string]int
	misses  *report.Misses
}

func newWatch(a *app) *watch {
	log := a.logger()
	return &watch{
		app: a, log: log, began: time.Now(),
		keys:   keyWatch{log: log, json: a.logFormat == "json", told: make(map[string]keyTold)},
		counts: make(map[queue.State]int), reasons: make(map[queue.State]map[string]int), misses: report.NewMisses(),
	}
}

// observe takes in one event. It is called from many goroutines.
func (w *watch) observe(e quire.Event) {
	w.mu.Lock()
	w.steps++
	if e.State.Terminal() {
		w.ended(e)
	}
	w.mu.Unlock()
	w.settled(e)
}

// start prints progress until the function it returns is called.
func (w *watch) start(ctx context.Context, sys *quire.System) (stop func()) {
	if w.display() == displayNone {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var printing sync.WaitGroup
	printing.Go(func() {
		every := time.NewTicker(plainEvery)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
				w.line(ctx, sys)
			}
		}
	})
	return func() {
		cancel()
		printing.Wait()
	}
}

// stopping tells that the run has been told to stop.
func (w *watch) stopping(grace time.Duration) {
	const text = "stopping: running requests get %s to finish; once more stops at once"
	if w.logFormat == "json" {
		w.log.Info(fmt.Sprintf(text, grace))
		return
	}
	w.note(text, grace)
}

// line prints one line of progress.
func (w *watch) line(ctx context.Context, sys *quire.System) {
	stats, err := sys.Queue().Stats(ctx)
	if err != nil {
		return // the run itself will say
	}
	w.mu.Lock()
	steps, done, skipped, failed := w.steps, w.counts[queue.Done], w.counts[queue.Skipped], w.counts[queue.Error]
	w.mu.Unlock()
	since := time.Since(w.began)
	bound := ""
	if key, left := sys.Bound(); left > longBound {
		bound = "  " + boundText(key, left)
	}
	w.note("%s  done %d  skipped %d  error %d  left %d (%d running, %d delayed)  %.1f requests/s%s",
		since.Round(time.Second), done, skipped, failed, stats.Queued+stats.InProgress, stats.InProgress, stats.Delayed,
		float64(steps)/since.Seconds(), bound)
}

// longBound is how long the rest must take at least for people to be told what
// binds it.
const longBound = 10 * time.Second

// note prints a line for people on stderr.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.env.Stderr, "%s\n", printable(fmt.Sprintf(format, args...)))
}
