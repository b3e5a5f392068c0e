package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/queue"
)

// demoSeed chooses the demo's made-up titles; the outcomes do not depend on it.
const demoSeed = 2026

func newDemo(a *app) *cobra.Command {
	var keep string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Get made-up works from a miniature scholarly web in this process; no network",
		Long: `Run the main job, as quire get does, against a miniature scholarly web in the
same process: made-up works, sources and hosts (slow, throttling and lying ones
among them), over real sockets and TLS, without a network.

It has settings of its own: --config, --set and --contact change nothing.
With --store on the command line the queue is there, and stays: it must be a
place that has none yet.

Exit code 0: every work ended as that web wants it; 1: some did not.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("store") {
				a.store = "" // the demo has no business in the store that is set for all commands
			}
			return a.demo(c.Context(), keep)
		},
	}
	c.Flags().StringVar(&keep, "keep", "", "keep what was got in this `DIR`")
	return c
}

func (a *app) demo(ctx context.Context, keep string) (err error) {
	dir := keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "quire-demo-"); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := a.noQueueIn(ctx, a.store); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	web, err := testweb.Start(ctx)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, web.Close()) }()
	world := testweb.DemoWorld(demoSeed)
	web.Serve(world)
	cfg, err := demoConfig(web, dir)
	if err != nil {
		return err
	}
	a.data, a.artifacts, a.passing = dir, "", keep == ""
	a.note("%d made-up works, and a web of their own on loopback; getting them as `quire get` would", len(world.Works))
	fill := func(ctx context.Context, sys *quire.System) (added, error) {
		ad := a.adder(sys, quire.AddOptions{Run: "demo"}, "")
		err := ad.ids(ctx, world.Identifiers())
		return ad.sum, err
	}
	if err := a.harvest(ctx, cfg, nil, quire.RunOptions{Drain: true}, fill); err != nil {
		if exit, ok := errors.AsType[*exitError](err); !ok || exit.code != exitPartial {
			return err
		}
	}
	return a.judgeDemo(ctx, world, web, keep != "")
}

// noQueueIn returns nil if a store is the default one or has no queue yet.
func (a *app) noQueueIn(ctx context.Context, store string) error {
	if store == "" {
		return nil
	}
	cfg := quire.Config{Store: store, ReadOnly: true}
	sys, err := quire.Open(ctx, cfg)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(fmt.Errorf("there is a queue in %s already: name a place without one", cfg.StoreName()), sys.Close())
}

// demoConfig reaches every host in the box and hurries a little: the box has no
// operators to be kind to.
func demoConfig(web *testweb.Web, dir string) (quire.Config, error) {
	ca := filepath.Join(dir, "ca.pem")
	if err := web.WriteCA(ca); err != nil {
		return quire.Config{}, fmt.Errorf("demo: %w", err)
	}
	every, atOnce := 50*time.Millisecond, 4
	quick := quire.Limit{InFlight: &atOnce, Every: &every}
	one := 1
	half := 500 * time.Millisecond
	cfg := quire.Config{
		Contact: "demo@quire.example",
		Grace:   5 * time.Second,
		Limits:  map[string]quire.Limit{"default_host": quick, "host:arxiv.org": {InFlight: &one, Every: &half}},
		Retry:   queue.RetryPolicy{Base: time.Second, Max: 2 * time.Second},
		Breaker: time.Second / 2,
		HTTP: quire.HTTP{
			ConnectTo: web.ConnectTo(), CAFile: ca,
			AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
	}
	for _, name := range resolverNames() {
		cfg.Limits["resolver:"+name] = quick
	}
	return cfg, nil
}

// judgeDemo compares what became of the works with what their web wants.
func (a *app) judgeDemo(ctx context.Context, world testweb.World, web *testweb.Web, kept bool) (err error) {
	sys, err := a.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	wrong := 0
	for _, work := range world.Works {
		job, err := sys.Queue().Job(ctx, work.Identifier())
		if err != nil {
			return fmt.Errorf("demo: look up %s: %w", work.Identifier(), err)
		}
		if string(job.State) != work.Want.State || job.State != queue.Done && !slices.Contains(work.Want.Classes, job.Class) {
			wrong++
			a.note("%s ended as %s (%s), its web wants %s %v", job.ArtifactID, job.State, job.Class, work.Want.State, work.Want.Classes)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("demo: %d of %d works did not end as they should", wrong, len(world.Works))
	}
	a.note("all %d works ended as they should, after %d requests to %d hosts", len(world.Works), web.Requests(), asked(web))
	if kept {
		a.note("look around: %[1]s queue list, %[1]s explain %[2]s", a.self(), world.Works[0].DOI)
	}
	return nil
}

// asked counts the hosts that were asked anything.
func asked(web *testweb.Web) int {
	n := 0
	for _, account := range web.Accounts() {
		if account.Requests > 0 {
			n++
		}
	}
	return n
}
