// Command peers measures Quire's queue beside other job queues, in one run and
// on the same work, and prints how they compare. README.md says how and why.
//
// Each run of a workload on a system is a process of its own on a fresh store.
// The program starts the PostgreSQL and Redis servers it needs, on Unix sockets
// only, and stops them at its end.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if spec := os.Getenv(trialEnv); spec != "" {
		os.Exit(child(spec, os.Stdout, os.Stderr)) //nolint:forbidigo // this is main
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code) //nolint:forbidigo // this is main
}

// config is what the flags say.
type config struct {
	peers     []string // names or beginnings of names of variants; all if empty
	workloads []string // likewise of workloads
	n         int
	limit     time.Duration
	rounds    int
	store     string
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c config
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	peers := flags.String("peers", "", "systems, with commas: quire-sqlite,goqite,river-sqlite/fast; all if empty")
	loads := flags.String("workloads", "", "workloads, with commas: drain,enqueue,latency; all if empty")
	flags.IntVar(&c.n, "n", 50_000, "jobs of one run; latency and blocked take fewer")
	flags.DurationVar(&c.limit, "limit", 5*time.Second, "longest a run is measured; slower systems are judged by what they did")
	flags.IntVar(&c.rounds, "rounds", 3, "runs of each workload on each system")
	flags.StringVar(&c.store, "store", os.TempDir(), "directory for the stores; the user of PostgreSQL must be able to enter it")
	asJSON := flags.Bool("json", false, "print JSON")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	c.peers, c.workloads = split(*peers), split(*loads)
	if c.n < 1 || c.rounds < 1 || c.limit <= 0 || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "peers: -n, -rounds and -limit must be above 0, and there are no arguments")
		return 2
	}
	rep, err := c.measure(ctx, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "peers:", err)
		return 1
	}
	show := rep.text
	if *asJSON {
		show = rep.json
	}
	if err := show(stdout); err != nil {
		fmt.Fprintln(stderr, "peers: print figures:", err)
		return 1
	}
	if rep.failed() {
		return 1
	}
	return 0
}

// split returns the words between commas, without empty ones.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
