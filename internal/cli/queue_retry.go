package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/queue"
)

type retryFailed struct {
	*app
	filter filter
	dryRun bool
}

func newRetryFailed(a *app) *cobra.Command {
	o := &retryFailed{app: a}
	c := &cobra.Command{
		Use:   "retry-failed",
		Short: "Put jobs that ended in error back into the queue",
		Long: `Put jobs that ended in error back into the queue, with no attempts counted and
nothing remembered of what was tried; queue show still tells their history. Jobs
in other states are not touched.`,
		Example: `  quire queue retry-failed --class transient --older 24h`,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	o.filter.add(c)
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only count")
	return c
}

func (o *retryFailed) do(ctx context.Context) error {
	selected, err := o.filter.filter(queue.Error)
	if err != nil {
		return err
	}
	return o.apply(ctx, act{
		f: selected, dryRun: o.dryRun, field: "requeued", did: "queued again", would: "would be queued again",
		change: func(ctx context.Context, sys *quire.System, f queue.Filter) (int, error) {
			return sys.Queue().Requeue(ctx, f)
		},
	})
}
