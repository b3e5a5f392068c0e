package cli

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/intake"
)

type get struct {
	*app
	format, idColumn string
	order            string
}

func newGet(a *app) *cobra.Command {
	o := &get{app: a}
	c := &cobra.Command{
		Use:   "get [ID|FILE|-]...",
		Short: "Get the full text of works: import, run until drained, summary",
		Long: `Get the full text of works in one go. Arguments that name a file are imported
(- is stdin), all others are read as identifiers; then the queue is run until
nothing is left, and a summary tells what came of it. Whatever the queue held
before is got too.

Stop it with Ctrl-C and start it again: it goes on where it was. SIGHUP makes it
read its limits again, as it does queue run.

Exit codes: 0 all good, 3 some works ended in error or some rows were rejected,
4 configuration (a contact address is needed), 130 interrupted.`,
		Example: `  quire get 10.1371/journal.pone.0000001 --contact you@university.edu
  quire get dois.txt more.csv library.bib
  grep -o '10\.[0-9]*/[^ ]*' notes.txt | quire get -`,
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args) },
	}
	c.Flags().StringVar(&o.format, "format", "auto", "`FORMAT` of files: one of "+strings.Join(intake.Formats(), ", "))
	c.Flags().StringVar(&o.idColumn, "id-column", "", "`COLUMN` (CSV) or field (JSONL) that holds the identifier")
	c.Flags().StringVar(&o.order, "order", "", orderUsage)
	return c
}

func (o *get) do(ctx context.Context, args []string) error {
	if _, err := intakeOptions("", o.format, o.idColumn); err != nil {
		return err
	}
	var flags map[string]string
	if o.order != "" {
		flags = map[string]string{"resolvers.order": o.order}
	}
	settings, err := o.follow(flags)
	if err != nil {
		return err
	}
	fill := func(ctx context.Context, sys *quire.System) (added, error) { return o.fill(ctx, sys, args) }
	return o.harvest(ctx, settings.began.Config.library(), settings, quire.RunOptions{Drain: true}, fill)
}

// fill queues what the arguments name.
func (o *get) fill(ctx context.Context, sys *quire.System, args []string) (sum added, err error) {
	run := newRunName("get")
	ad := o.adder(sys, quire.AddOptions{Run: run}, "")
	ad.ifNoID = ", and there is no such file"
	defer func() { err = errors.Join(err, ad.close()) }()
	var ids []string
	for _, arg := range args {
		if !isFile(arg) {
			ids = append(ids, arg)
			continue
		}
		in, err := o.input(ctx, "import", arg, false)
		if err != nil {
			return ad.sum, err
		}
		opt, err := intakeOptions(arg, o.format, o.idColumn)
		if err != nil {
			return ad.sum, err
		}
		ad.rejects = rejectsPath(o.data, run)
		err = errors.Join(ad.stream(ctx, arg, in, opt), in.Close())
		if err != nil {
			return ad.sum, err
		}
	}
	if err := ad.ids(ctx, ids); err != nil {
		return ad.sum, err
	}
	if len(args) > 0 {
		o.note("%d added, %d already known, %d rejected", ad.sum.Added, ad.sum.Known, ad.sum.Rejected)
	}
	if ad.sum.RejectsFile != nil {
		o.note("rejected rows, with line and reason: %s", *ad.sum.RejectsFile)
	}
	return ad.sum, nil
}

// isFile reports whether an argument names something to import.
func isFile(arg string) bool {
	about, err := os.Stat(arg)
	return arg == "-" || err == nil && !about.IsDir()
}
