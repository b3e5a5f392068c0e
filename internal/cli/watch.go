package cli

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/progress"
	"github.com/quire-dev/quire/internal/report"
)

// watch follows a run: it logs each change of state, shows progress and sums up.
type watch struct {
	*app
	log  *slog.Logger
	keys keyWatch
	run  *progress.Run
	view *view

	mu     sync.Mutex
	misses *report.Misses
}

func newWatch(a *app) *watch {
	v := newView(a)
	log := a.logger()
	return &watch{
		app: a, log: log, view: v, misses: report.NewMisses(),
		keys: keyWatch{log: log, json: a.logFormat == "json", told: make(map[string]keyTold)},
	}
}

// observe takes in one event. It is called from many goroutines.
func (w *watch) observe(e quire.Event) {
	w.run.Observe(e)
	if e.State.Terminal() {
		w.ended(e)
	}
	w.settled(e)
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

// longBound is how long the rest must take at least for people to be told what
// binds it.
const longBound = 10 * time.Second

// note prints a line for people on stderr.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.env.Stderr, "%s\n", printable(fmt.Sprintf(format, args...)))
}
