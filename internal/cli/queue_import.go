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
		Use:   "import FILE|-...",
		Short: "Queue the artifacts of files, of any size",
		Long: `Queue the artifacts of files or of stdin (-), compressed with gzip or not, of any
size: identifiers, a table, or a bibliography (BibTeX, RIS, CSL-JSON, records of
Unpaywall or OpenAlex). The format is told from a file's name and contents. Rows
that can't be used are written to a rejects file with their line number and the
reason; all others are queued. Several files are one batch, with one rejects file
and one sum. Importing is idempotent: after an interruption import the same again.

Exit codes: 0 all good, 3 some rows were rejected, 130 interrupted.`,
		Example: `  quire queue import dois.txt
  quire queue import works.csv --id-column DOI --run thesis
  quire queue import library.bib --dry-run
  quire queue import lists/*.csv --run lists
  zcat dump.jsonl.gz | quire queue import - --format unpaywall`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || slices.Contains(args, "") {
				return usage("queue import needs a FILE, or - for stdin; got %q", args)
			}
			if at := slices.Index(args, "-"); at >= 0 && slices.Contains(args[at+1:], "-") {
				return usage("queue import can read stdin (-) once")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "auto", "`FORMAT`: one of "+strings.Join(intake.Formats(), ", "))
	f.StringVar(&o.idColumn, "id-column", "", "`COLUMN` (CSV) or field (JSONL) that holds the identifier")
	f.StringVar(&o.run, "run", "", "`NAME` of the batch (default: made from the file's name, or import for several, and the time)")
	f.IntVar(&o.priority, "priority", 0, "`N`: higher is sooner")
	f.BoolVar(&o.strict, "strict", false, "all or nothing: queue nothing if a row of any file can't be used")
	f.BoolVar(&o.dryRun, "dry-run", false, "only read and count; rejected rows are told on stderr unless --rejects is given")
	f.StringVar(&o.rejects, "rejects", "", "`FILE` for rejected rows (default DIR/rejects/NAME.jsonl)")
	return c
}

func (o *importCmd) do(ctx context.Context, names []string) (err error) {
	cfg, err := o.settings(nil)
	if err != nil {
		return err
	}
	files, err := o.files(ctx, names)
	defer func() {
		for _, f := range files {
			err = errors.Join(err, f.in.Close())
		}
	}()
	if err != nil {
		return err
	}
	o.defaults(names)
	if o.strict && !o.dryRun {
		sum, err := o.pass(ctx, nil, files)
		if err != nil {
			return err
		}
		if sum.Rejected > 0 {
			sum.Added = 0
			return errors.Join(sum.print(o.app), sum.rejected())
		}
		for _, f := range files {
			if err := rewind(f.in); err != nil {
				return fmt.Errorf("read %s again: %w", f.name, err)
			}
		}
	}
	return o.queue(ctx, cfg, files)
}

// defaults names the batch and its rejects file, if the user did not.
func (o *importCmd) defaults(names []string) {
	if o.run == "" {
		kind := "import"
		if len(names) == 1 {
			kind = baseName(names[0])
		}
		o.run = newRunName(kind)
	}
	if o.rejects == "" && !o.dryRun {
		o.rejects = rejectsPath(o.data, o.run)
	}
}

// queue reads the files, queues what they name, and tells of it.
func (o *importCmd) queue(ctx context.Context, cfg quire.Config, files []importFile) (err error) {
	var sys *quire.System
	if !o.dryRun {
		if sys, err = o.open(ctx, cfg); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sys.Close()) }()
	}
	sum, err := o.pass(ctx, sys, files)
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

// importFile is a file to import, open.
type importFile struct {
	name string
	in   io.ReadCloser
	opt  intake.Options
}

// files opens all files, so that nothing is queued if one is not there. Who calls must
// close those that it returns, with an error too.
func (o *importCmd) files(ctx context.Context, names []string) (files []importFile, err error) {
	for _, name := range names {
		opt, err := intakeOptions(name, o.format, o.idColumn)
		if err != nil {
			return files, err
		}
		opt.NeedsColumn = len(names) == 1 // several may be of several formats
		if err := checkRejects(o.rejects, name); err != nil {
			return files, err
		}
		in, err := o.input(ctx, "import", name, o.strict)
		if err != nil {
			return files, err
		}
		files = append(files, importFile{name, in, opt})
	}
	return files, nil
}

// pass reads the files once, in turn, queueing their rows if sys is not nil.
func (o *importCmd) pass(ctx context.Context, sys *quire.System, files []importFile) (sum added, err error) {
	ad := o.adder(sys, quire.AddOptions{Run: o.run, Priority: o.priority}, "")
	ad.rejects = o.rejects
	defer func() { err = errors.Join(err, ad.close()) }()
	for _, f := range files {
		if err := ad.stream(ctx, f.name, f.in, f.opt); err != nil {
			return ad.sum, err
		}
	}
	return ad.sum, nil
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
