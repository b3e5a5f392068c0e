package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

type reportCmd struct {
	*app
	format, run string
}

func newReport(a *app) *cobra.Command {
	o := &reportCmd{app: a}
	c := &cobra.Command{
		Use:   "report",
		Short: "Sum up what became of the works, and what to do next",
		Long: `Sum up what became of the works: how many were got; the files by source, host,
licence and version; the works by registrant, which is the prefix of their DOI;
what was not got by reason; what is not finished by what it waits for; and what
to do about each.

The percentages of a table add up to exactly 100. Tables show the twenty rows
with most and the sum of the others; JSON has all rows.

The HTML is one page that needs nothing else and makes no request. All jobs are
read, a thousand at a time; those of a queue that is running may change
meanwhile, but each is counted once.`,
		Example: `  quire report
  quire report --format html --run thesis > thesis.html
  quire report --json | jq '.tables.missing.rows'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	c.Flags().StringVar(&o.format, "format", "", "`FORMAT`: "+strings.Join(reportFormats(), ", ")+" (default text)")
	c.Flags().StringVar(&o.run, "run", "", "only of the batch with this `NAME`")
	return c
}

func reportFormats() []string { return []string{"text", "md", "html", "json"} }

func (o *reportCmd) do(ctx context.Context) (err error) {
	switch {
	case o.format == "" && o.json:
		o.format = "json"
	case o.format == "":
		o.format = "text"
	case !slices.Contains(reportFormats(), o.format):
		return usage("--format %q: must be one of %s", o.format, strings.Join(reportFormats(), ", "))
	case o.json && o.format != "json":
		return usage("--json and --format %s: choose one", o.format)
	}
	sys, err := o.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	y, err := o.yield(ctx, sys)
	if err != nil {
		return err
	}
	switch o.format {
	case "md":
		return y.WriteMarkdown(o.out)
	case "html":
		return y.WriteHTML(o.out)
	case "json":
		return o.printJSON(y)
	default:
		return y.WriteText(o.out)
	}
}

// yield adds up the jobs of the run that was asked for, or of all.
func (o *reportCmd) yield(ctx context.Context, sys *quire.System) (report.Yield, error) {
	at, sum := time.Now(), report.NewYieldTally(sys.Catalog())
	var adding error
	var read atomic.Int64
	all := o.totalOf(ctx, sys, queue.Filter{Run: o.run})
	defer o.meter("reading jobs", func() reading { return reading{unit: "jobs", done: read.Load(), of: all} })()
	err := pages(ctx, sys.Queue(), queue.Filter{Run: o.run}, func(j queue.Job) bool {
		read.Add(1)
		adding = sum.Add(ctx, j)
		return adding == nil
	})
	if err := errors.Join(err, adding); err != nil {
		return report.Yield{}, fmt.Errorf("report: %w", err)
	}
	return sum.Yield(o.run, at, quire.Version), nil
}
