package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/export"
	"github.com/quire-dev/quire/queue"
)

type exportBag struct {
	*app
	run, output string
}

func newExportBag(a *app) *cobra.Command {
	o := &exportBag{app: a}
	c := &cobra.Command{
		Use:   "bagit",
		Short: "A BagIt 1.0 bag (RFC 8493) of the files of works that are done",
		Long: `Make a bag (BagIt 1.0, RFC 8493) of the files of works that are done in a new
directory, which shows only when it is whole. Files are hard links to those in the
data directory where the file system can, else copies: don't change them. Each is
read and its checksum compared; a file that is missing or damaged is left out.

Exit codes: 0 all good, 3 some files were left out.`,
		Example: "  quire export bagit --output thesis-bag --run thesis\n" +
			"  cd thesis-bag && sha256sum -c --quiet manifest-sha256.txt",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	c.Flags().StringVar(&o.run, "run", "", "only of the batch with this `NAME`")
	c.Flags().StringVar(&o.output, "output", "", "make this `DIR`; needed")
	return c
}

func (o *exportBag) do(ctx context.Context) (err error) {
	if o.output == "" {
		return usage("export bagit needs --output DIR")
	}
	sys, err := o.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	opt := export.Options{Run: o.run, Version: quire.Version, States: []queue.State{queue.Done}}
	stop := o.meterFor(ctx, sys, &opt)
	defer stop()
	done, err := export.Bag(ctx, o.output, exportSource(sys), opt, o.data, func(id string, why error) {
		o.note("left out: %s: %v", id, why)
	})
	stop()
	if err != nil {
		return err
	}
	if o.json {
		err = o.printJSON(struct {
			Files   int    `json:"files"`
			Bytes   int64  `json:"bytes"`
			LeftOut int    `json:"left_out"`
			Output  string `json:"output"`
		}{done.Files, done.Bytes, done.LeftOut, o.output})
	} else {
		o.printf("%d files, %d bytes in %s, %d left out\n", done.Files, done.Bytes, printable(o.output), done.LeftOut)
	}
	if err == nil && done.LeftOut > 0 {
		o.tip("what is wrong with them: %s verify", o.self())
		err = &exitError{code: exitPartial}
	}
	return err
}
