package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
)

type enqueue struct {
	*app
	priority int
	hint     string
	run      string
}

func newEnqueue(a *app) *cobra.Command {
	o := &enqueue{app: a}
	c := &cobra.Command{
		Use:   "enqueue ID...",
		Short: "Queue artifacts by identifier; known ones are left alone",
		Long: `Queue artifacts by identifier: DOIs, arXiv ids, PMCIDs, PMIDs, OpenAlex ids and
URLs, in any form people write them. An artifact that is known already, in
whatever state, is left alone: queueing twice is safe.

Exit code 3: some identifiers could not be read.`,
		Example: `  quire queue enqueue 10.1371/journal.pone.0000001 arXiv:2101.00001v2 PMC1790863`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("queue enqueue needs at least one identifier; for files there is `quire queue import`")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args) },
	}
	c.Flags().IntVar(&o.priority, "priority", 0, "`N`: higher is sooner")
	c.Flags().StringVar(&o.hint, "resolver-hint", "", "`RESOLVER` to ask first")
	c.Flags().StringVar(&o.run, "run", "", "`NAME` of the batch (default: made from the time)")
	return c
}

func (o *enqueue) do(ctx context.Context, ids []string) (err error) {
	cfg, err := o.settings(nil)
	if err != nil {
		return err
	}
	if err := checkHint(o.hint, cfg); err != nil {
		return err
	}
	sys, err := o.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	if o.run == "" {
		o.run = newRunName("enqueue")
	}
	ad := o.adder(sys, quire.AddOptions{Run: o.run, Priority: o.priority}, o.hint)
	if err := ad.ids(ctx, ids); err != nil {
		return err
	}
	if err := ad.sum.print(o.app); err != nil {
		return err
	}
	o.tipRun(ad.sum.Added)
	return ad.sum.rejected()
}

// adder makes an adder that tells rejects on stderr.
func (a *app) adder(sys *quire.System, opt quire.AddOptions, hint string) *adder {
	return &adder{sys: sys, opt: opt, hint: hint, log: a.note, meter: a.meter, sum: added{Run: opt.Run}}
}

// checkHint refuses a resolver that is not there.
func checkHint(hint string, cfg quire.Config) error {
	if hint == "" {
		return nil
	}
	var names []string
	for _, s := range cfg.Sources {
		if s.Name == hint {
			return nil
		}
		names = append(names, s.Name)
	}
	return usage("--resolver-hint %q: no such resolver is enabled; there are %s", hint, strings.Join(names, ", "))
}
