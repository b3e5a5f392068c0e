package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

func newShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show one job and its failed attempts",
		Long: `Show one job, whichever state it is in: where it stands, what came of it, and each
of its attempts that failed, with its reason. quire explain tells the story of
the work itself.`,
		Example: `  quire queue show 10.1371/journal.pone.0000001
  quire queue show PMC1790863 --json | jq .history`,
		Args: oneID,
		RunE: func(c *cobra.Command, args []string) error { return a.show(c.Context(), args[0]) },
	}
}

func oneID(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage("%s needs one identifier, got %d", c.CommandPath(), len(args))
	}
	return nil
}

func (a *app) show(ctx context.Context, text string) (err error) {
	sys, job, err := a.find(ctx, text)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	attempts, err := sys.Queue().Attempts(ctx, job.ArtifactID)
	if err != nil {
		return err
	}
	v := report.JobHistory{Job: report.NewJob(job), History: report.NewHistory(attempts)}
	if a.json {
		return a.printJSON(v)
	}
	if err := a.fields(v.Job); err != nil || len(v.History) == 0 {
		return err
	}
	a.printf("\n")
	return report.WriteHistory(a.out, v.History)
}

// find opens the data directory and looks up the job of an identifier.
func (a *app) find(ctx context.Context, text string) (*quire.System, queue.Job, error) {
	artifact, err := paper.ParseID(text)
	if err != nil {
		return nil, queue.Job{}, usage("%w%s", err, asFile(text, "quire queue import"))
	}
	sys, err := a.look(ctx)
	if err != nil {
		return nil, queue.Job{}, err
	}
	job, err := sys.Queue().Job(ctx, artifact.ID)
	if err != nil {
		return nil, queue.Job{}, errors.Join(fmt.Errorf("look up job: %w", err), sys.Close())
	}
	return sys, job, nil
}

// fields prints the known fields of a document, a line each, in its order.
func (a *app) fields(v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	rows, err := report.Fields(doc)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for _, f := range rows {
		a.printf("%-13s %s\n", f.Name, printable(f.Value))
	}
	return nil
}
