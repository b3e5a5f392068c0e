package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

type list struct {
	*app
	states          []string
	class, key, run string
	limit           int
}

func newList(a *app) *cobra.Command {
	o := &list{app: a}
	c := &cobra.Command{
		Use:     "list",
		Short:   "List jobs",
		Example: `  quire queue list --state error --json | jq -r .artifact_id`,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	f := c.Flags()
	f.StringSliceVar(&o.states, "state", nil, "only in this `STATE`: queued, in_progress, done, skipped, error")
	f.StringVar(&o.class, "class", "", "only with this failure `CLASS`")
	f.StringVar(&o.key, "key", "", "only at this `KEY`")
	f.StringVar(&o.run, "run", "", "only of the batch with this `NAME`")
	f.IntVar(&o.limit, "limit", 0, "at most `N` (default: all)")
	return c
}

func (o *list) do(ctx context.Context) (err error) {
	if err := checkClass(o.class); err != nil {
		return err
	}
	if o.limit < 0 {
		return usage("--limit must not be negative")
	}
	filter := queue.Filter{Class: o.class, Key: o.key, Run: o.run, Limit: o.limit}
	for _, s := range o.states {
		if !slices.Contains(queue.States(), queue.State(s)) {
			return usage("--state %q: must be one of queued, in_progress, done, skipped, error", s)
		}
		filter.States = append(filter.States, queue.State(s))
	}
	sys, err := o.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	var printing error
	err = pages(ctx, sys.Queue(), filter, func(j queue.Job) bool {
		printing = o.print(j)
		return printing == nil && !o.out.gone()
	})
	return errors.Join(err, printing)
}

func (o *list) print(j queue.Job) error {
	if o.json {
		return o.printJSON(report.NewJob(j))
	}
	what := j.Reason
	if !j.State.Terminal() {
		what = j.Key
	}
	o.printf("%-11s %-28s %s\n", j.State, printable(what), printable(j.ArtifactID))
	return nil
}

// checkClass refuses a class that does not exist.
func checkClass(class string) error {
	if class == "" || slices.Contains(paper.Classes(), paper.Class(class)) {
		return nil
	}
	var names []string
	for _, c := range paper.Classes() {
		names = append(names, string(c))
	}
	return usage("--class %q: must be one of %s", class, strings.Join(names, ", "))
}
