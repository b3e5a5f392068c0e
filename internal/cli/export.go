package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/export"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// exportCmd is one of the exports; they differ in what write does.
type exportCmd struct {
	*app
	states      []string
	run, output string
	write       func(ctx context.Context, w io.Writer, src report.Source, opt export.Options) (int, error)
}

func newExport(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: "Write finished works for other programs: manifest, CSV, BibTeX, BagIt",
		Long: `Write what is known of finished works in a format for other programs, to stdout or
to a file, which shows only when it is whole. Nothing of the data is changed.`,
	}
	lines := &exportCmd{app: a, write: export.Manifest}
	table := &exportCmd{app: a, write: export.CSV}
	library := &exportCmd{app: a, states: []string{string(queue.Done)}}
	library.write = func(ctx context.Context, w io.Writer, src report.Source, opt export.Options) (int, error) {
		return export.BibTeX(ctx, w, src, opt, a.data, filepath.Dir(library.output))
	}
	c.AddCommand(
		lines.command("manifest", "A line of JSON per finished work, as in manifest.jsonl",
			"  quire export manifest --state done | jq -r .path", true),
		table.command("csv", "A table with a row per finished work, safe for spreadsheets",
			"  quire export csv --output works.csv", true),
		library.command("bibtex", "A BibTeX entry per work that is done, with the path of its file",
			"  quire export bibtex --run thesis --output thesis.bib", false),
		newExportBag(a),
	)
	return c
}

func (o *exportCmd) command(name, short, example string, states bool) *cobra.Command {
	c := &cobra.Command{
		Use: name, Short: short, Example: example, Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	if states {
		c.Flags().StringSliceVar(&o.states, "state", nil, "only in this `STATE`: "+words(finalStates()))
	}
	c.Flags().StringVar(&o.run, "run", "", "only of the batch with this `NAME`")
	c.Flags().StringVar(&o.output, "output", "", "write to this `FILE` (default: stdout)")
	return c
}

func finalStates() []queue.State { return []queue.State{queue.Done, queue.Skipped, queue.Error} }

func (o *exportCmd) do(ctx context.Context) (err error) {
	opt := export.Options{Run: o.run, Version: quire.Version}
	for _, s := range o.states {
		if !slices.Contains(finalStates(), queue.State(s)) {
			return usage("--state %q: must be one of %s", s, words(finalStates()))
		}
		opt.States = append(opt.States, queue.State(s))
	}
	if err := o.checkOutput(); err != nil {
		return err
	}
	sys, err := o.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	if o.output == "" || o.output == "-" {
		if !o.out.lines { // else the output itself shows how far it is
			defer o.meterFor(ctx, sys, &opt)()
		}
		_, err := o.write(ctx, wanted{o.out}, exportSource(sys), opt)
		if errors.Is(err, errUnwanted) {
			err = nil
		}
		return err
	}
	stop := o.meterFor(ctx, sys, &opt)
	defer stop()
	n := 0
	err = writeFile(o.output, func(w io.Writer) error {
		n, err = o.write(ctx, w, exportSource(sys), opt)
		return err
	})
	stop()
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if o.json {
		return o.printJSON(struct {
			Exported int    `json:"exported"`
			Output   string `json:"output"`
		}{n, o.output})
	}
	o.printf("%d exported to %s\n", n, printable(o.output))
	return nil
}

// meterFor shows how far an export is, until it is stopped.
func (a *app) meterFor(ctx context.Context, sys *quire.System, opt *export.Options) (stop func()) {
	f := queue.Filter{States: opt.States, Run: opt.Run}
	if len(f.States) == 0 {
		f.States = finalStates()
	}
	var written counter
	opt.Told = written.changed()
	return a.meter("exporting", written.look(a.totalOf(ctx, sys, f)))
}

// checkOutput refuses to write over what is the queue's own.
func (o *exportCmd) checkOutput() error {
	to, missing := os.Stat(o.output)
	for _, own := range []string{"quire.db", "manifest.jsonl", "shared.jsonl", "quire.yaml"} {
		if about, err := os.Stat(filepath.Join(o.data, own)); err == nil && missing == nil && os.SameFile(about, to) {
			return usage("--output %s is the data's own: name another file", o.output)
		}
	}
	return nil
}

// exportSource is what exports read.
func exportSource(sys *quire.System) report.Source {
	return struct {
		queue.Inspector
		paper.Catalog
	}{sys.Queue(), sys.Catalog()}
}

// wanted is stdout as long as somebody reads it.
type wanted struct{ out *stdout }

var errUnwanted = errors.New("nobody reads the output")

func (w wanted) Write(p []byte) (int, error) {
	if w.out.gone() {
		return 0, errUnwanted
	}
	return w.out.Write(p)
}
