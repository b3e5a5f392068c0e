package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
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
		Long: `Count jobs per state, per key, per reason and per failure class.

Of each key: jobs that are ready, delayed (they wait for their time) and in flight,
of the requests it may have at once ("3 x 50": 3 of 50 jobs each), its pace in
requests a second, how long its next job has been ready, what all of them take at
least, and what keeps it: a gate that is closed, and why, its circuit breaker, a
pause. In text these are the keys with most left to do, at most 50; --json has all.
The last line names the key that takes longest: no run can end sooner.

The jobs are counted now. How a key stands is what a run has noted, at the latest
ten seconds ago while one is going on, else when the last one ended.`,
		Example: `  quire queue stats --watch
  quire queue stats --json | jq .reasons`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	c.Flags().BoolVar(&o.watch, "watch", false, "count again every two seconds: on a terminal on one page, which Ctrl-C ends")
	return c
}

func (o *stats) do(ctx context.Context) (err error) {
	cfg, err := o.settings(nil)
	if err != nil {
		return err
	}
	sys, err := o.lookWith(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	look := func() (report.Stats, error) { return keyStats(ctx, sys, cfg.Allowances()) }
	if o.watch {
		return o.follow(ctx, look)
	}
	s, err := look()
	if err != nil {
		return err
	}
	return o.print(s)
}

// keyStats counts the jobs and tells how the keys stand.
func keyStats(ctx context.Context, sys *quire.System, all *quire.Allowances) (report.Stats, error) {
	s, err := sys.Queue().Stats(ctx)
	if err != nil {
		return report.Stats{}, fmt.Errorf("count jobs: %w", err)
	}
	noted, err := sys.Noted(ctx)
	if err != nil {
		return report.Stats{}, err
	}
	return report.NewStats(s, func(key string) report.KeyNow {
		l, n := all.Of(key), noted[key]
		now := report.KeyNow{
			Cap: l.InFlight, PerSecond: l.PerSecond(), RateFrom: "configured", Breaker: "closed", Batch: l.Batch, Daily: l.Daily > 0,
		}
		if l.Start > 0 {
			now.Cap = l.Start
		}
		if n.Key == "" {
			return now
		}
		now.Cap, now.PerSecond, now.RateFrom, now.Breaker = n.Cap, n.PerSecond, n.From, n.Breaker
		now.Gate, now.Reason, now.Service, now.Today = n.Gate, n.Reason, n.Service, n.Today
		return now
	}), nil
}

func (o *stats) print(s report.Stats) error {
	if o.json {
		return o.printJSON(s)
	}
	for _, row := range []struct {
		name string
		n    int
	}{
		{"total", s.Total}, {"queued", s.Queued}, {"in_progress", s.InProgress}, {"done", s.Done}, {"skipped", s.Skipped}, {"error", s.Error},
	} {
		o.printf("%-12s %d\n", row.name, row.n)
	}
	columns := unlimited
	if isTerminal(o.out) {
		columns, _ = windowSize(o.out)
	}
	for _, text := range o.below(s) {
		o.printf("\n%s\n", text)
	}
	if keys := keyLines(s.Keys, columns, mostKeys+2); len(keys) > 0 {
		o.printf("\n%s\n", strings.Join(keys, "\n"))
	}
	for _, text := range o.ended(s) {
		o.printf("\n%s\n", text)
	}
	return nil
}

// below tells of the jobs that are left.
func (o *stats) below(s report.Stats) (texts []string) {
	if s.Queued > 0 {
		oldest := ""
		if s.Ready > 0 {
			oldest = fmt.Sprintf(" (the oldest for %s)", report.Span(report.Seconds(s.OldestReadySeconds)))
		}
		texts = append(texts, fmt.Sprintf("%d ready%s, %d delayed", s.Ready, oldest, s.Delayed))
	}
	if s.Paused {
		texts = append(texts, fmt.Sprintf("the queue is paused: %s queue resume", printable(o.self())))
	}
	return texts
}

// ended tells how jobs have ended, and when the others will have.
func (o *stats) ended(s report.Stats) (texts []string) {
	if len(s.Reasons) > 0 {
		texts = append(texts, ranked(s.Reasons))
	}
	if len(s.Classes) > 0 {
		texts = append(texts, "failure classes: "+ranked(s.Classes))
	}
	if b := s.Bound(); b != nil {
		texts = append(texts, printable(boundText(b.Key, report.Seconds(b.LeftSeconds))))
	}
	return texts
}

// boundText names the key that takes longest; empty for the number of workers.
func boundText(key string, left time.Duration) string {
	if key == "" {
		key = "max_workers"
	}
	return fmt.Sprintf("bound by %s: %s", key, report.Span(left))
}
