package cli

import (
	"context"
	"errors"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/progress"
)

type runCmd struct {
	*app
	workers int
	order   string
	opt     quire.RunOptions
}

func newRun(a *app) *cobra.Command {
	o := &runCmd{app: a}
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the queue",
		Long: `Run the queue: ask sources, download, check and store, within every host's limits.
Without --drain it goes on and waits for new jobs until it is told to stop.

The first SIGINT (Ctrl-C) or SIGTERM lets running requests finish (orchestrator.grace)
and hands everything else back; the second one ends the program at once. Either
way nothing is lost: run it again and it goes on.

SIGHUP makes it read the configuration again: new limits (those of limits,
orchestrator.max_per_host, max_per_domain and max_per_resolver, and retry.breaker)
are in force at once, and the log says which; with a configuration that is wrong
the old ones stay. When the terminal goes away SIGHUP stops the run like SIGTERM,
but not under nohup.

One process at a time runs a queue; a second one waits and takes over. A run that
was taken for dead, and whose queue another one runs now, stops with an error.

Where a host or source asks for less, keeps failing or answers again, the log says
so; with --log-format json it has a line "key" for each such change. The progress
names the key that takes longest, and at least how long: no run can end sooner.

Exit codes: 0 all good, or told to stop by SIGTERM without --drain; 3 some jobs
ended in error; 4 configuration (a contact address is needed); 130 interrupted.`,
		Example: `  quire queue run --drain
  quire queue run --for 8h --max-workers 16`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	f := c.Flags()
	f.BoolVar(&o.opt.Drain, "drain", false, "stop when nothing is queued, leased or delayed, but for what is paused")
	f.IntVar(&o.workers, "max-workers", 0, "at most `N` requests in flight at once, over all keys (default 32)")
	f.StringVar(&o.order, "order", "", orderUsage)
	f.IntVar(&o.opt.MaxJobs, "max-jobs", 0, "stop when `N` jobs have finished")
	f.DurationVar(&o.opt.For, "for", 0, "stop after `DUR`, such as 8h")
	return c
}

// orderUsage describes --order, which get has too.
const orderUsage = "the `SOURCES` that are asked, first to last, with commas (default: resolvers.order)"

func (o *runCmd) do(ctx context.Context) error {
	if o.opt.MaxJobs < 0 || o.opt.For < 0 || o.workers < 0 {
		return usage("--max-workers, --max-jobs and --for must not be negative")
	}
	flags := make(map[string]string)
	if o.workers > 0 {
		flags["orchestrator.max_workers"] = strconv.Itoa(o.workers)
	}
	if o.order != "" {
		flags["resolvers.order"] = o.order
	}
	settings, err := o.follow(flags)
	if err != nil {
		return err
	}
	return o.harvest(ctx, settings.began.Config.library(), settings, o.opt, nil)
}

// harvest opens the data directory, fills the queue with fill if it is not nil,
// runs it and tells what came of it.
// settings, if not nil, is where cfg is from, and keeps its limits up to date.
func (a *app) harvest(ctx context.Context, cfg quire.Config, settings *follower, opt quire.RunOptions,
	fill func(context.Context, *quire.System) (added, error),
) (err error) {
	watch := newWatch(a)
	cfg.Observe, cfg.ObserveKey, cfg.Trace, cfg.Log = watch.observe, watch.keys.observe, watch.tracer(ctx), watch.log
	missing := a.missing(ctx)
	sys, err := a.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	defer settings.start(ctx, sys, cfg.Log)()
	var in added
	if fill != nil {
		if in, err = fill(ctx, sys); err != nil {
			return err
		}
	}
	if missing && in.Added+in.Rejected == 0 {
		where, flag := a.where(cfg)
		a.note("there was no queue in %s, and the new one is empty: fill it with `%s queue import FILE` or name another with %s", where, a.self(), flag)
	}
	untold := context.AfterFunc(ctx, func() { watch.stopping(cfg.Grace) })
	defer untold()
	watch.run = progress.New()
	stop := watch.start(ctx, sys)
	sum, err := sys.Run(ctx, opt)
	stop()
	if err != nil {
		return err
	}
	if err := watch.summary(sum, in); err != nil {
		return err
	}
	return a.runCode(ctx, sum, in, opt)
}

// runCode says how a run ended. A service that is told to stop has done its
// work; a drain that is told to stop has not.
func (a *app) runCode(ctx context.Context, sum quire.Summary, in added, opt quire.RunOptions) error {
	sig := a.env.Signal()
	switch {
	case ctx.Err() != nil && (opt.Drain || sig == os.Interrupt) && !sum.Drained:
		return &exitError{code: exitInterrupted}
	case ctx.Err() != nil && !opt.Drain:
		return nil
	case sum.Error > 0 || in.Rejected > 0:
		return &exitError{code: exitPartial}
	}
	return nil
}
