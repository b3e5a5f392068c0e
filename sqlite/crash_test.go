package sqlite_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/need"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// promises are what children printed last of each job.
type promises map[string]string

func (p promises) note(line string) {
	if what, id, ok := strings.Cut(line, " "); ok {
		p[id] = what
	}
}

// check looks for what was promised. What a child was about to do when it died
// may have happened or not.
func (p promises) check(t *testing.T, s *sqlite.Store) {
	t.Helper()
	const gone = queue.State("") // pruned
	allowed := map[string][]queue.State{
		"queued":    queue.States(),
		"cancelled": {queue.Skipped},
		"done":      {queue.Done},
		"requeues":  {queue.Done, queue.Queued},
		"requeued":  {queue.Queued},
		"prunes":    {queue.Done, gone},
		"pruned":    {gone},
	}
	jobs, err := s.Jobs(t.Context(), queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]queue.State)
	for _, j := range jobs {
		found[j.ArtifactID] = j.State
	}
	for id, what := range p {
		if !slices.Contains(allowed[what], found[id]) || allowed[what] == nil {
			t.Errorf("promised %s %s, found %q", what, id, found[id])
		}
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Total() != len(jobs) {
		t.Errorf("%d jobs are counted, %d there, %v", st.Total(), len(jobs), err)
	}
}

// A fault is what happens to the nth call of a thread.
type fault struct {
	calls string // a name, or several
	does  string // signal=KILL, or an error
	nth   int
	on    string // also to all later ones: "+"
}

func (f fault) String() string { return fmt.Sprintf("%s:%s:when=%d%s", f.calls, f.does, f.nth, f.on) }

// faults are 236 crash points: dense where the program makes or migrates its
// database, which are its first calls, and spread over the work that follows.
func faults() (all []fault) {
	add := func(calls, does, on string, first, last, step int) {
		for n := first; n <= last; n += step {
			all = append(all, fault{calls, does, n, on})
		}
	}
	const syncs = "fsync,fdatasync"
	add("pwrite64", "signal=KILL", "", 1, 40, 1)
	add("pwrite64", "signal=KILL", "", 50, 1000, 25)
	add(syncs, "signal=KILL", "", 1, 10, 1)
	add(syncs, "signal=KILL", "", 12, 98, 3)
	add("ftruncate,unlink,unlinkat", "signal=KILL", "", 1, 4, 1)
	add("write", "signal=KILL", "", 1, 60, 3)
	add("openat", "signal=KILL", "", 4, 14, 1)
	add("pwrite64", "error=EIO", "", 1, 60, 3)
	add("pwrite64", "error=ENOSPC", "", 1, 60, 3)
	add("pwrite64", "error=ENOSPC", "+", 2, 60, 6)
	add(syncs, "error=EIO", "", 1, 20, 1)
	add(syncs, "error=EIO", "+", 2, 20, 2)
	add("ftruncate", "error=EIO", "", 1, 3, 1)
	return all
}

// some are all of them if QUIRE_TEST_CRASHES says so, and otherwise one of few
// that lie far apart.
func some(all []fault, few int) []fault {
	if os.Getenv("QUIRE_TEST_CRASHES") == "all" {
		return all
	}
	var part []fault
	for i := range few {
		part = append(part, all[i*len(all)/few])
	}
	return part
}

// A process that dies or meets an error at any system call loses nothing that it
// was promised, whether it was making the database, migrating it or at work.
func TestCrash(t *testing.T) {
	t.Parallel()
	need.Strace(t)
	dir, promised := t.TempDir(), make(promises)
	struck := 0
	list := some(faults(), 12)
	for i, f := range list {
		path, kept := filepath.Join(dir, "shared.db"), promised
		switch i % 3 {
		case 1:
			path, kept = filepath.Join(dir, fmt.Sprintf("new%d.db", i)), make(promises)
		case 2:
			path, kept = filepath.Join(dir, fmt.Sprintf("old%d.db", i)), make(promises)
			version1(t, path)
		}
		if strike(t, f, path, kept) {
			struck++
		}
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
		if err != nil {
			t.Fatalf("%v: %v", f, err)
		}
		kept.check(t, s)
		if n := total(t, s); i%3 == 2 && n < 6*ofVersion1 {
			t.Errorf("%d jobs are left of %d old ones", n, 6*ofVersion1)
		}
		check(t, s.Close())
		db := outside(t, path)
		checkIntegrity(t, db)
		check(t, db.Close())
		if t.Failed() {
			t.Fatalf("after %v on %s", f, path)
		}
	}
	if struck < len(list)/2 {
		t.Errorf("%d of %d faults struck: the others come too late", struck, len(list))
	}
	t.Logf("%d of %d faults struck, %d jobs were promised to the shared database", struck, len(list), len(promised))
}

// strike has a child work on the database until the fault, and notes what it was
// promised. It reports whether the fault was felt.
func strike(t *testing.T, f fault, path string, kept promises) bool {
	t.Helper()
	cmd := child(t, "live", path)
	program := cmd.Path
	// Without --seccomp-bpf: strace 6.1 then sends no signal but to the first call.
	strace := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-o", os.DevNull,
		"-e", "trace="+f.calls, "-e", "inject="+f.String(), program, path)
	strace.Env = cmd.Env
	out, err := strace.Output()
	for line := range strings.Lines(string(out)) {
		if strings.HasSuffix(line, "\n") {
			kept.note(strings.TrimSpace(line))
		}
	}
	return err != nil
}
