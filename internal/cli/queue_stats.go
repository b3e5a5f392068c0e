package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

type stats struct {
	*app
	watch bool
}

func newStats(a *app) *cobra.Command {
	o := &stats{app: a}
	c := &cobra.Command{
		Use:   "stats",
		Short: "Count jobs per state, per key, per reason and per failure class",
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	c.Flags().BoolVar(&o.watch, "watch", false, "print again every two seconds")
	return c
}

func (o *stats) do(ctx context.Context) (err error) {
	cfg, err := o.settings(nil)
	if err != nil {
		return err
	}
	sys, err := o.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	for {
		s, err := sys.Queue().Stats(ctx)
		if err != nil {
			return fmt.Errorf("count jobs: %w", err)
		}
		if err := o.print(cfg, s); err != nil {
			return err
		}
		if !o.watch || o.out.gone() {
			return nil
		}
		o.out.Flush()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
			o.printf("\n")
		}
	}
}

func (o *stats) print(cfg quire.Config, s queue.Stats) error {
	if o.json {
		all := cfg.Allowances()
		return o.printJSON(report.NewStats(s, func(key string) (int, time.Duration) {
			l := all.Of(key)
			return l.InFlight, l.Every
		}))
	}
	o.printf("%-12s %d\n", "total", s.Total())
	for _, row := range []struct {
		name string
		n    int
	}{
		{"queued", s.Queued}, {"in_progress", s.InProgress}, {"done", s.Done}, {"skipped", s.Skipped}, {"error", s.Error},
	} {
		o.printf("%-12s %d\n", row.name, row.n)
	}
	if s.Queued > 0 {
		o.printf("\n%d ready (the oldest for %s), %d delayed\n", s.Ready, s.OldestReady.Round(time.Second), s.Delayed)
	}
	if s.Paused {
		o.printf("\nthe queue is paused: %s queue resume\n", printable(o.self()))
	}
	o.keys(s.Keys)
	if len(s.Reasons) > 0 {
		o.printf("\n%s\n", ranked(s.Reasons))
	}
	if len(s.Classes) > 0 {
		o.printf("\nfailure classes: %s\n", ranked(s.Classes))
	}
	return nil
}

// keys prints the table of keys.
func (o *stats) keys(keys []queue.KeyStats) {
	if len(keys) == 0 {
		return
	}
	o.printf("\n%-44s %8s %8s %9s\n", "key", "ready", "delayed", "in flight")
	for _, k := range keys {
		paused := ""
		if k.Paused {
			paused = "  paused"
		}
		o.printf("%-44s %8d %8d %9d%s\n", printable(k.Key), k.Ready, k.Delayed, k.InFlight, paused)
	}
}
