package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire/internal/bench"
)

type benchQueue struct {
	*app
	cfg bench.Config
}

func newBenchQueue(a *app) *cobra.Command {
	o := &benchQueue{app: a}
	c := &cobra.Command{
		Use:   "queue",
		Short: "Measure what the queue does a second, and how long things take",
		Long: `Measure what the queue does a second, and how long things take: jobs that do
nothing, run by the same orchestrator and on the same stores as works are, with
their full durability; and a bare loop of SQL beside them, for ratios that can be
compared between machines. It takes about half a minute.

It works on a new SQLite file in the directory for temporary files. With --store
on the command line it works there: at another path (sqlite:PATH), whose disk is
then what is measured, or in a PostgreSQL database (postgres://…). There must be
no queue yet, and nothing is left behind.`,
		Example: `  quire bench queue
  quire bench queue --store sqlite:/mnt/disk/bench.db --depth 1000000
  quire bench queue --store postgres://quire@localhost/scratch --json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.do(c.Context(), o.store != "" && c.Flags().Changed("store"))
		},
	}
	f := c.Flags()
	f.IntVar(&o.cfg.Jobs, "jobs", 20_000, "`N` jobs for each measurement of a rate")
	f.IntVar(&o.cfg.Keys, "keys", 200, "spread over `N` keys")
	f.IntVar(&o.cfg.Workers, "workers", 64, "`N` jobs at once")
	f.IntVar(&o.cfg.Depth, "depth", 100_000, "lease from queues of up to `N` jobs")
	return c
}

func (o *benchQueue) do(ctx context.Context, there bool) (err error) {
	for name, n := range map[string]int{"jobs": o.cfg.Jobs, "keys": o.cfg.Keys, "workers": o.cfg.Workers, "depth": o.cfg.Depth} {
		if n < 1 {
			return usage("--%s %d: must be at least 1", name, n)
		}
	}
	if o.cfg.Store = o.store; there {
		if err := o.noQueueIn(ctx, o.store); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	} else {
		dir, err := os.MkdirTemp("", "quire-bench-")
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		o.cfg.Store = "sqlite:" + filepath.Join(dir, "bench.db")
	}
	o.cfg.Begin = func(name string) {
		if o.progress != "none" && !o.json {
			o.note("measuring: %s", name)
		}
	}
	rep, err := bench.Run(ctx, o.cfg)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return o.print(rep)
}

func (o *benchQueue) print(rep bench.Report) error {
	if o.json {
		return o.printJSON(rep)
	}
	o.printf("%s, %s\n%d CPUs, %d jobs, %d keys, %d workers\n\n", rep.Store, printable(rep.Durability), rep.CPUs, rep.Jobs, rep.Keys, rep.Workers)
	for _, f := range rep.Figures {
		decimals := 0
		if f.Value < 100 {
			decimals = 2
		}
		o.printf("%-22s %12.*f %-9s  %s\n", f.Name, decimals, f.Value, f.Unit, f.About)
	}
	return nil
}
