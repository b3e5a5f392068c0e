package sqlite_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// names lists what is in the directory of a database.
func names(t *testing.T, path string) map[string]bool {
	t.Helper()
	found, err := os.ReadDir(filepath.Dir(path))
	check(t, err)
	all := make(map[string]bool)
	for _, f := range found {
		all[f.Name()] = true
	}
	return all
}

// still opens a database for looking at it without a trace.
func still(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true, Still: true})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return s
}

func whole150(t *testing.T, path string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
	check(t, err)
	_, err = s.Enqueue(t.Context(), newJobs(0, 150))
	check(t, err)
	check(t, s.Close())
}

func TestExamine_leavesNoTrace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quire.db")
	whole150(t, path)
	before := names(t, path)
	e, err := still(t, path).Examine(t.Context(), true)
	if err != nil || len(e.Faults) > 0 || e.Unchecked != "" {
		t.Errorf("Examine: %+v, %v", e, err)
	}
	if after := names(t, path); !maps.Equal(before, after) {
		t.Errorf("files were %v, are %v", before, after)
	}
}

// Every page of the file that is overwritten is a fault or an error that says so,
// but for those that hold nothing.
func TestExamine_damage(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "whole.db")
	whole150(t, whole)
	content, err := os.ReadFile(whole)
	check(t, err)
	const page = 4096
	found, pages := 0, len(content)/page-1
	for n := 1; n <= pages; n++ {
		broken := append([]byte(nil), content...)
		for i := range page {
			broken[n*page+i] = 0xa5
		}
		path := filepath.Join(t.TempDir(), "broken.db")
		write(t, path, broken)
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true, Still: true})
		if err != nil {
			if !errors.Is(err, queue.ErrDamaged) {
				t.Errorf("page %d: %v, want ErrDamaged", n, err)
			}
			found++
			continue
		}
		e, err := s.Examine(t.Context(), false)
		if err != nil || e.Unchecked != "" {
			t.Errorf("page %d: %+v, %v; want faults", n, e, err)
		}
		if len(e.Faults) > 0 {
			found++
		}
		check(t, s.Close())
	}
	if found < pages {
		t.Errorf("noticed %d of %d pages", found, pages)
	}
}

func TestExamine_namesTheRunner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quire.db")
	s := open(t, path)
	defer lock(t, s)()
	e, err := still(t, path).Examine(t.Context(), false)
	if err != nil || !e.Running {
		t.Fatalf("Examine: %+v, %v; want Running", e, err)
	}
	if want := fmt.Sprintf("process %d of this machine", os.Getpid()); runtime.GOOS == "linux" && e.Runner != want {
		if locks, err := os.ReadFile("/proc/locks"); err == nil && !strings.Contains(string(locks), "FLOCK") {
			t.Skip("this kernel lists no locks")
		}
		t.Errorf("Runner: got %q, want %q", e.Runner, want)
	}
}

func TestOpen_older(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quire.db")
	whole150(t, path)
	content, err := os.ReadFile(path)
	check(t, err)
	content[63] = 1 // user_version
	write(t, path, content)
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true}); !errors.Is(err, queue.ErrOlder) {
		t.Errorf("got %v, want ErrOlder", err)
	}
}
