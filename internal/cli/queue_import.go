package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/intake"
)

type importCmd struct {
	*app
	format, idColumn, run, rejects string
	priority                       int
	strict, dryRun                 bool
}

func newImport(a *app) *cobra.Command {
	o := &importCmd{app: a}
	c := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Queue the artifacts of a file, of any size",
		Long: `Queue the artifacts of a file or of stdin (-), compressed with gzip or not, of any
size: identifiers, a table, or a bibliography (BibTeX, RIS, CSL-JSON, records of
Unpaywall or OpenAlex). The format is told from the file's name and contents. Rows that can't be used are written to a rejects file with their line
number and the reason; all others are queued. Importing is idempotent: after an
interruption import the same file again.

Exit codes: 0 all good, 3 some rows were rejected, 130 interrupted.`,
		Example: `  quire queue import dois.txt
  quire queue import works.csv --id-column DOI --run thesis
  quire queue import library.bib --dry-run
  zcat dump.jsonl.gz | quire queue import - --format unpaywall`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usage("queue import needs one FILE, or - for stdin; got %q", args)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "auto", "`FORMAT`: one of "+strings.Join(intake.Formats(), ", "))
	f.StringVar(&o.idColumn, "id-column", "", "`COLUMN` (CSV) or field (JSONL) that holds the identifier")
	f.StringVar(&o.run, "run", "", "`NAME` of the batch (default: made from the file's name and the time)")
	f.IntVar(&o.priority, "priority", 0, "`N`: higher is sooner")
	f.BoolVar(&o.strict, "strict", false, "all or nothing: queue nothing if a row can't be used")
	f.BoolVar(&o.dryRun, "dry-run", false, "only read and count; rejected rows are told on stderr unless --rejects is given")
	f.StringVar(&o.rejects, "rejects", "", "`FILE` for rejected rows (default DIR/rejects/NAME.jsonl)")
	return c
}

func (o *importCmd) do(ctx context.Context, name string) (err error) {
	opt, err := intakeOptions(name, o.format, o.idColumn)
	if err != nil {
		return err
	}
	cfg, err := o.settings(nil)
	if err != nil {
		return err
	}
	opt.NeedsColumn = true
	if err := checkRejects(o.rejects, name); err != nil {
		return err
	}
	if o.run == "" {
		o.run = newRunName(baseName(name))
	}
	if o.rejects == "" && !o.dryRun {
		o.rejects = rejectsPath(o.data, o.run)
	}
	in, err := o.input(ctx, "import", name, o.strict)
	if err != nil {
		return err
	}
	defer in.Close()
	if o.strict && !o.dryRun {
		sum, err := o.pass(ctx, nil, name, in, opt)
		if err != nil {
			return err
		}
		if sum.Rejected > 0 {
			sum.Added = 0
			return errors.Join(sum.print(o.app), sum.rejected())
		}
		if err := rewind(in); err != nil {
			return fmt.Errorf("read %s again: %w", name, err)
		}
	}
	var sys *quire.System
	if !o.dryRun {
		if sys, err = o.open(ctx, cfg); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sys.Close()) }()
	}
	sum, err := o.pass(ctx, sys, name, in, opt)
	switch {
	case err != nil && sum.Added+sum.Known+sum.Rejected > 0:
		return fmt.Errorf("%w (before that: %d added, %d already known, %d rejected)", err, sum.Added, sum.Known, sum.Rejected)
	case err != nil:
		return fmt.Errorf("%w (before that: nothing)", err)
	}
	if err := sum.print(o.app); err != nil {
		return err
	}
	if o.dryRun {
		o.tip("nothing was queued: without --dry-run it is")
	} else {
		o.tipRun(sum.Added)
	}
	return sum.rejected()
}

// pass reads the file once, queueing its rows if sys is not nil.
func (o *importCmd) pass(ctx context.Context, sys *quire.System, name string, in io.Reader, opt intake.Options) (sum added, err error) {
	ad := o.adder(sys, quire.AddOptions{Run: o.run, Priority: o.priority}, "")
	ad.rejects = o.rejects
	defer func() { err = errors.Join(err, ad.close()) }()
	err = ad.stream(ctx, name, in, opt)
	return ad.sum, err
}

// checkRejects refuses to write the rejects over what is read.
func checkRejects(rejects, input string) error {
	from, err := os.Stat(input)
	to, missing := os.Stat(rejects)
	if err == nil && missing == nil && os.SameFile(from, to) && from.Mode().IsRegular() {
		return usage("--rejects %s is the file that is read: name another", rejects)
	}
	return nil
}

func rewind(in io.Reader) error {
	again, ok := in.(io.Seeker)
	if !ok {
		return errors.ErrUnsupported
	}
	_, err := again.Seek(0, io.SeekStart)
	return err
}

func intakeOptions(name, format, idColumn string) (intake.Options, error) {
	if !slices.Contains(intake.Formats(), format) {
		return intake.Options{}, usage("--format %q: must be one of %s", format, strings.Join(intake.Formats(), ", "))
	}
	if f := intake.Format(format); idColumn != "" && f != intake.Auto && f != intake.CSV && f != intake.JSONL {
		return intake.Options{}, usage("--id-column is for csv and jsonl, not for %s", format)
	}
	return intake.Options{Name: name, Format: intake.Format(format), IDColumn: idColumn}, nil
}

// baseName is a file's name without folder and endings, for naming a run.
func baseName(name string) string {
	if name == "-" {
		return "stdin"
	}
	base, _, _ := strings.Cut(filepath.Base(name), ".")
	return base
}
