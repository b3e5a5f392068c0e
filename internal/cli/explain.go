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
		Long: `Tell the whole story of one work: its identifiers and who told them, which
sources were asked and what they answered, which were not and why, every
candidate and why it was tried or not, every hop, the verdict on the file, the
attempts that failed, why it ended as it did, and what comes next or when asking
again may help.

Sources are those in force now; the work may have been got with others.`,
		Example: `  quire explain 10.1371/journal.pone.0000001
  quire explain --json PMC1790863 | jq '.tried[] | {url, outcome, why}'`,
		Args: oneID,
		RunE: func(c *cobra.Command, args []string) error { return a.explain(c.Context(), args[0]) },
	}
}

func (a *app) explain(ctx context.Context, text string) (err error) {
	cfg, err := a.settings(nil)
	if err != nil {
		return err
	}
	sources, err := sourcesOf(cfg)
	if err != nil {
		return err
	}
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
	story := report.NewStory(job, rec, attempts, sources)
	if a.json {
		return a.printJSON(story)
	}
	return story.Write(a.out)
}
