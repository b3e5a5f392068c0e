package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
)

// newSources is the parent of the commands on sources.
func newSources(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "sources",
		Short: "List sources, and prepare those that answer without the network",
	}
	c.AddCommand(newSourcesList(a), newImportUnpaywall(a))
	return c
}

type importUnpaywall struct {
	*app
	index string
}

func newImportUnpaywall(a *app) *cobra.Command {
	o := &importUnpaywall{app: a}
	c := &cobra.Command{
		Use:   "import-unpaywall FILE",
		Short: "Make an index of a dump of Unpaywall",
		Long: `Read a dump of Unpaywall (.jsonl or .jsonl.gz, one record a line; - is stdin) and
make an index of it, from which the source unpaywall answers without a request
if resolvers.unpaywall.dump names it. The service's limit of 100,000 requests a
day is then none.

An index that is there is replaced once the new one is whole; if the import is
interrupted it stays as it was, and the next import starts from the beginning.
Lines that are no record, or longer than 1 MiB, are left out.

Exit code 3: some lines were left out.`,
		Example: `  quire sources import-unpaywall unpaywall_snapshot.jsonl.gz
  QUIRE_RESOLVERS_UNPAYWALL_DUMP=quire-data/unpaywall.db quire queue run --drain`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("sources import-unpaywall takes one FILE, or - for stdin")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.index, "index", "", "`FILE` that the index is made in (default DIR/unpaywall.db)")
	return c
}

func (o *importUnpaywall) do(ctx context.Context, name string) (err error) {
	index := cmp.Or(o.index, filepath.Join(o.data, "unpaywall.db"))
	in, err := o.input(ctx, "import", name, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if o.index == "" {
		if err := os.MkdirAll(o.data, 0o750); err != nil {
			return fmt.Errorf("create data directory: %w", err)
		}
	}
	seen, size := &tallied{Reader: in}, sizeOf(in)
	var lines atomic.Int64
	stop := o.meter("importing "+shortName(name), func() reading {
		r := reading{unit: "lines", done: lines.Load(), read: seen.n.Load(), size: size}
		if size > 0 && r.read >= size {
			r.also = "putting them in order"
		}
		return r
	})
	rep, err := quire.ImportUnpaywall(ctx, seen, index, func(rep quire.DumpReport) { lines.Store(rep.Lines) })
	stop()
	if errors.Is(err, context.Canceled) && o.env.Signal() != nil {
		return &exitError{exitInterrupted, errors.New("interrupted: the index is as it was; run it again to start from the beginning")}
	}
	if err != nil {
		return err
	}
	return o.told(rep, index)
}

func (o *importUnpaywall) told(rep quire.DumpReport, index string) error {
	for _, bad := range rep.First {
		o.note("line %d: %v", bad.Number, bad.Err)
	}
	if more := rep.Bad - int64(len(rep.First)); more > 0 {
		o.note("and %d more", more)
	}
	if o.json {
		if err := o.printJSON(map[string]any{"lines": rep.Lines, "records": rep.Records, "bad": rep.Bad, "index": index}); err != nil {
			return err
		}
	} else {
		o.printf("%d records, %d bad lines\n", rep.Records, rep.Bad)
		whole, err := filepath.Abs(index) // in the file, a path is relative to the file
		if err != nil {
			return err
		}
		o.note("to have unpaywall answer from it: resolvers: {unpaywall: {dump: %q}}", whole)
	}
	if rep.Bad > 0 {
		return &exitError{code: exitPartial}
	}
	return nil
}
