package cli

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

type planCmd struct {
	*app
	format, idColumn string
}

func newPlan(a *app) *cobra.Command {
	o := &planCmd{app: a}
	c := &cobra.Command{
		Use:   "plan FILE|-...",
		Short: "Tell before running what calls, hours and bytes it will take",
		Long: `Tell what getting the works of files (or of stdin, -) will take, before running,
without any request: how many works each source will be asked about and in how
many calls, how long each host and source takes within its limits, how many
bytes come, which key binds and what can be done about it.

What is expected rests on assumptions, which are listed, with where they are
from. Two bounds do not: "least" holds if each work gets its file from the first
source that could give it, "most" if all sources are asked about all works in
vain. Works that the queue, if there is one, has got already or ended otherwise
are not counted, nor are rows that name a work again.

Exit codes: 0 all good, 1 a file can't be read, 4 configuration.`,
		Example: `  quire plan dois.txt
  quire plan works.csv --id-column DOI --json | jq '.keys[0]'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("plan needs a FILE, or - for stdin")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.do(c.Context(), args) },
	}
	c.Flags().StringVar(&o.format, "format", "auto", "`FORMAT` of files: one of "+strings.Join(intake.Formats(), ", "))
	c.Flags().StringVar(&o.idColumn, "id-column", "", "`COLUMN` (CSV) or field (JSONL) that holds the identifier")
	return c
}

func (o *planCmd) do(ctx context.Context, names []string) (err error) {
	cfg, err := o.settings(nil)
	if err != nil {
		return err
	}
	planner, err := newPlanner(cfg)
	if err != nil {
		return err
	}
	works := &planned{planner: planner, seen: make(map[uint64]struct{}), seed: maphash.MakeSeed()}
	sys, err := o.peek(ctx, cfg)
	switch {
	case err == nil:
		works.queue = sys.Queue()
		defer func() { err = errors.Join(err, sys.Close()) }()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for _, name := range names {
		if err := o.read(ctx, name, works); err != nil {
			return err
		}
	}
	p := planner.Plan()
	p.Duplicates, p.Rejected, p.Done, p.Ended = works.duplicates, works.rejected, works.done, works.ended
	if o.json {
		return o.printJSON(p)
	}
	if err := writePlan(o.out, p); err != nil {
		return err
	}
	if p.Works > 0 && !slices.Contains(names, "-") {
		o.tip("get them: %s get%s", o.self(), shellWords(names))
	}
	return nil
}

// newPlanner makes a planner for the sources and limits in force.
func newPlanner(cfg quire.Config) (*report.Planner, error) {
	sources, err := sourcesOf(cfg)
	if err != nil {
		return nil, err
	}
	all := cfg.Allowances()
	return report.NewPlanner(sources, func(key string) report.PlanLimit {
		l := all.Of(key)
		return report.PlanLimit{Key: l.Key, InFlight: l.InFlight, PerSecond: l.PerSecond(), Batch: l.Batch, Daily: l.Daily}
	}, cfg.Workers), nil
}

// sourcesOf sets the sources up that are in force, to be looked at: none of them
// can be asked over the network, so they need no contact.
func sourcesOf(cfg quire.Config) (sources []paper.Resolver, err error) {
	for _, s := range cfg.Sources {
		r, err := resolver.New(s.Name, resolver.Config{BaseURL: s.BaseURL, Contact: "unset@quire.invalid"}, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", quire.ErrConfig, err)
		}
		sources = append(sources, r)
	}
	return sources, nil
}

func (o *planCmd) read(ctx context.Context, name string, works *planned) (err error) {
	opt, err := intakeOptions(name, o.format, o.idColumn)
	if err != nil {
		return err
	}
	in, err := o.input(ctx, "plan", name, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	seen, size := &tallied{Reader: in}, sizeOf(in)
	defer o.meter("reading "+shortName(name), func() reading {
		return reading{unit: "rows", done: works.rows.Load(), read: seen.n.Load(), size: size}
	})()
	return works.read(ctx, name, seen, opt)
}

// planned reads works into a planner.
type planned struct {
	planner *report.Planner
	queue   queue.Inspector // nil: there is none

	duplicates, rejected, done, ended int

	rows atomic.Int64 // met, of all files

	seen  map[uint64]struct{} // hashes of the ids met
	seed  maphash.Seed
	batch []paper.Artifact
}

// maxSeen is how many works are told apart from works met before, in some 80 MiB.
const maxSeen = 4_000_000

func (p *planned) read(ctx context.Context, name string, in io.Reader, opt intake.Options) error {
	for row, err := range intake.Read(in, opt) {
		p.rows.Add(1)
		if _, ok := errors.AsType[*intake.Reject](err); ok {
			p.rejected++
			continue
		}
		if err != nil {
			return fmt.Errorf("plan: read %s: %w", name, err)
		}
		if p.known(row.Artifact.ID) {
			p.duplicates++
			continue
		}
		p.batch = append(p.batch, row.Artifact)
		if len(p.batch) == batchRows {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
	return p.flush(ctx)
}

// known remembers an id and reports whether it was met before.
func (p *planned) known(id string) bool {
	sum := maphash.String(p.seed, id)
	if _, ok := p.seen[sum]; ok {
		return true
	}
	if len(p.seen) < maxSeen {
		p.seen[sum] = struct{}{}
	}
	return false
}

// flush plans the works of the batch that are not finished yet.
func (p *planned) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	finished, err := p.finished(ctx)
	if err != nil {
		return err
	}
	for _, a := range p.batch {
		switch finished[a.ID] {
		case queue.Done:
			p.done++
		case queue.Skipped, queue.Error:
			p.ended++
		default:
			p.planner.Add(ctx, a)
		}
	}
	p.batch = p.batch[:0]
	return nil
}

// finished returns the states of those in the batch whose jobs are over.
func (p *planned) finished(ctx context.Context) (map[string]queue.State, error) {
	if p.queue == nil || len(p.batch) == 0 {
		return nil, nil
	}
	f := queue.Filter{States: finished()}
	for _, a := range p.batch {
		f.ArtifactIDs = append(f.ArtifactIDs, a.ID)
	}
	jobs, err := p.queue.Jobs(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("plan: read jobs: %w", err)
	}
	states := make(map[string]queue.State, len(jobs))
	for _, j := range jobs {
		states[j.ArtifactID] = j.State
	}
	return states, nil
}
