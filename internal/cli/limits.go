package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
)

type limits struct{ *app }

func newLimits(a *app) *cobra.Command {
	o := &limits{app: a}
	return &cobra.Command{
		Use:   "limits [KEY]...",
		Short: "Show what each host and source is asked to bear, and who says so",
		Long: `Show the limits in force, for every key that the shipped table, the configuration
or the queue names, or for the KEYs given, such as host:arxiv.org or
resolver:crossref, with all that is known of each.

  in flight  requests at once; "2 to 4": it starts with 2 and gets 4 after 20
             good answers
  pace       least time between the starts of two requests, or starts a second
  burst      requests that may start at once after a rest
  batch      works that one request asks for
  daily      requests in a day of UTC
  group      keys that share a cap: the hosts of a domain

A value is from the shipped table, from a line of the configuration file, a
variable or a flag, or a default. What a host has announced, or a run has learnt
from its refusals, narrows it; runs note that every ten seconds, and the next one
goes on from there. The configuration changes limits by key:

  limits:
    host:arxiv.org: {in_flight: 1, every: 3s}

Exit codes: 0 all good, 2 a KEY is none, 4 configuration.`,
		Example: `  quire limits
  quire limits host:arxiv.org resolver:crossref
  quire limits --json | jq 'select(.from.per_second == "learnt")'`,
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args) },
	}
}

func (o *limits) do(ctx context.Context, args []string) error {
	var keys []string
	for _, arg := range args {
		key, err := keyLimits{}.normalKey(arg)
		switch {
		case errors.Is(err, errUnknownKey):
			return usage("limits of %s: is no key such as host:arxiv.org or resolver:crossref", arg)
		case err != nil:
			return usage("limits of %s: %v", arg, err)
		}
		keys = append(keys, key)
	}
	l, err := o.load(nil)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if name, ok := strings.CutPrefix(key, "resolver:"); ok {
			if err := l.Config.Resolvers.check(name); err != nil {
				return usage("limits of %s: %v", key, err)
			}
		}
	}
	cfg := l.Config.library()
	noted, queued, err := o.queued(ctx, cfg)
	if err != nil {
		return err
	}
	all := cfg.Allowances()
	if len(args) == 0 {
		keys = slices.Concat(all.Named(), queued)
	}
	rows := make(map[string]report.Limit)
	for _, key := range keys {
		allowed := all.Of(key)
		rows[allowed.Key] = l.limit(allowed, noted[allowed.Key])
	}
	return o.print(slices.SortedFunc(maps.Values(rows), func(a, b report.Limit) int {
		return strings.Compare(a.Key, b.Key)
	}), len(args) > 0)
}

// queued returns what the queue, if there is one, has noted of keys, and which
// have unfinished jobs.
func (o *limits) queued(ctx context.Context, cfg quire.Config) (noted map[string]quire.KeyState, keys []string, err error) {
	sys, err := o.peek(ctx, cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	if noted, err = sys.Noted(ctx); err != nil {
		return nil, nil, err
	}
	s, err := sys.Queue().Stats(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("count jobs: %w", err)
	}
	for _, k := range s.Keys {
		if k.Ready+k.Delayed+k.InFlight > 0 {
			keys = append(keys, k.Key)
		}
	}
	return noted, keys, nil
}

func (o *limits) print(rows []report.Limit, whole bool) error {
	if o.json {
		for _, r := range rows {
			if err := o.printJSON(r); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	if whole {
		for i, r := range rows {
			if i > 0 {
				fmt.Fprintln(table)
			}
			writeLimit(table, r)
		}
		return table.Flush()
	}
	fmt.Fprintln(table, "key\tin flight\tpace\tburst\tbatch\tdaily\tgroup\tfrom")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", printable(r.Key), inFlightText(r), paceText(r), r.Burst, r.Batch,
			countText(r.Daily, "any"), groupText(r), printable(summedUp(r)))
	}
	return table.Flush()
}
