package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/queue"
)

type cancel struct {
	*app
	filter      filter
	all, dryRun bool
}

// unfinished are the states that cancel knows.
func unfinished() []queue.State { return []queue.State{queue.Queued, queue.InProgress} }

func newCancel(a *app) *cobra.Command {
	o := &cancel{app: a}
	c := &cobra.Command{
		Use:   "cancel ID...",
		Short: "End jobs that are queued or running",
		Long: `End jobs that are queued or running: they become skipped, with the reason
cancelled. What a running job has got so far is dropped. Finished jobs are not
touched.

Which ones is said by identifiers, by flags that select, or by both together;
--all is for every job that is not finished.`,
		Example: `  quire queue cancel 10.1371/journal.pone.0000001 PMC1790863
  quire queue cancel --run thesis --state queued
  quire queue cancel --key host:journals.plos.org --dry-run`,
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args) },
	}
	o.filter.add(c, unfinished()...)
	c.Flags().BoolVar(&o.all, "all", false, "every job that is not finished")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only count")
	return c
}

func (o *cancel) do(ctx context.Context, texts []string) error {
	selected, err := o.filter.filter(unfinished()...)
	if err != nil {
		return err
	}
	ids, err := artifacts(texts)
	if err != nil {
		return err
	}
	// --limit selects none in particular, so it does not count here.
	selects := len(ids) > 0 || len(o.filter.states) > 0 || o.filter.older > 0 || o.filter.class+o.filter.key+o.filter.run != ""
	switch {
	case !selects && !o.all:
		return usage("queue cancel needs identifiers, flags that select jobs, or --all (see quire queue cancel --help)")
	case len(ids) > 0 && o.all:
		return usage("queue cancel takes identifiers or --all, not both")
	}
	var unknown []string
	err = o.apply(ctx, act{
		ids: ids, f: selected, dryRun: o.dryRun, field: "cancelled", doing: "cancelling", did: "cancelled", would: "would be cancelled",
		change: func(ctx context.Context, sys *quire.System, f queue.Filter) (int, error) {
			missing, err := o.missing(ctx, sys, f.ArtifactIDs)
			if err != nil {
				return 0, err
			}
			unknown = append(unknown, missing...)
			return sys.Queue().Cancel(ctx, f)
		},
	})
	if err == nil && len(unknown) > 0 {
		return fmt.Errorf("cancel: %w: %s", queue.ErrNotFound, strings.Join(unknown, ", "))
	}
	return err
}

// missing returns the ids that have no job, and notes those whose job has ended.
func (o *cancel) missing(ctx context.Context, sys *quire.System, ids []string) (missing []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	known := make(map[string]bool, len(ids))
	err = pages(ctx, sys.Queue(), queue.Filter{ArtifactIDs: ids}, func(j queue.Job) bool {
		known[j.ArtifactID] = true
		if j.State.Terminal() {
			o.note("%s is %s already", j.ArtifactID, j.State)
		}
		return true
	})
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return known[id] }), err
}
