package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/need"
	"github.com/quire-dev/quire/internal/testweb"
)

// runWorks is how many works the run has that is crashed.
const runWorks = 20

// written are the calls by which a run changes what is on disk.
var written = []string{"write", "pwrite64", "fsync,fdatasync", "rename,renameat,renameat2"}

// runCrashes are the kinds of crash of a run; each is tried at many of its calls.
var runCrashes = []crash{
	{calls: "write", does: "signal=KILL"},
	{calls: "write", does: "error=ENOSPC", waits: true},
	{calls: "pwrite64", does: "signal=KILL"},
	{calls: "pwrite64", does: "error=ENOSPC"},
	{calls: "fsync,fdatasync", does: "signal=KILL"},
	{calls: "fsync,fdatasync", does: "error=EIO"},
	{calls: "rename,renameat,renameat2", does: "signal=KILL"},
	{calls: "rename,renameat,renameat2", does: "error=EIO", waits: true},
	{calls: "rename,renameat,renameat2", does: "error=ENOSPC", waits: true},
	{calls: "openat", does: "error=EMFILE", waits: true},
}

// crashPoints are how many calls of each kind are crashed: 60 in all.
const crashPoints = 6

// durableWorld has runWorks works at hosts that answer at once.
func durableWorld() testweb.World {
	world := testweb.World{Placeholders: true, Sites: make(map[string]testweb.Site)}
	for n := range runWorks {
		host := fmt.Sprintf("host%d.example", n%4)
		world.Sites[host] = testweb.Site{}
		world.Works = append(world.Works, testweb.Work{
			DOI: fmt.Sprintf("10.5555/durable.%d", n), Title: fmt.Sprint("Work ", n), Landing: "https://" + host + "/",
			Copies: []testweb.Copy{{URL: fmt.Sprintf("https://%s/%d.pdf", host, n)}},
		})
	}
	return world
}

// queued makes a place whose queue has all works of a world, and has run none.
func queued(t *testing.T, web *testweb.Web, world testweb.World) place {
	t.Helper()
	p := newPlace(t, web, crashConfig)
	p.run(t, []int{0}, append([]string{"queue", "enqueue"}, world.Identifiers()...)...)
	return p
}

// TestRunCrashPoints has a run of 20 jobs crash at 60 of its system calls, spread over
// all that it makes: killed, or with an error from the disk or for lack of file
// descriptors. Run again, it ends as if nothing had happened, each file is whole, and
// verify finds nothing. QUIRE_TEST_CRASHES=all tries all points instead of a few.
func TestRunCrashPoints(t *testing.T) {
	need.Strace(t)
	web := startWeb(t)
	world := durableWorld()
	web.Serve(world)
	golden := queued(t, web, world)
	calls := countCalls(t, golden)
	want := converged(t, golden)
	if done := strings.Count(strings.Join(want, "\n"), " done "); done != runWorks {
		t.Fatalf("undisturbed, %d of %d works are done", done, runWorks)
	}
	all := os.Getenv("QUIRE_TEST_CRASHES") == "all"
	tried, struck := 0, 0
	for i := range len(runCrashes) * crashPoints {
		c := runCrashes[i/crashPoints]
		c.nth = 1 + i%crashPoints*calls[c.calls]/(crashPoints+2) // threads vary: the last ones might not be reached
		if !all && (c.waits || i%crashPoints != crashPoints/2) {
			continue
		}
		t.Run(fmt.Sprintf("%s %s %d", c.calls, c.does, c.nth), func(t *testing.T) {
			p := queued(t, web, world)
			p.strike(t, &c, "", "queue", "run", "--drain")
			if got := converged(t, p); !slices.Equal(got, want) {
				t.Errorf("jobs ended as\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
		tried, struck = tried+1, struck+c.struck
	}
	if t.Logf("%d of %d crashes befell the run", struck, tried); struck < tried*2/3 {
		t.Error("most crashes come too late")
	}
}

// countCalls runs a place undisturbed and returns how many calls of each kind of crash
// the thread makes that makes most: strace counts them by thread.
func countCalls(t *testing.T, p place) map[string]int {
	t.Helper()
	kinds := append(slices.Clone(written), "openat")
	log := p.traced(t, strings.Join(kinds, ","))
	byThread := make(map[string]int)
	most := make(map[string]int)
	for line := range strings.Lines(log) {
		m := tracePattern.FindStringSubmatch(line)
		if m == nil || m[3] == "" {
			continue
		}
		for _, kind := range kinds {
			if slices.Contains(strings.Split(kind, ","), m[3]) {
				byThread[m[1]+kind]++
				most[kind] = max(most[kind], byThread[m[1]+kind])
			}
		}
	}
	for _, kind := range kinds {
		if most[kind] < crashPoints {
			t.Fatalf("no thread makes more than %d calls of %s, too few to crash it at %d", most[kind], kind, crashPoints)
		}
	}
	t.Logf("calls of an undisturbed run, by the thread with most: %v", most)
	return most
}

// traced runs the queue under strace and returns the calls that it made.
func (p place) traced(t *testing.T, calls string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	cmd := p.command(t.Context(), "queue", "run", "--drain")
	strace := exec.CommandContext(t.Context(), "strace",
		append([]string{"-f", "-y", "-s", "100000", "-o", file, "-e", "trace=" + calls, "-e", "signal=none", "--"}, cmd.Args...)...)
	if out, err := strace.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	log, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(log)
}

// converged runs the queue to its end, checks what is stored, and returns what became
// of the jobs.
func converged(t *testing.T, p place) []string {
	t.Helper()
	p.run(t, []int{0}, "queue", "run", "--drain")
	jobs := lines[job](t, p.run(t, []int{0}, "queue", "list", "--json"))
	checkTree(t, p.data, jobs)
	checkAgreement(t, p, jobs)
	p.run(t, []int{0}, "verify")
	return sorted(jobs)
}

// TestDurableOrder looks at the system calls of a run: each file is synced before it
// gets its name, its directory after, and only then does the database hear of it.
func TestDurableOrder(t *testing.T) {
	need.Strace(t)
	web := startWeb(t)
	world := durableWorld()
	web.Serve(world)
	p := queued(t, web, world)
	log := p.traced(t, "fsync,fdatasync,renameat,renameat2,pwrite64")
	calls := parseTrace(log)
	jobs := lines[job](t, p.run(t, []int{0}, "queue", "list", "--json"))
	for _, j := range jobs {
		if j.State != "done" {
			t.Fatalf("%s ended as %s", j.ArtifactID, j.State)
		}
		checkOrder(t, calls, *j.SHA256)
	}
	if len(jobs) != runWorks {
		t.Errorf("%d jobs, want %d", len(jobs), runWorks)
	}
}

// traceCall is a system call, from the line where it begins to that where it ends.
type traceCall struct {
	name, text string
	begin, end int
}

var tracePattern = regexp.MustCompile(`^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()`)

// parseTrace reads the output of strace -f. A call that others came between has two lines.
func parseTrace(log string) []traceCall {
	var calls []traceCall
	open := make(map[string]int) // the call under way, by thread
	for n, line := range strings.Split(log, "\n") {
		m := tracePattern.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if m[2] != "" {
			calls[open[m[1]]].text += line
			calls[open[m[1]]].end = n
			continue
		}
		open[m[1]] = len(calls)
		calls = append(calls, traceCall{m[3], line, n, n})
	}
	return calls
}

// checkOrder fails the test unless the file with this hash was made durable as it must.
func checkOrder(t *testing.T, calls []traceCall, sum string) {
	t.Helper()
	first := func(after int, what string, is func(traceCall) bool) traceCall {
		for _, c := range calls {
			if c.begin > after && is(c) {
				return c
			}
		}
		t.Errorf("%s: after line %d: no %s", sum, after, what)
		return traceCall{begin: len(calls), end: len(calls)}
	}
	rename := first(-1, "rename to it", func(c traceCall) bool {
		return strings.HasPrefix(c.name, "renameat") && strings.Contains(c.text, sum+".pdf\"") && !strings.Contains(c.text, "= -1")
	})
	temp := filepath.Base(strings.Split(rename.text, `"`)[1])
	sync := first(-1, "fsync of "+temp, func(c traceCall) bool { return c.name == "fsync" && strings.Contains(c.text, "/"+temp+">") })
	if sync.end >= rename.begin {
		t.Errorf("%s: renamed at line %d, synced at %d", sum, rename.begin, sync.end)
	}
	dir := "/sha256/" + sum[:2] + "/" + sum[2:4] + ">"
	named := first(rename.end, "fsync of its directory", func(c traceCall) bool { return c.name == "fsync" && strings.Contains(c.text, dir) })
	told := first(-1, "write to the database that names it", func(c traceCall) bool {
		return c.name == "pwrite64" && strings.Contains(c.text, "quire.db-wal>") && strings.Contains(c.text, sum)
	})
	if named.end >= told.begin {
		t.Errorf("%s: the database is told at line %d, the directory synced at %d", sum, told.begin, named.end)
	}
	first(told.end, "sync of the database", func(c traceCall) bool {
		return strings.HasSuffix(c.name, "sync") && strings.Contains(c.text, "quire.db-wal>") && strings.Contains(c.text, "= 0")
	})
}
