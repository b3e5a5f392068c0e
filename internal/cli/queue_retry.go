package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire/queue"
)

type retryFailed struct {
	*app
	class, key string
	older      time.Duration
	limit      int
	dryRun     bool
}

func newRetryFailed(a *app) *cobra.Command {
	o := &retryFailed{app: a}
	c := &cobra.Command{
		Use:   "retry-failed",
		Short: "Put jobs that ended in error back into the queue",
		Long: `Put jobs that ended in error back into the queue, with no attempts counted and
nothing remembered of what was tried. Jobs in other states are not touched.`,
		Example: `  quire queue retry-failed --class transient --older 24h`,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.class, "class", "", "only with this failure `CLASS`")
	f.StringVar(&o.key, "key", "", "only those that ended at this `KEY`")
	f.DurationVar(&o.older, "older", 0, "only those that ended at least this `LONG` ago, such as 24h")
	f.IntVar(&o.limit, "limit", 0, "at most `N`, the oldest first (default: all)")
	f.BoolVar(&o.dryRun, "dry-run", false, "only count")
	return c
}

func (o *retryFailed) do(ctx context.Context) (err error) {
	if err := checkClass(o.class); err != nil {
		return err
	}
	if o.limit < 0 || o.older < 0 {
		return usage("--limit and --older must not be negative")
	}
	// Looking first keeps this from creating a queue where there is none.
	sys, err := o.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	filter := queue.Filter{States: []queue.State{queue.Error}, Class: o.class, Key: o.key, Older: o.older, Limit: o.limit}
	if o.dryRun {
		n, err := count(ctx, sys.Queue(), filter)
		if err != nil {
			return err
		}
		return o.tell(n, "would be queued again")
	}
	cfg, err := o.settings(nil)
	if err != nil {
		return err
	}
	rw, err := o.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rw.Close()) }()
	n, err := rw.Queue().Requeue(ctx, filter)
	if err != nil {
		return fmt.Errorf("queue again: %w", err)
	}
	return o.tell(n, "queued again")
}

func (o *retryFailed) tell(n int, what string) error {
	if o.json {
		return o.printJSON(map[string]int{"requeued": n})
	}
	o.printf("%d %s\n", n, what)
	return nil
}

// count counts the jobs that match f, page by page.
func count(ctx context.Context, q queue.Inspector, f queue.Filter) (int, error) {
	n := 0
	err := pages(ctx, q, f, func(queue.Job) bool {
		n++
		return true
	})
	return n, err
}

// pageRows is how many jobs are read at a time: a long reading would keep the
// database from cleaning up behind itself.
const pageRows = 1000

// pages calls each for the jobs that match f, until it returns false.
func pages(ctx context.Context, q queue.Inspector, f queue.Filter, each func(queue.Job) bool) error {
	left := f.Limit
	for {
		f.Limit = pageRows
		if left > 0 {
			f.Limit = min(left, pageRows)
		}
		jobs, err := q.Jobs(ctx, f)
		if err != nil {
			return fmt.Errorf("read jobs: %w", err)
		}
		for _, j := range jobs {
			if !each(j) {
				return nil
			}
		}
		if left > 0 {
			if left -= len(jobs); left <= 0 {
				return nil
			}
		}
		if len(jobs) < f.Limit {
			return nil
		}
		f.After = jobs[len(jobs)-1].ID
	}
}
