package cli

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/progress"
	"github.com/quire-dev/quire/queue"
)

// watch follows a run: it logs each change of state, shows progress and sums up.
type watch struct {
	*app
	log  *slog.Logger
	keys keyWatch
	run  *progress.Run
	view *view
}

func newWatch(a *app) *watch {
	v := newView(a)
	log := a.logger()
	return &watch{
		app: a, log: log, run: progress.New(), view: v,
		keys: keyWatch{log: log, json: a.logFormat == "json", told: make(map[string]keyTold)},
	}
}

// observe takes in one event. It is called from many goroutines.
func (w *watch) observe(e quire.Event) {
	w.run.Observe(e)
	level := slog.LevelDebug
	if e.State.Terminal() || e.Verb == queue.Retry {
		level = slog.LevelInfo
	}
	if w.logFormat == "text" && level == slog.LevelInfo {
		level = slog.LevelDebug // the summary and the progress tell it
	}
	attrs := []any{
		"job", e.Job.ID, "artifact_id", e.Job.ArtifactID, "attempt", e.Job.Attempts,
		"state", string(e.State), "reason", e.Reason, "key", e.Key,
	}
	if e.NextKey != e.Key && !e.State.Terminal() {
		attrs = append(attrs, "next_key", e.NextKey)
	}
	if e.Delay > 0 {
		attrs = append(attrs, "delay_seconds", e.Delay.Seconds())
	}
	if e.Error != "" {
		attrs = append(attrs, "error", e.Error)
	}
	w.log.Log(context.Background(), level, string(e.Verb), attrs...)
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
