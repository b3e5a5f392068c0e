package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/need"
	"github.com/quire-dev/quire/internal/testweb"
)

// crashWorks are works with a file each, at hosts that answer at once.
func crashWorks() testweb.World {
	world := testweb.World{Placeholders: true, Sites: make(map[string]testweb.Site)}
	for n := range 8 {
		host := fmt.Sprintf("host%d.example", n%4)
		world.Sites[host] = testweb.Site{}
		world.Works = append(world.Works, testweb.Work{
			DOI: fmt.Sprintf("10.5555/crash.%d", n), Title: fmt.Sprint("Work ", n), Landing: "https://" + host + "/",
			Copies: []testweb.Copy{{URL: fmt.Sprintf("https://%s/%d.pdf", host, n)}},
		})
	}
	return world
}

const crashConfig = `limits:
  default_host: {in_flight: 4, every: 1ms}
  resolver:unpaywall: {in_flight: 4, every: 1ms}
resolvers: {order: [unpaywall]}
retry: {base: 10ms, max: 20ms, breaker: 50ms}
`

// A crash is a system call at which the program dies or meets an error.
type crash struct {
	calls, does string
	nth         int
	waits       bool // the run goes on after it, when storage takes files again

	tried, struck int // commands that it was tried on, and that it befell
}

// crashes are 64 of them, most among the first calls: the database is made there.
func crashes() (all []crash) {
	for n := 1; n <= 60; n += 4 {
		all = append(all,
			crash{calls: "pwrite64", does: "signal=KILL", nth: n},
			crash{calls: "fsync,fdatasync", does: "signal=KILL", nth: 1 + n/3},
			crash{calls: "write", does: "signal=KILL", nth: 1 + n/2},
			crash{calls: "pwrite64", does: "error=ENOSPC", nth: n})
	}
	for n := 1; n <= 4; n++ {
		all = append(all, crash{calls: "rename,renameat,renameat2,linkat", does: "signal=KILL", nth: n})
	}
	return all
}

// TestCrashPoints has the program enqueue, import and run, and crash at a system
// call of it. What it acknowledged must be there, and doing the same again must
// end in the same as if nothing had happened. QUIRE_TEST_CRASHES=all tries all
// points instead of a few.
func TestCrashPoints(t *testing.T) {
	need.Strace(t)
	web := startWeb(t)
	world := crashWorks()
	web.Serve(world)
	golden := crashed(t, web, world, nil)
	if done := strings.Count(strings.Join(golden, "\n"), " done "); done != len(world.Works) {
		t.Fatalf("undisturbed, %d of %d works are done", done, len(world.Works))
	}
	all := crashes()
	step := 1
	if os.Getenv("QUIRE_TEST_CRASHES") != "all" {
		step = 13 // so that each kind has its turn
	}
	tried, struck := 0, 0
	for i := 0; i < len(all); i += step {
		c := all[i]
		t.Run(fmt.Sprintf("%s %s %d", c.calls, c.does, c.nth), func(t *testing.T) {
			if got := crashed(t, web, world, &c); !slices.Equal(got, golden) {
				t.Errorf("jobs ended as\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(golden, "\n"))
			}
		})
		tried, struck = tried+c.tried, struck+c.struck
	}
	t.Logf("%d of %d commands met their crash", struck, tried)
	if struck < tried/3 {
		t.Error("most crashes come too late")
	}
}

// crashed does all commands, each once with a crash if c is not nil and then
// until it succeeds, and returns what became of the jobs.
func crashed(t *testing.T, web *testweb.Web, world testweb.World, c *crash) []string {
	t.Helper()
	p := newPlace(t, web, crashConfig)
	ids := world.Identifiers()
	file := strings.Join(ids[2:], "\n")
	steps := []struct {
		args  []string
		stdin string
		known int // jobs that are there once the command has succeeded
	}{
		{append([]string{"queue", "enqueue"}, ids[:2]...), "", 2},
		{[]string{"queue", "import", "-", "--format", "txt"}, file, len(ids)},
		{[]string{"queue", "run", "--drain"}, "", len(ids)},
	}
	for _, s := range steps {
		if c != nil && p.strike(t, c, s.stdin, s.args...) {
			p.known(t, s.known) // it got through in spite of it
		}
		again := p.command(t.Context(), s.args...)
		again.Stdin = strings.NewReader(s.stdin)
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v, the second time: %v\n%s", s.args, err, out)
		}
		p.known(t, s.known)
	}
	jobs := lines[job](t, p.run(t, []int{0}, "queue", "list", "--json"))
	checkTree(t, p.data, jobs)
	checkAgreement(t, p, jobs)
	return sorted(jobs)
}

// strike runs the program until the crash, and reports whether it succeeded.
func (p place) strike(t *testing.T, c *crash, stdin string, args ...string) bool {
	t.Helper()
	cmd := p.command(t.Context(), args...)
	inject := fmt.Sprintf("inject=%s:%s:when=%d", c.calls, c.does, c.nth)
	trace := filepath.Join(t.TempDir(), "trace")
	// Without --seccomp-bpf: strace 6.1 then sends no signal but to the first call.
	strace := exec.CommandContext(t.Context(), "strace",
		append([]string{"-f", "-o", trace, "-e", "trace=" + c.calls, "-e", inject, "--"}, cmd.Args...)...)
	strace.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	strace.Stdout, strace.Stderr = &out, &out
	err := strace.Run()
	c.tried++
	if log, readErr := os.ReadFile(trace); readErr != nil {
		t.Error(readErr)
	} else if bytes.Contains(log, []byte("(INJECTED)")) || bytes.Contains(log, []byte("+++ killed by SIGKILL")) {
		c.struck++
	}
	// An error at the write by which Go's runtime wakes itself can befall nobody but us.
	ours := bytes.Contains(out.Bytes(), []byte("netpollBreak write failed"))
	if err != nil && !ours && bytes.Contains(out.Bytes(), []byte("panic")) {
		t.Errorf("%v: %s", args, out.Bytes())
	}
	return err == nil
}

// known fails the test unless the queue has n jobs.
func (p place) known(t *testing.T, n int) {
	t.Helper()
	if s := decode[stats](t, p.run(t, []int{0}, "queue", "stats", "--json")); s.Total != n {
		t.Errorf("%d jobs are there, %d were acknowledged", s.Total, n)
	}
}
