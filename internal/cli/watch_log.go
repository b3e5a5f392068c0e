package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
)

// What is logged of jobs has the names of the job's JSON shape. With --log-format json
// there is a line when a job is begun, when it is to be tried again and when it has
// ended; between them it walks from key to key, which is told at debug, as is what the
// scheduler decides on the way. In text all of it is: the progress and the summary
// tell people.

// jobLevel is at which level a change of a job's state is logged.
func (w *watch) jobLevel(outward bool) slog.Level {
	if outward && w.logFormat == "json" {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// tracer is what is told of the moments of steps; nil if none of it would be logged.
func (w *watch) tracer(ctx context.Context) func(quire.Trace) {
	if !w.log.Enabled(ctx, w.jobLevel(true)) {
		return nil
	}
	return w.trace
}

// trace logs a moment in a job's step.
func (w *watch) trace(t quire.Trace) {
	// Of a job that has been at a key before there is progress.
	level := w.jobLevel(t.Moment == orchestrator.Leased && len(t.Job.Progress) == 0)
	if !w.log.Enabled(context.Background(), level) {
		return
	}
	attrs := jobAttrs(t.Job, t.Key)
	word := "lease"
	switch t.Moment {
	case orchestrator.Leased:
		attrs = append(attrs, whyAttrs(t)...)
	case orchestrator.Sent:
		word = "send"
		attrs = append(attrs, "since_lease_seconds", round(t.Since), "held_seconds", round(t.Held))
	case orchestrator.Left:
		word = "leave"
		attrs = append(attrs, "since_lease_seconds", round(t.Since))
	}
	w.log.Log(context.Background(), level, word, attrs...)
}

// jobAttrs are the fields of a job while it is at a key.
func jobAttrs(j queue.Job, key string) []any {
	attrs := []any{
		"job", j.ID, "artifact_id", j.ArtifactID, "attempt", j.Attempts,
		"state", string(queue.InProgress), "reason", nil, "key", key,
	}
	if j.Run != "" {
		attrs = append(attrs, "run", j.Run)
	}
	return attrs
}

// whyAttrs tell why a job's key was picked, and for what it had waited before.
func whyAttrs(t quire.Trace) []any {
	by := "weight"
	if t.Why.ByTurn {
		by = "turn"
	}
	attrs := []any{
		"picked_by", by, "ready", t.Why.Rows, "left_seconds", round(t.Why.Left),
		"head_age_seconds", round(t.Why.Head), "since_pick_seconds", round(t.Since),
	}
	for _, wait := range []struct {
		what string
		long time.Duration
	}{
		{"pace", t.Why.Pace}, {"cap", t.Why.Full}, {"group", t.Why.Group}, {"gate", t.Why.Gated}, {"slot", t.Why.Slot},
	} {
		if wait.long >= time.Millisecond {
			attrs = append(attrs, "waited_"+wait.what+"_seconds", round(wait.long))
		}
	}
	if t.Jobs > 1 {
		attrs = append(attrs, "jobs", t.Jobs)
	}
	return attrs
}

// settled logs what became of a job's step.
func (w *watch) settled(e quire.Event) {
	level := w.jobLevel(e.State.Terminal() || e.Verb == queue.Retry)
	if !w.log.Enabled(context.Background(), level) {
		return
	}
	attrs := []any{
		"job", e.Job.ID, "artifact_id", e.Job.ArtifactID, "attempt", e.Job.Attempts,
		"state", string(e.State), "reason", orNull(e.Reason), "key", e.Key,
	}
	if e.NextKey != e.Key && !e.State.Terminal() {
		attrs = append(attrs, "next_key", e.NextKey)
	}
	if e.Delay > 0 {
		attrs = append(attrs, "delay_seconds", e.Delay.Seconds())
	}
	attrs = append(attrs, fileAttrs(e)...)
	if e.Error != "" {
		attrs = append(attrs, "error", e.Error)
	}
	attrs = append(attrs, "step_seconds", round(e.Took), "settle_seconds", round(e.Settled))
	w.log.Log(context.Background(), level, string(e.Verb), attrs...)
}

// fileAttrs are the fields of the job's shape that its outcome tells.
func fileAttrs(e quire.Event) (attrs []any) {
	j := report.NewJob(queue.Job{State: e.State, Class: e.Class, Run: e.Job.Run, Result: e.Result})
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"class", j.Class},
		{"run", j.Run},
		{"resolver", j.Resolver},
		{"url", j.URL},
		{"path", j.Path},
		{"sha256", j.SHA256},
		{"media_type", j.MediaType},
		{"verdict", j.Verdict},
		{"license", j.License},
		{"version", j.Version},
	} {
		if f.value != nil {
			attrs = append(attrs, f.name, *f.value)
		}
	}
	if j.Bytes != nil {
		attrs = append(attrs, "bytes", *j.Bytes)
	}
	if j.RecheckAt != nil {
		attrs = append(attrs, "recheck_at", j.RecheckAt.String())
	}
	return attrs
}

// orNull is a text, or null if there is none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// round is a duration in seconds, to a tenth of a millisecond.
func round(d time.Duration) float64 { return d.Round(100 * time.Microsecond).Seconds() }
