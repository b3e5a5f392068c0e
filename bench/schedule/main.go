// Command schedule measures how near Quire's scheduler comes to what is possible.
// It runs the real program, and a design in which workers wait for their turn,
// against 200 hosts on loopback addresses, and reads what came of it from the log
// of the servers. README.md says how and why.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// modeEnv tells a process of this program that it is not the driver.
const modeEnv = "QUIRE_SCHEDULE_MODE"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Getenv(modeEnv), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "schedule:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// run is the whole program in any mode. As the driver it prints what could be
// measured even if it returns an error.
func run(ctx context.Context, mode string, args []string, in io.Reader, out, progress io.Writer) error {
	switch mode {
	case "server":
		return serveWorld(ctx, in, out)
	case "blocking":
		return runBlocking(ctx, in)
	}
	c, err := parse(args, progress)
	if err != nil {
		return err
	}
	results, err := c.measureAll(ctx, progress)
	compare(results)
	if c.json {
		err = errors.Join(err, writeJSON(out, results))
	} else {
		err = errors.Join(err, writeTable(out, c, results))
	}
	return errors.Join(err, broken(results))
}

// broken says where the program went beyond a limit.
func broken(results []result) error {
	var errs []error
	for _, r := range results {
		if r.Design == "quire" && r.Cap.Sure+r.Gap.Sure+r.Gate.Sure > 0 {
			errs = append(errs, fmt.Errorf("%s, seed %d: limits were broken: cap %v, pace %v, gate %v", r.Workload, r.Seed, r.Cap, r.Gap, r.Gate))
		}
	}
	return errors.Join(errs...)
}

// config is what the flags say.
type config struct {
	binary    string
	workloads []string
	designs   []string
	seeds     int
	jobs      int
	hosts     int
	workers   int
	scale     float64
	kills     int
	patience  time.Duration
	store     string
	json      bool
}

func parse(args []string, progress io.Writer) (c config, err error) {
	flags := flag.NewFlagSet("schedule", flag.ContinueOnError)
	flags.SetOutput(progress)
	var names []string
	for _, w := range workloads() {
		if !w.extra {
			names = append(names, w.name)
		}
	}
	flags.StringVar(&c.binary, "quire", "bin/quire", "the program to measure")
	loads := flags.String("workloads", strings.Join(names, ","), "workloads, with commas")
	designs := flags.String("designs", "quire,blocking", "designs, with commas")
	flags.IntVar(&c.seeds, "seeds", 1, "runs of each, with other jobs and service times each time")
	flags.IntVar(&c.jobs, "jobs", 4000, "jobs of a batch; a dump has half as many")
	flags.IntVar(&c.hosts, "hosts", 200, "hosts, at most 250")
	flags.IntVar(&c.workers, "workers", 32, "requests at once")
	flags.Float64Var(&c.scale, "scale", 20, "all times are divided by it")
	flags.IntVar(&c.kills, "kill", 0, "times that the program is killed on the way")
	flags.DurationVar(&c.patience, "patience", 3*time.Minute, "longest a run may take")
	flags.StringVar(&c.store, "store", os.TempDir(), "directory for data directories; its file system is part of what is measured")
	flags.BoolVar(&c.json, "json", false, "print JSON")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	split := func(list string) []string { return strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) }
	c.workloads, c.designs = split(*loads), split(*designs)
	if flags.NArg() > 0 || c.hosts > 250 {
		return c, errors.New("there are no arguments, and at most 250 hosts")
	}
	return c, nil
}

// measureAll runs every design on every workload, seed by seed.
func (c config) measureAll(ctx context.Context, progress io.Writer) (results []result, err error) {
	for _, name := range c.workloads {
		for seed := range c.seeds {
			w, err := newWorld(spec{
				Workload: name, Seed: uint64(seed + 1), Jobs: c.jobs, Hosts: c.hosts, Scale: c.scale, Workers: c.workers,
			})
			if err != nil {
				return results, err
			}
			for _, d := range designs() {
				if !strings.Contains(","+strings.Join(c.designs, ",")+",", ","+d.name+",") {
					continue
				}
				r, err := measure(ctx, c, w, d, progress)
				if err != nil {
					return results, err
				}
				results = append(results, r)
				fmt.Fprintf(progress, "%s %s seed %d: ratio %s, %.1f s\n", r.Workload, r.Design, r.Seed, ratio(r.Ratio), r.Wall.Seconds())
			}
		}
	}
	return results, nil
}
