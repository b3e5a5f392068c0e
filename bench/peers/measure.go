package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// stores makes the fresh store of each run.
type stores struct {
	dir string
	pg  *postgresServer // started when first needed
}

// fresh makes an empty store for a run of v. remove takes it away.
func (s *stores) fresh(ctx context.Context, v variant) (store string, remove func() error, err error) {
	switch v.server {
	case redisd:
		return startRedis(ctx, s.dir, v.options.full)
	case postgres:
		if s.pg == nil {
			if s.pg, err = startPostgres(ctx, s.dir); err != nil {
				return "", nil, err
			}
		}
		return s.pg.fresh(ctx, v.options.full)
	default:
		dir, err := os.MkdirTemp(s.dir, "peers-")
		if err != nil {
			return "", nil, fmt.Errorf("make directory for store: %w", err)
		}
		return dir, func() error { return os.RemoveAll(dir) }, nil
	}
}

func (s *stores) close() error {
	if s.pg == nil {
		return nil
	}
	return s.pg.stop()
}

// version asks the programs of a server for theirs. An error says why the
// server can't be started.
func version(ctx context.Context, s server) (string, error) {
	var program string
	switch s {
	case none:
		return "", nil
	case redisd:
		program = "redis-server"
	case postgres:
		bin, err := findPostgres()
		if err != nil {
			return "", err
		}
		program = filepath.Join(bin, "postgres")
	}
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask for version: %w", err)
	}
	says, _, _ := strings.Cut(string(out), " sha=") // Redis goes on with its build
	return strings.TrimSpace(says), nil
}

// chosen returns the variants and workloads that the flags ask for, and notes
// why others of them are left out.
func (c config) chosen(ctx context.Context, rep *report) (vs []variant, ws []workload, err error) {
	for _, w := range workloads() {
		if named(w.name, c.workloads) {
			ws = append(ws, w)
		}
	}
	for _, v := range variants() {
		if !named(v.name, c.peers) {
			continue
		}
		says, why := version(ctx, v.server)
		if why != nil {
			rep.note("%s left out: no %s: %v", v.name, v.server, why)
			continue
		}
		rep.condition(says)
		vs = append(vs, v)
		for _, w := range ws {
			if why, ok := v.skip[w.name]; ok {
				rep.note("%s left out of %s: %s", v.name, w.name, why)
			}
		}
	}
	if len(vs) == 0 || len(ws) == 0 {
		return nil, nil, errors.New("nothing to measure: no system or no workload of the names given, or their servers are missing")
	}
	return vs, ws, nil
}

// measure makes all runs, round by round so that a slow minute of the machine
// falls on all systems alike, and tells of each on progress.
func (c config) measure(ctx context.Context, progress io.Writer) (rep *report, err error) {
	rep = newReport(c)
	vs, ws, err := c.chosen(ctx, rep)
	if err != nil {
		return nil, err
	}
	s := &stores{dir: c.store}
	defer func() { err = errors.Join(err, s.close()) }()
	for round := range c.rounds {
		for _, w := range ws {
			for i := range vs {
				v := vs[(i+round)%len(vs)]
				if !v.takes(w.name) {
					continue
				}
				metrics, failure := c.once(ctx, s, v, w)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				rep.add(v, w, metrics, failure)
				fmt.Fprintf(progress, "%d/%d %-12s %-30s %s\n", round+1, c.rounds, w.name, v.name, brief(metrics, failure))
			}
		}
	}
	return rep, nil
}

// once makes one run on a fresh store.
func (c config) once(ctx context.Context, s *stores, v variant, w workload) (metrics []metric, err error) {
	store, remove, err := s.fresh(ctx, v)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	t := trial{Variant: v.name, Workload: w.name, Store: store, N: c.n, Limit: c.limit}
	return t.spawn(ctx)
}
