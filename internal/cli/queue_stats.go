package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	c.Flags().BoolVar(&o.watch, "watch", false, "print again every two seconds")
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
	for {
		s, err := keyStats(ctx, sys, cfg.Allowances())
		if err != nil {
			return err
		}
		if err := o.print(s); err != nil {
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
	if s.Queued > 0 {
		o.printf("\n%d ready (the oldest for %s), %d delayed\n", s.Ready, span(seconds(s.OldestReadySeconds)), s.Delayed)
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
	if b := s.Bound(); b != nil {
		o.printf("\n%s\n", printable(boundText(b.Key, seconds(b.LeftSeconds))))
	}
	return nil
}

// mostKeys is how many keys people are shown.
const mostKeys = 50

// keys prints the table of keys: those with most left first.
func (o *stats) keys(keys []report.KeyStats) {
	if len(keys) == 0 {
		return
	}
	keys = slices.SortedFunc(slices.Values(keys), func(a, b report.KeyStats) int {
		return cmp.Or(cmp.Compare(b.LeftSeconds, a.LeftSeconds), cmp.Compare(b.Delayed, a.Delayed), cmp.Compare(a.Key, b.Key))
	})
	o.printf("\n%-44s %8s %8s %13s %9s %11s %11s\n", "key", "ready", "delayed", "in flight", "a second", "head", "left")
	for _, k := range keys[:min(len(keys), mostKeys)] {
		line := fmt.Sprintf("%-44s %8d %8d %13s %9s %11s %11s  %s", printable(k.Key), k.Ready, k.Delayed,
			fmt.Sprintf("%d/%s", k.InFlight, capText(k)), rateOf(k), ifAny(k.HeadAgeSeconds), ifAny(k.LeftSeconds), printable(keptBy(k)))
		o.printf("%s\n", strings.TrimRight(line, " "))
	}
	if more := len(keys) - mostKeys; more > 0 {
		o.printf("… and %d more keys\n", more)
	}
}

// capText is the most requests at once, and the jobs in each.
func capText(k report.KeyStats) string {
	text := "any"
	if k.Cap > 0 {
		text = strconv.Itoa(k.Cap)
	}
	if k.Batch > 1 {
		text += fmt.Sprintf(" x %d", k.Batch)
	}
	return text
}

func rateOf(k report.KeyStats) string {
	if k.PerSecond == nil {
		return "any"
	}
	return rateText(*k.PerSecond)
}

// ifAny is a time that is not 0.
func ifAny(s float64) string {
	if s <= 0 {
		return "-"
	}
	return span(seconds(s))
}

// keptBy tells what is not as usual at a key.
func keptBy(k report.KeyStats) string {
	var words []string
	if k.RateFrom != "configured" {
		words = append(words, "pace "+k.RateFrom)
	}
	if k.GateReason != nil {
		words = append(words, fmt.Sprintf("gated %s: %s", span(seconds(k.GateSeconds)), *k.GateReason))
	}
	if k.Breaker != "closed" {
		words = append(words, "breaker "+k.Breaker)
	}
	if k.Paused {
		words = append(words, "paused")
	}
	return strings.Join(words, ", ")
}

// boundText names the key that takes longest; empty for the number of workers.
func boundText(key string, left time.Duration) string {
	if key == "" {
		key = "max_workers"
	}
	return fmt.Sprintf("bound by %s: %s", key, span(left))
}
