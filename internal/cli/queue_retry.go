package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

type retryFailed struct {
	*app
	filter filter
	dryRun bool
	due    bool
}

func newRetryFailed(a *app) *cobra.Command {
	o := &retryFailed{app: a}
	c := &cobra.Command{
		Use:   "retry-failed",
		Short: "Put jobs that ended in error back into the queue",
		Long: `Put jobs that ended in error back into the queue, with no attempts counted and
nothing remembered of what was tried; queue show still tells their history. Jobs
in other states are not touched.

With --due it is instead the jobs whose files were not to be had, and for which it
is worth looking again by now: their recheck_at is past. Works that are not open
are looked for again 30, 90 and 365 days after they were added, new ones also after
3, 7 and 14; pages without a file and walls after 90 days.`,
		Example: `  quire queue retry-failed --class transient --older 24h
  quire queue retry-failed --due && quire queue run --drain`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	o.filter.add(c)
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only count")
	c.Flags().BoolVar(&o.due, "due", false, "the jobs, also skipped ones, that it is time to look for again")
	return c
}

func (o *retryFailed) do(ctx context.Context) error {
	if o.due {
		return o.recheck(ctx)
	}
	selected, err := o.filter.filter(queue.Error)
	if err != nil {
		return err
	}
	return o.apply(ctx, act{
		f: selected, dryRun: o.dryRun, field: "requeued", doing: "queueing again", did: "queued again", would: "would be queued again", next: o.tipRun,
		change: func(ctx context.Context, sys *quire.System, f queue.Filter) (int, error) {
			return sys.Queue().Requeue(ctx, f)
		},
	})
}

// wouldRecheck tells how many jobs recheck would requeue.
func (o *retryFailed) wouldRecheck(ctx context.Context, selected queue.Filter) (err error) {
	sys, err := o.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	defer o.looking(ctx, sys, &selected)()
	n, next, err := eachDue(ctx, sys.Queue(), selected, func(ids []string) (int, error) { return len(ids), nil })
	if err != nil {
		return err
	}
	defer o.tipDue(n, next)
	return o.tell("requeued", n, "would be queued again")
}

// recheck requeues the jobs whose time to be looked for again has come.
func (o *retryFailed) recheck(ctx context.Context) error {
	selected, err := o.filter.filter(queue.Skipped, queue.Error)
	if err != nil {
		return err
	}
	if o.dryRun {
		return o.wouldRecheck(ctx, selected)
	}
	return o.change(ctx, func(sys *quire.System) error {
		stop := o.looking(ctx, sys, &selected)
		defer stop()
		n, next, err := eachDue(ctx, sys.Queue(), selected, func(ids []string) (int, error) {
			return sys.Queue().Requeue(ctx, queue.Filter{States: selected.States, ArtifactIDs: ids})
		})
		stop()
		if err != nil {
			return err
		}
		if err := o.tell("requeued", n, "queued again"); err != nil {
			return err
		}
		o.tipDue(n, next)
		o.tipRun(n)
		return nil
	})
}

// looking shows how many of the jobs that f selects have been looked at, until it is
// stopped.
func (o *retryFailed) looking(ctx context.Context, sys *quire.System, f *queue.Filter) (stop func()) {
	var seen counter
	all := *f
	all.Limit = 0 // of those that are due
	f.Changed = seen.changed()
	return o.meter("looking for jobs that are due", seen.look(o.totalOf(ctx, sys, all)))
}

// tipDue tells when the next jobs are due if none is.
func (o *retryFailed) tipDue(n int, next time.Time) {
	switch {
	case n > 0:
	case next.IsZero():
		o.tip("no job has a time to be looked for again: %s report", o.self())
	default:
		o.tip("none is due yet, the first on %s", clockText(next, time.Now()))
	}
}

// eachDue calls do with the artifacts of jobs that match f and whose re-check is
// due, a part at a time, until f's limit, and returns the sum of what do returned, and
// when the first of the others is due. It tells f how many jobs it has looked at.
func eachDue(ctx context.Context, jobs queue.Inspector, f queue.Filter, do func(ids []string) (int, error)) (sum int, next time.Time, err error) {
	limit, now, seen := f.Limit, time.Now(), 0
	f.Limit = queue.MaxFilterIDs
	for {
		page, err := jobs.Jobs(ctx, f)
		if err != nil || len(page) == 0 {
			return sum, next, err
		}
		f.After = page[len(page)-1].ID
		seen += len(page)
		f.Tell(seen)
		var ids []string
		for _, j := range page {
			at := report.RecheckAt(j)
			switch {
			case at.IsZero():
			case !at.After(now) && (limit == 0 || sum+len(ids) < limit):
				ids = append(ids, j.ArtifactID)
			case at.After(now) && (next.IsZero() || at.Before(next)):
				next = at
			}
		}
		if len(ids) == 0 {
			continue
		}
		n, err := do(ids)
		sum += n
		if err != nil || limit > 0 && sum >= limit {
			return sum, next, err
		}
	}
}
