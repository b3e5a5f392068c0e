package e2e_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/need"
)

// storageTrouble keeps files from being stored, and the program from nothing else.
type storageTrouble struct {
	begin func(t *testing.T, disk string)
	run   func(t *testing.T, p place, pid int) // once the program runs
	end   func(t *testing.T, disk string, pid int)
}

func storageTroubles() map[string]storageTrouble {
	filler := func(disk string) string { return filepath.Join(disk, "filler") }
	return map[string]storageTrouble{
		"169 full": {
			begin: func(t *testing.T, disk string) {
				err := os.WriteFile(filler(disk), make([]byte, 4<<20), 0o600)
				if !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("fill the disk: %v", err)
				}
			},
			end: func(t *testing.T, disk string, _ int) { check(t, os.Remove(filler(disk))) },
		},
		"162 read-only": {
			begin: func(t *testing.T, disk string) {
				check(t, syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
			},
			end: func(t *testing.T, disk string, _ int) { check(t, syscall.Mount("", disk, "", syscall.MS_REMOUNT, "")) },
		},
		"175 no file descriptors": {
			run: func(t *testing.T, _ place, pid int) { limitFiles(t, pid, openFiles(t, pid, "manifest.jsonl")+2) },
			end: func(t *testing.T, _ string, pid int) { limitFiles(t, pid, 512) },
		},
	}
}

// openFiles waits until a process has a file open, and returns how many it has.
func openFiles(t *testing.T, pid int, name string) int {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for ; ; <-look.C {
		all, err := os.ReadDir(dir)
		check(t, err)
		for _, fd := range all {
			if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && filepath.Base(to) == name {
				return len(all)
			}
		}
	}
}

// limitFiles sets how many files a process may have open. Go's runtime raises the soft
// limit of a program when it starts, so it is set afterwards.
func limitFiles(t *testing.T, pid, n int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "prlimit", "--pid", fmt.Sprint(pid), fmt.Sprintf("--nofile=%d:", n)).CombinedOutput()
	if err != nil {
		t.Fatalf("prlimit: %v: %s", err, out)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestStorageTrouble has a run meet storage that takes no files, and then does again.
// It says so once, goes on by itself, and no job is charged for it.
func TestStorageTrouble(t *testing.T) {
	web := startWeb(t)
	world := durableWorld()
	web.Serve(world)
	for name, trouble := range storageTroubles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for the program's next try, most of the time
			disk := t.TempDir()
			need.Or(t, "mount", syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"))
			t.Cleanup(func() { check(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
			if trouble.run != nil {
				_, err := exec.LookPath("prlimit")
				need.Or(t, "mount", err) // of the same package as mount
			}
			p := queued(t, web, world)
			artifacts := "file:" + filepath.Join(disk, "artifacts")
			p.run(t, []int{0}, "queue", "run", "--drain", "--max-jobs", "1", "--artifacts", artifacts) // so that all directories are there
			if trouble.begin != nil {
				trouble.begin(t, disk)
			}
			p.run(t, []int{0}, "queue", "pause")
			log := runThrough(t, p, artifacts, trouble, func(pid int) { trouble.end(t, disk, pid) })
			for text, want := range map[string]int{"storage takes no files": 1, "resumed": 1} {
				if got := strings.Count(log, text); got != want {
					t.Errorf("%q is said %d times, want %d\n%s", text, got, want, log)
				}
			}
			for _, j := range lines[job](t, p.run(t, []int{0}, "queue", "list", "--json")) {
				if j.State != "done" || j.Attempts != 1 {
					t.Errorf("%s ended as %s after %d attempts, want it done in its first", j.ArtifactID, j.State, j.Attempts)
				}
			}
			p.run(t, []int{0}, "verify", "--artifacts", artifacts)
			checkNoTemps(t, disk)
		})
	}
}

// runThrough runs the queue, ends the trouble once the program has told of it, and
// returns the log.
func runThrough(t *testing.T, p place, artifacts string, trouble storageTrouble, end func(pid int)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := p.command(ctx, "queue", "run", "--max-jobs", fmt.Sprint(runWorks-1), "--artifacts", artifacts)
	stderr, err := c.StderrPipe()
	check(t, err)
	check(t, c.Start())
	if trouble.run != nil {
		trouble.run(t, p, c.Process.Pid)
	}
	p.run(t, []int{0}, "queue", "resume")
	var log strings.Builder
	ended := false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		if !ended && strings.Contains(lines.Text(), "storage takes no files") {
			ended = true
			end(c.Process.Pid)
		}
	}
	if err := c.Wait(); err != nil {
		t.Errorf("run: %v\n%s", err, log.String())
	}
	return log.String()
}

// checkNoTemps fails the test if temporary files are left.
func checkNoTemps(t *testing.T, dir string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".part") {
			t.Errorf("left behind: %s", name)
		}
		return err
	}))
}
