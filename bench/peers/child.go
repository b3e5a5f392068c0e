package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

const (
	// trialEnv holds, in a process that is to measure, its trial as JSON.
	trialEnv = "QUIRE_PEERS_TRIAL"

	// trialPatience is how long a process may take beyond its limit: to fill the
	// store, to start and to stop.
	trialPatience = 3 * time.Minute
)

// trial is one run of a workload on a variant, in a process of its own.
type trial struct {
	Variant  string
	Workload string
	Store    string
	N        int
	Limit    time.Duration // of what is measured
	Produce  bool          // only enqueue, on a store in use
}

// spawn has this program, in a new process, make the trial.
func (t trial) spawn(ctx context.Context) ([]metric, error) {
	spec, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode trial: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, t.Limit+trialPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), trialEnv+"="+string(spec))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	var metrics []metric
	if err := json.Unmarshal(out, &metrics); err != nil {
		return nil, fmt.Errorf("read figures of %s: %w", t.Variant, err)
	}
	return metrics, nil
}

// child makes the trial described by spec, writes its figures to stdout, and
// returns the process's exit code.
func child(spec string, stdout, stderr io.Writer) int {
	var t trial
	err := json.Unmarshal([]byte(spec), &t)
	var metrics []metric
	if err == nil {
		metrics, err = t.measure(context.Background())
	}
	if err == nil {
		err = json.NewEncoder(stdout).Encode(metrics)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// measure makes the trial in this process.
func (t trial) measure(ctx context.Context) (metrics []metric, err error) {
	vs, ws := variants(), workloads()
	v := slices.IndexFunc(vs, func(v variant) bool { return v.name == t.Variant })
	w := slices.IndexFunc(ws, func(w workload) bool { return w.name == t.Workload })
	if v < 0 || w < 0 {
		return nil, fmt.Errorf("no workload %q or no variant %q", t.Workload, t.Variant)
	}
	o := vs[v].options
	o.store, o.fresh, o.unique = t.Store, !t.Produce, ws[w].unique
	if o.workers == 0 {
		o.workers = ws[w].workers
	}
	sys, err := vs[v].open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", t.Variant, err)
	}
	defer func() { err = errors.Join(err, sys.close()) }()
	b := bench{t, sys}
	if t.Produce {
		return nil, b.produce(ctx)
	}
	return ws[w].run(ctx, b)
}
