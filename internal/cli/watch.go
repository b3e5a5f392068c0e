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
	log   *slog.Logger
	keys  keyWatch
	run   *progress.Run
	shown display // how

	mu     sync.Mutex
	misses *report.Misses
}

func newWatch(a *app) *watch {
	log := a.logger()
	return &watch{
		app: a, log: log, shown: a.display(), misses: report.NewMisses(),
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
	w.note("stopping: running requests get %s to finish; once more stops at once", grace)
}

// longBound is how long the rest must take at least for people to be told what
// binds it.
const longBound = 10 * time.Second

// note prints a line for people on stderr, or logs it where machines read that.
func (a *app) note(format string, args ...any) {
	if a.logFormat == "json" {
		a.logger().Info(fmt.Sprintf(format, args...))
		return
	}
	fmt.Fprintf(a.env.Stderr, "%s\n", printable(fmt.Sprintf(format, args...)))
}
