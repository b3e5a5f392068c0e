package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeEnv); mode != "" {
		if err := run(context.Background(), mode, nil, os.Stdin, os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// build builds the program, and returns flags that make the rig small.
func build(t *testing.T) []string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "quire")
	c := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/quire")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return []string{"-quire", binary, "-store", t.TempDir(), "-patience", "30s", "-json", "-hosts", "20", "-jobs", "100", "-scale", "40"}
}

func measured(t *testing.T, args ...string) []result {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), "", args, nil, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	var results []result
	if err := json.Unmarshal(out.Bytes(), &results); err != nil {
		t.Fatal(err)
	}
	return results
}

// TestRig runs the whole rig, small: what holds of every run must hold.
func TestRig(t *testing.T) {
	flags := build(t)
	for _, r := range measured(t, append(flags, "-workloads", "F")...) {
		check(t, r)
		w, err := newWorld(spec{Workload: r.Workload, Seed: r.Seed, Jobs: 100, Hosts: 20, Scale: 40, Workers: 32})
		if err != nil {
			t.Fatal(err)
		}
		stops := 0
		for _, j := range w.Jobs {
			stops += len(j.stops())
		}
		if r.Requests != stops || r.Repeated != 0 {
			t.Errorf("%s %s: %d requests, %d of them repeated; want %d and none", r.Workload, r.Design, r.Requests, r.Repeated, stops)
		}
		if r.Ratio < 1 || r.Least <= 0 || r.Makespan > r.Wall {
			t.Errorf("%s %s: %v of at least %v by %s, in %v", r.Workload, r.Design, r.Makespan, r.Least, r.BoundBy, r.Wall)
		}
	}
	for _, r := range measured(t, append(flags, "-workloads", "P", "-designs", "quire", "-kill", "1")...) {
		check(t, r)
		if r.Kills != 1 {
			t.Errorf("killed %d times, want once", r.Kills)
		}
	}
}

func check(t *testing.T, r result) {
	t.Helper()
	t.Logf("%+v", r)
	if r.Cut || r.Done != r.Jobs {
		t.Errorf("%s %s: %d of %d done", r.Workload, r.Design, r.Done, r.Jobs)
	}
	if sure := r.Cap.Sure + r.Gap.Sure + r.Gate.Sure; sure != 0 && r.Design == "quire" {
		t.Errorf("%s %s: limits broken: cap %v, pace %v, gate %v", r.Workload, r.Design, r.Cap, r.Gap, r.Gate)
	}
	if r.CPU <= 0 || r.Peak <= 0 {
		t.Errorf("%s %s: took %v and %d bytes", r.Workload, r.Design, r.CPU, r.Peak)
	}
}

func TestNewWorld(t *testing.T) {
	s := spec{Seed: 1, Jobs: 400, Hosts: 200, Scale: 20, Workers: 32}
	for _, load := range workloads() {
		t.Run(load.name, func(t *testing.T) {
			s.Workload = load.name
			w, err := newWorld(s)
			if err != nil {
				t.Fatal(err)
			}
			again, err := newWorld(s)
			if err != nil || !reflect.DeepEqual(w, again) {
				t.Errorf("a second time it is another world: %v", err)
			}
			for n, j := range w.byNumber() {
				seen := map[int]bool{}
				for _, at := range j.stops() {
					if seen[at] {
						t.Errorf("job %d stops twice at %s", n, w.Stations[at].Name)
					}
					seen[at] = true
				}
				if j.N != n || len(j.Hosts) == 0 || len(j.Ask) > 2 || (len(j.Ask) == 0) != load.known {
					t.Errorf("job %d: %+v", n, j)
				}
			}
		})
	}
	if _, err := newWorld(spec{Workload: "Q", Jobs: 1, Hosts: 200, Scale: 1, Workers: 1}); err == nil {
		t.Error("there is a workload Q")
	}
}

func TestWorld_service(t *testing.T) {
	w, err := newWorld(spec{Workload: "C", Seed: 1, Jobs: 1, Hosts: 200, Scale: 20, Workers: 32})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		at   int
		want time.Duration // median
	}{
		"a resolver":    {0, askMedian / 20},
		"a host":        {firstHost, fileMedian / 20},
		"the slow host": {firstHost + slowRank, slowFactor * fileMedian / 20},
	} {
		var took []time.Duration
		for j := range 2000 {
			took = append(took, w.service(j, tt.at))
		}
		if got := float64(percentile(took, 50)) / float64(tt.want); got < 0.9 || got > 1.1 {
			t.Errorf("median of %s is %.2f of what it should be", name, got)
		}
	}
}
