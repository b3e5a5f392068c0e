package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

type list struct {
	*app
	filter filter
}

func newList(a *app) *cobra.Command {
	o := &list{app: a}
	c := &cobra.Command{
		Use:   "list [ID]...",
		Short: "List jobs: all, or those of the identifiers",
		Example: `  quire queue list --state error --json | jq -r .artifact_id
  quire queue list --key host:journals.plos.org --older 24h`,
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args) },
	}
	o.filter.add(c, queue.States()...)
	return c
}

func (o *list) do(ctx context.Context, texts []string) (err error) {
	selected, err := o.filter.filter(queue.States()...)
	if err != nil {
		return err
	}
	ids, err := artifacts(texts)
	if err != nil {
		return err
	}
	sys, err := o.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	_, err = eachPart(selected, ids, func(f queue.Filter) (n int, err error) {
		var printing error
		err = pages(ctx, sys.Queue(), f, func(j queue.Job) bool {
			n++
			printing = o.print(j)
			return printing == nil && !o.out.gone()
		})
		return n, errors.Join(err, printing)
	})
	return err
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

// count counts the jobs that match f, page by page.
func count(ctx context.Context, q queue.Inspector, f queue.Filter) (int, error) {
	n := 0
	err := pages(ctx, q, f, func(queue.Job) bool {
		if n++; n%pageRows == 0 {
			f.Tell(n)
		}
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
