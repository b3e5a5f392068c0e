package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/internal/verify"
)

type verifyCmd struct {
	*app
	repair bool
	grace  time.Duration

	began    time.Time
	findings int // printed

	mu  sync.Mutex
	far reading // how far it is, for the meter
}

// defaultGrace is how old a file without a record must be to be told of: far longer
// than a step takes from storing it to its record.
const defaultGrace = time.Hour

func newVerify(a *app) *cobra.Command {
	o := &verifyCmd{app: a}
	c := &cobra.Command{
		Use:   "verify [--repair]",
		Short: "Check every stored file against the catalog, and put right what differs",
		Long: `Read every stored file from its first to its last byte, hash and judge it anew, and
hold files, links, sidecars and manifest against the catalog. Tells what is missing,
damaged, misnamed, nobody's or contradictory, a line each. Nothing is changed, not
even on a read-only disk, and a run may go on meanwhile.

With --repair files that are damaged or that no record names are moved to the
directory quarantine, and never deleted; works whose file is lost are queued again;
links, sidecars and manifest are made anew from the catalog. It has the queue to
itself meanwhile: it gives up if another process runs it, and a run that begins
waits.

Exit codes: 0 all is well; 3 something was found, repaired or not; 1 it could not go
on. See docs/verify.md.`,
		Example: `  quire verify
  quire verify --repair; quire queue run --drain
  quire --json verify | jq '.findings[] | select(.kind == "damaged")'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	c.Flags().BoolVar(&o.repair, "repair", false, "put right what can be")
	c.Flags().DurationVar(&o.grace, "grace", defaultGrace, "leave files alone that no record names and that are younger than `DUR`")
	return c
}

func (o *verifyCmd) do(ctx context.Context) error {
	if o.grace < 0 {
		return usage("--grace must not be negative")
	}
	if o.repair {
		return o.change(ctx, func(sys *quire.System) error { return o.verify(ctx, sys) })
	}
	cfg, err := o.settings(nil)
	if err != nil {
		return err
	}
	sys, err := o.lookWith(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(o.verify(ctx, sys), sys.Close())
}

func (o *verifyCmd) verify(ctx context.Context, sys *quire.System) error {
	o.began = time.Now()
	if o.json {
		o.printf(`{"findings":[`)
	}
	stop := o.meter("verifying", o.reading)
	defer stop()
	done, err := sys.Verify(ctx, quire.VerifyOptions{Repair: o.repair, Grace: o.grace, Found: o.found, Progress: o.progressed})
	stop()
	if errors.Is(err, errUnwanted) {
		return &exitError{code: exitPartial} // there was something to tell
	}
	if err != nil {
		if o.json { // a document all the same
			o.printf("],\"ok\":false,\"complete\":false}\n")
		}
		return err
	}
	if err := o.sum(done); err != nil {
		return err
	}
	if done.Sum() > 0 {
		return &exitError{code: exitPartial}
	}
	return nil
}

// foundJSON is the JSON shape of a finding.
type foundJSON struct {
	Kind       verify.Kind `json:"kind"`
	Path       *string     `json:"path"`
	ArtifactID *string     `json:"artifact_id"`
	Note       string      `json:"note"`
	Repair     *string     `json:"repair"`
}

// found prints a finding as it comes: there may be millions.
func (o *verifyCmd) found(f quire.Finding) error {
	if o.out.gone() && !o.repair {
		return errUnwanted
	}
	o.findings++
	if o.json {
		if o.findings > 1 {
			o.printf(",")
		}
		return o.printJSON(foundJSON{f.Kind, unlessZero(f.Path), unlessZero(f.ArtifactID), f.Note, unlessZero(f.Repair)})
	}
	parts := []string{fmt.Sprintf("%-10s", f.Kind)}
	for _, part := range []string{f.Path, f.ArtifactID} {
		if part != "" {
			parts = append(parts, printable(part))
		}
	}
	line := strings.Join(parts, "  ") + ": " + printable(f.Note)
	if f.Repair != "" {
		line += " -> " + printable(f.Repair)
	}
	o.printf("%s\n", line)
	return nil
}

// progressed takes in how far it is.
func (o *verifyCmd) progressed(c quire.Verified) {
	r := reading{unit: c.Now, done: int64(c.Seen), bytes: c.Bytes, also: fmt.Sprintf("%d findings", c.Sum())}
	if c.Now == "files" {
		r.of = int64(max(c.Works, c.Files)) // or more: not every file has a work
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.far = r
}

func (o *verifyCmd) reading() reading {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.far
}

// sum tells what came of it.
func (o *verifyCmd) sum(c quire.Verified) error {
	if o.json {
		counts := make(map[verify.Kind]int)
		for _, kind := range verify.Kinds() {
			counts[kind] = c.Findings[kind]
		}
		o.printf("],")
		return o.printJSONRest(struct {
			OK       bool                `json:"ok"`
			Complete bool                `json:"complete"`
			Works    int                 `json:"works"`
			Files    int                 `json:"files"`
			Bytes    int64               `json:"bytes"`
			Counts   map[verify.Kind]int `json:"counts"`
			Repaired int                 `json:"repaired"`
			Requeued int                 `json:"requeued"`
			Elapsed  float64             `json:"elapsed_seconds"`
		}{c.Sum() == 0, true, c.Works, c.Files, c.Bytes, counts, c.Repaired, c.Requeued, time.Since(o.began).Seconds()})
	}
	o.printf("%d works done, %d files, %s: %d findings", c.Works, c.Files, report.Size(c.Bytes), c.Sum())
	if o.repair {
		o.printf(", %d repaired, %d works queued again", c.Repaired, c.Requeued)
	}
	o.printf("\n")
	switch self := printable(o.self()); {
	case o.repair && c.Requeued > 0:
		o.printf("get them again  %s queue run --drain\n", self)
	case !o.repair && c.Sum() > 0:
		o.printf("put it right    %s verify --repair\n", self)
	}
	return nil
}
