package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire/internal/report"
)

func newExplain(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID",
		Short: "Tell the whole story of one work",
		Long: `Tell the whole story of one work: which sources were asked and what they
answered, every candidate, every hop, the attempts that failed, and why it ended
as it did.`,
		Args: oneID,
		RunE: func(c *cobra.Command, args []string) error { return a.explain(c.Context(), args[0]) },
	}
}

func (a *app) explain(ctx context.Context, text string) (err error) {
	sys, job, err := a.find(ctx, text)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	rec, err := sys.Story(ctx, job)
	if err != nil {
		return fmt.Errorf("explain %s: %w", job.ArtifactID, err)
	}
	attempts, err := sys.Queue().Attempts(ctx, job.ArtifactID)
	if err != nil {
		return fmt.Errorf("explain %s: %w", job.ArtifactID, err)
	}
	story := report.NewStory(job, rec, attempts)
	if a.json {
		return a.printJSON(story)
	}
	return story.Write(a.out)
}
