package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv(trialEnv); spec != "" {
		os.Exit(child(spec, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestWorkloads makes every workload run once on every system, with few jobs.
func TestWorkloads(t *testing.T) {
	tests := map[string]struct {
		server server
		peers  []string
	}{
		"SQLite":     {none, []string{"quire-sqlite", "goqite/fast/normal", "backlite", "river-sqlite/fast/full", "river-sqlite/wide"}},
		"PostgreSQL": {postgres, []string{"quire-postgres", "river-postgres/fast/normal", "river-postgres/wide/full"}},
		"Redis":      {redisd, []string{"asynq/fast/full"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := version(t.Context(), tt.server); err != nil {
				t.Skip(err)
			}
			// Not t.TempDir: PostgreSQL's user must be able to enter it.
			c := config{peers: tt.peers, n: 12, limit: 10 * time.Second, rounds: 1, store: os.TempDir()}
			rep, err := c.measure(t.Context(), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			if rep.failed() {
				t.Error(rep.Notes)
			}
			for _, v := range variants() {
				for _, w := range workloads() {
					if !named(v.name, tt.peers) || !v.takes(w.name) {
						continue
					}
					measured := func(l *line) bool { return l.Variant == v.name && l.Workload == w.name && l.Median > 0 }
					// A handful of jobs may fit into pages that were there before.
					if w.name != "size" && !slices.ContainsFunc(rep.Lines, measured) {
						t.Errorf("%s has no figure of %s", v.name, w.name)
					}
				}
			}
		})
	}
}

func TestJob_size(t *testing.T) {
	text, err := json.Marshal(newJobs(1, 1, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(text) < 150 || len(text) > 250 {
		t.Errorf("a job has %d bytes, want about 200: %s", len(text), text)
	}
}

func TestNamed(t *testing.T) {
	tests := map[string]struct {
		name  string
		names []string
		want  bool
	}{
		"no names":      {"goqite/fast/full", nil, true},
		"the whole":     {"drain", []string{"size", "drain"}, true},
		"a system":      {"goqite/fast/full", []string{"goqite"}, true},
		"its settings":  {"goqite/fast/full", []string{"goqite/default"}, false},
		"a family":      {"enqueue-64", []string{"enqueue"}, true},
		"half a word":   {"goqite/fast/full", []string{"goq"}, false},
		"another of it": {"enqueue-64", []string{"enqueue-6"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := named(tt.name, tt.names); got != tt.want {
				t.Errorf("named(%q, %q) = %v", tt.name, tt.names, got)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for n := range 100 {
		hundred = append(hundred, time.Duration(100-n))
	}
	for p, want := range map[int]time.Duration{1: 1, 50: 50, 99: 99, 100: 100} {
		if got := percentile(hundred, p); got != want {
			t.Errorf("percentile %d of 1 to 100 is %d", p, got)
		}
	}
	if got := percentile([]time.Duration{7}, 50); got != 7 {
		t.Errorf("percentile 50 of 7 alone is %d", got)
	}
}

func TestWork_capped(t *testing.T) {
	var now, most atomic.Int64
	w := work{caps: map[string]int{"narrow": 2}, handle: func(job) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		now.Add(-1)
	}}
	handle := w.capped()
	var group errgroup.Group
	for range 200 {
		group.Go(func() error {
			handle(job{Key: "narrow"})
			return nil
		})
	}
	if err := group.Wait(); err != nil || most.Load() > 2 {
		t.Errorf("%d handlers of a key capped at 2 ran at once", most.Load())
	}
}

func TestReport(t *testing.T) {
	rep := newReport(config{n: 1, rounds: 2})
	base, peer := variant{name: "quire-sqlite/default/full", base: true}, variant{name: "goqite/fast/full"}
	for _, factor := range []float64{1, 3} { // the median is between the two
		for _, w := range []workload{{name: "latency"}, {name: "drain"}} {
			rep.add(base, w, []metric{{Name: "m", Value: 10 * factor, Less: w.name == "latency"}}, nil)
			rep.add(peer, w, []metric{{Name: "m", Value: 40 * factor, Less: w.name == "latency"}}, nil)
		}
	}
	var out bytes.Buffer
	if err := rep.text(&out); err != nil {
		t.Fatal(err)
	}
	for workload, want := range map[string]float64{"drain": 0.25, "latency": 4} {
		l := rep.find(peer.name, workload, "m")
		if l.Median != 80 || l.Ahead[base.name] != want {
			t.Errorf("%s: median %v, ahead %v, want 80 and %v", workload, l.Median, l.Ahead, want)
		}
	}
	if rep.failed() {
		t.Error("it failed")
	}
}
