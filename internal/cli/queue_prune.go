package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/queue"
)

type prune struct {
	*app
	filter filter
	dryRun bool
}

// finished are the states that prune knows.
func finished() []queue.State { return []queue.State{queue.Done, queue.Skipped, queue.Error} }

func newPrune(a *app) *cobra.Command {
	o := &prune{app: a}
	c := &cobra.Command{
		Use:   "prune --older DUR",
		Short: "Forget finished jobs",
		Long: `Delete finished jobs and the history of their attempts from the queue. Files and
what is known of the works stay, and so does their line in manifest.jsonl, which
is brought up to date first. A work whose job is gone is new to the queue: if it
is queued again it will be got again.

Queued and running jobs are not touched.`,
		Example: `  quire queue prune --older 720h --state skipped --dry-run`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("older") {
				return usage("queue prune needs --older DUR, such as --older 720h: how long ago a job must have finished")
			}
			return o.do(c.Context())
		},
	}
	o.filter.add(c, finished()...)
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only count")
	return c
}

func (o *prune) do(ctx context.Context) error {
	selected, err := o.filter.filter(finished()...)
	if err != nil {
		return err
	}
	return o.apply(ctx, act{
		f: selected, dryRun: o.dryRun, field: "pruned", doing: "pruning", did: "pruned", would: "would be pruned",
		change: func(ctx context.Context, sys *quire.System, f queue.Filter) (int, error) { return sys.Prune(ctx, f) },
	})
}
