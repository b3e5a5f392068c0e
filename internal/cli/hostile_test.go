//go:build linux

package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// longQueue is a data directory with more jobs than a pipe holds lines of, a part of
// which are skipped, and a file of ids beside it. It is only looked at.
type longQueue struct{ dir string }

func newLongQueue(t *testing.T) longQueue {
	t.Helper()
	q := longQueue{t.TempDir()}
	var ids strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&ids, "10.5555/hostile.%d\n", i)
	}
	if err := os.WriteFile(q.path("ids.txt"), []byte(ids.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	q.must(t, 0, "queue", "import", q.path("ids.txt"))
	q.must(t, 0, "queue", "cancel", "--all", "--limit", "2000")
	return q
}

func (q longQueue) path(name string) string { return filepath.Join(q.dir, name) }

// command is quire on the queue, in its directory.
func (q longQueue) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c, _ := quireCommand(t, append([]string{"--data", q.path("data")}, args...)...)
	c.Dir, c.Stdout = q.dir, nil
	return c
}

func (q longQueue) must(t *testing.T, want int, args ...string) string {
	t.Helper()
	c := q.command(t, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if code := codeOf(t, c.Run()); code != want {
		t.Fatalf("%v: exit code %d, want %d: %s", args, code, want, out.String())
	}
	return out.String()
}

// codeOf is the exit code of a program that has ended.
func codeOf(t *testing.T, err error) int {
	t.Helper()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// awaitEnd waits for a program that has been started, at most for patience.
func awaitEnd(t *testing.T, c *exec.Cmd) int {
	t.Helper()
	timer := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	code := codeOf(t, c.Wait())
	if code == -1 {
		t.Errorf("%v was killed: it had not ended after %v", c.Args, patience)
	}
	return code
}

// files lists what is in the queue's directory, without what the database keeps
// beside itself.
func (q longQueue) files(t *testing.T) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(q.dir, func(path string, _ fs.DirEntry, err error) error {
		if !strings.Contains(path, "quire.db") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}

// printing are commands that print and do no lasting work.
func printing(q longQueue) map[string][]string {
	return map[string][]string{
		"list":               {"queue", "list"},
		"list, JSON":         {"--json", "queue", "list"},
		"list of ids":        {"queue", "list", "10.5555/hostile.1", "10.5555/hostile.2"},
		"show":               {"queue", "show", "10.5555/hostile.1"},
		"stats":              {"queue", "stats"},
		"stats, JSON":        {"--json", "queue", "stats"},
		"stats, watched":     {"queue", "stats", "--watch"},
		"export manifest":    {"export", "manifest"},
		"export csv":         {"export", "csv"},
		"export bibtex":      {"export", "bibtex"},
		"report":             {"report"},
		"report, Markdown":   {"report", "--format", "md"},
		"report, HTML":       {"report", "--format", "html"},
		"report, JSON":       {"--json", "report"},
		"explain":            {"explain", "10.5555/hostile.1"},
		"plan":               {"plan", q.path("ids.txt")},
		"limits":             {"limits"},
		"limits, JSON":       {"--json", "limits"},
		"sources list":       {"sources", "list"},
		"config show":        {"config", "show", "--origin"},
		"config schema":      {"config", "schema"},
		"help":               {"help"},
		"--help":             {"queue", "import", "--help"},
		"--version":          {"--version"},
		"version":            {"version"},
		"completion":         {"completion", "bash"},
		"verify":             {"verify"},
		"verify, JSON":       {"--json", "verify"},
		"retry, dry":         {"queue", "retry-failed", "--dry-run"},
		"import, dry":        {"queue", "import", q.path("ids.txt"), "--dry-run"},
		"bench":              {"bench", "queue", "--jobs", "10", "--keys", "1", "--workers", "1", "--depth", "10"},
		"known, queued anew": {"queue", "enqueue", "10.5555/hostile.1"},
	}
}

// A reader that goes away, at once or after the first bytes, is no error, and the
// program does not go on for nobody.
func TestHostile_readerGone(t *testing.T) {
	q := newLongQueue(t)
	before := q.files(t)
	for name, args := range printing(q) {
		for when, wanted := range map[string]int64{"before it begins": 0, "after a byte": 1} {
			t.Run(name+", "+when, func(t *testing.T) {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				if wanted == 0 {
					_ = r.Close()
				}
				c := q.command(t, args...)
				var said bytes.Buffer
				c.Stdout, c.Stderr = w, &said
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				_ = w.Close()
				_, _ = io.CopyN(io.Discard, r, wanted)
				_ = r.Close()
				if code := awaitEnd(t, c); code != 0 || said.Len() > 0 && !strings.HasPrefix(said.String(), "measuring") {
					t.Errorf("exit code %d, said %q", code, said.String())
				}
			})
		}
	}
	if after := q.files(t); after != before {
		t.Errorf("files were left behind: %s", after)
	}
}

// Output that can't be written is an error, in one line, and soon.
func TestHostile_fullOutput(t *testing.T) {
	q := newLongQueue(t)
	for name, args := range printing(q) {
		if name == "export bibtex" {
			continue // prints nothing: no work is done
		}
		t.Run(name, func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer full.Close()
			c := q.command(t, args...)
			var said bytes.Buffer
			c.Stdout, c.Stderr = full, &said
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			code := awaitEnd(t, c)
			if want := "quire: write output: write /dev/stdout: " + noRoom + "\n"; code != 1 || strings.TrimPrefix(said.String(), measuring(said.String())) != want {
				t.Errorf("exit code %d, said %q, want 1 and %q", code, said.String(), want)
			}
		})
	}
}

// A stderr that can't be written, or that is closed, changes no exit code.
func TestHostile_noStderr(t *testing.T) {
	q := newLongQueue(t)
	tests := map[string]struct {
		args []string
		code int
	}{
		"works":       {[]string{"queue", "stats"}, 0},
		"progress":    {[]string{"--progress", "tui", "queue", "import", q.path("ids.txt")}, 0},
		"rejects":     {[]string{"queue", "enqueue", "no id"}, 3},
		"usage":       {[]string{"queue", "list", "--limit", "-1"}, 2},
		"no file":     {[]string{"queue", "import", q.path("none.txt")}, 1},
		"no contact":  {[]string{"get", "10.5555/x"}, 4},
		"no such job": {[]string{"queue", "show", "10.5555/none"}, 1},
	}
	for name, tt := range tests {
		for how, redirect := range map[string]string{"full": "2>/dev/full", "closed": "2>&-", "all closed": "<&- >&- 2>&-"} {
			t.Run(name+", "+how, func(t *testing.T) {
				q := q.command(t, tt.args...)
				sh := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `exec "$0" "$@" ` + redirect}, append([]string{q.Path}, q.Args[1:]...)...)...)
				sh.Env, sh.Dir = q.Env, q.Dir
				if err := sh.Start(); err != nil {
					t.Fatal(err)
				}
				if code := awaitEnd(t, sh); code != tt.code {
					t.Errorf("exit code %d, want %d", code, tt.code)
				}
			})
		}
	}
}

// noRoom is what is said where there is none, and what to do about it.
const noRoom = "no space left on device; what is recorded is safe: make room, then run it again"

// measuring are the lines of progress that bench begins with.
func measuring(said string) string {
	lines, _, _ := strings.Cut(said, "quire: ")
	return lines
}
