// Command live serves a made-up scholarly web of some thousand works for runs of
// Quire to be watched in, and measures how well the time that a run takes is
// foretold. README.md says how and why.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// config is what the flags say.
type config struct {
	dir      string
	works    int
	hosts    int
	workers  int
	seed     uint64
	seeds    int
	scale    float64
	run      bool
	trace    string
	replays  []string
	patience time.Duration
}

func parse(args []string, progress io.Writer) (c config, err error) {
	flags := flag.NewFlagSet("live", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.StringVar(&c.dir, "dir", "", "where works.txt, quire.yaml and, of runs, the data go; a temporary directory that is removed, if empty")
	flags.IntVar(&c.works, "works", 5000, "works")
	flags.IntVar(&c.hosts, "hosts", 150, "hosts of files, at least 150")
	flags.IntVar(&c.workers, "workers", 32, "requests at once")
	flags.Uint64Var(&c.seed, "seed", 1, "what the web is made from")
	flags.IntVar(&c.seeds, "seeds", 1, "with -run: runs, each with the next seed")
	flags.Float64Var(&c.scale, "scale", 10, "by which the shipped paces and waits are divided")
	flags.BoolVar(&c.run, "run", false, "run the works in this process and compare what was foretold with what came")
	flags.StringVar(&c.trace, "trace", "", "with -run: write what the forecast was told to `FILE`-SEED.jsonl; such files as arguments are played again")
	flags.DurationVar(&c.patience, "patience", 15*time.Minute, "with -run: longest a run may take")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	c.replays = flags.Args()
	if c.works < 1 || c.hosts < leastHosts || c.scale <= 0 || c.seeds < 1 || c.workers < 1 {
		return c, fmt.Errorf("works, seeds, scale and workers are above 0, and hosts at least %d", leastHosts)
	}
	return c, nil
}

func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	c, err := parse(args, progress)
	if err != nil {
		return err
	}
	for _, path := range c.replays {
		if err := replay(path, out); err != nil {
			return err
		}
	}
	if len(c.replays) > 0 {
		return nil
	}
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "quire-live-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	}
	if !c.run {
		return c.serve(ctx, out)
	}
	for range c.seeds {
		if err := c.measure(ctx, out, progress); err != nil {
			return err
		}
		c.seed++
	}
	return nil
}

// serve serves the web until ctx ends.
func (c config) serve(ctx context.Context, out io.Writer) (err error) {
	web, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, web.Close()) }()
	fmt.Fprintf(out, "%d works at %d hosts are being served. Now\n\n    quire --config %s --data %s get %s\n\nCtrl-C ends it.\n",
		c.works, c.hosts, filepath.Join(c.dir, "quire.yaml"), filepath.Join(c.dir, "data"), filepath.Join(c.dir, "works.txt"))
	<-ctx.Done()
	return nil
}

// open starts the web and writes what a run needs into the directory.
func (c config) open(ctx context.Context) (*testweb.Web, error) {
	if err := os.MkdirAll(c.dir, 0o750); err != nil {
		return nil, err
	}
	web, err := testweb.Start(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	s := newScene(c)
	web.Serve(s.world)
	err = errors.Join(web.WriteCA(c.caFile()), c.writeWorks(s.world), c.writeConfig(web))
	if err != nil {
		return nil, errors.Join(err, web.Close())
	}
	return web, nil
}
