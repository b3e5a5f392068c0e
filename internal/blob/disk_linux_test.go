package blob_test

import (
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

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/need"
)

const childEnv = "QUIRE_TEST_BLOB_DIR"

// TestMain lets the test binary stand in for a process that stores one file, so
// that it can be limited and traced.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		fmt.Println(storeOne(dir))
		return
	}
	os.Exit(runAll(m))
}

var oneFile = make([]byte, 1<<20)

// storeOne says in a word how it went.
func storeOne(dir string) string {
	store, err := blob.OpenLocal(filepath.Join(dir, "artifacts"), filepath.Join(dir, "tmp"))
	if err != nil {
		return err.Error()
	}
	defer store.Close()
	switch b, err := put(context.Background(), store, oneFile, ".pdf"); {
	case err == nil && b.Path == blobOf(oneFile, ".pdf").Path:
		return "stored"
	case blob.OutOfService(err):
		return "out of service"
	default:
		return err.Error()
	}
}

// child runs the stand-in under a command such as strace and returns its word,
// which is empty if it was killed.
func child(t *testing.T, dir string, under ...string) string {
	t.Helper()
	if under[0] == "strace" {
		need.Strace(t)
	}
	cmd := exec.CommandContext(t.Context(), under[0], append(under[1:], os.Args[0])...)
	cmd.Env = append(os.Environ(), childEnv+"="+dir, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); err != nil && (!ok || status.Signal() != syscall.SIGKILL) {
		t.Fatalf("%v: %v\n%s", under, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestLocal_outOfService(t *testing.T) {
	strace := func(call, err string) []string {
		return []string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":error=" + err}
	}
	tests := map[string]struct {
		under []string
		want  string
	}{
		"all is well":       {[]string{"env"}, "stored"},
		"file size limit":   {[]string{"sh", "-c", `ulimit -f 512; exec "$0"`}, "out of service"},
		"180 fsync fails":   {strace("fsync", "EIO"), "out of service"},
		"rename, disk full": {strace("renameat", "ENOSPC"), "out of service"},
		"rename, across":    {strace("renameat", "EXDEV"), "must be on the same file system"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.Mkdir(filepath.Join(dir, "artifacts"), 0o750)) // so that opening needs no fsync
			must(t, os.Mkdir(filepath.Join(dir, "tmp"), 0o750))
			if got := child(t, dir, tt.under...); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if left := tree(t, dir); tt.want != "stored" && len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestLocal_diskFull(t *testing.T) {
	dir := t.TempDir()
	need.Or(t, "mount", syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"))
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	store := reopen(t, dir)
	small := mustPut(t, store, []byte("small"), ".pdf")
	if _, err := put(t.Context(), store, make([]byte, 4<<20), ".pdf"); !errors.Is(err, syscall.ENOSPC) || !blob.OutOfService(err) {
		t.Errorf("4 MB on a disk of 2: %v", err)
	}
	if got, want := tree(t, dir), []string{"artifacts/" + small.Path}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	mustPut(t, store, []byte("there is room again"), ".pdf")

	if _, err := blob.OpenLocal(filepath.Join(dir, "artifacts"), t.TempDir()); !errors.Is(err, syscall.EXDEV) {
		t.Errorf("temporary files on another file system: %v", err)
	}
}

// The file is synced before it gets its name, and every directory after it
// gained a name.
func TestLocal_Commit_order(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	trace := filepath.Join(t.TempDir(), "trace")
	calls := "trace=fsync,fdatasync,renameat,renameat2,mkdirat"
	if got := child(t, dir, "strace", "-f", "-y", "-qq", "-o", trace, "-e", calls); got != "stored" {
		t.Fatal(got)
	}
	log, err := os.ReadFile(trace)
	must(t, err)
	sum := blobOf(oneFile, "").SHA256
	var got []string
	for line := range strings.Lines(string(log)) {
		_, call, _ := strings.Cut(strings.ReplaceAll(line, dir, ""), " ")
		call = strings.TrimSpace(call)
		name, _, _ := strings.Cut(call, "(")
		switch {
		case strings.Contains(call, "= -1"): // the check for one file system, and names already there
		case name == "mkdirat":
			got = append(got, "mkdir "+quoted(call)[0])
		case name == "fsync":
			got = append(got, "sync "+strings.NewReplacer(sum, "SUM").Replace(between(call, "<", ">")))
		case name == "renameat":
			got = append(got, "rename to "+strings.ReplaceAll(quoted(call)[1], sum, "SUM"))
		}
	}
	for i, call := range got {
		if strings.HasPrefix(call, "sync /tmp/42-7-") {
			got[i] = "sync the file"
		}
	}
	want := []string{
		"mkdir artifacts", "sync ", "mkdir tmp", "sync ",
		"mkdir sha256", "sync /artifacts",
		"mkdir " + sum[:2], "sync /artifacts/sha256",
		"mkdir " + sum[2:4], "sync /artifacts/sha256/" + sum[:2],
		"sync the file", "rename to SUM.pdf", "sync /artifacts/sha256/" + sum[:2] + "/" + sum[2:4],
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, log)
	}
}

// Killed at any of its calls, the process leaves the whole file or none, and the
// next one gets on.
func TestLocal_killed(t *testing.T) {
	want := "artifacts/" + blobOf(oneFile, ".pdf").Path
	kills := 0
	for _, call := range []string{"mkdirat", "write", "fsync", "renameat", "unlinkat"} {
		dir := t.TempDir()
		for n := 1; ; n++ {
			kill := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)
			word := child(t, dir, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call, "-e", kill)
			store := reopen(t, dir)
			if _, err := store.Clean(t.Context()); err != nil {
				t.Fatal(err)
			}
			left := tree(t, dir)
			if len(left) > 0 && !cmp.Equal(left, []string{want}) {
				t.Fatalf("killed at %s %d: left %v", call, n, left)
			}
			if len(left) > 0 {
				body, err := os.ReadFile(filepath.Join(dir, want))
				if err != nil || len(body) != len(oneFile) {
					t.Fatalf("killed at %s %d: a file of %d bytes, %v", call, n, len(body), err)
				}
			}
			if word == "stored" {
				break
			}
			kills++
			must(t, os.RemoveAll(filepath.Join(dir, "artifacts")))
		}
	}
	if t.Logf("killed at %d points", kills); kills < 10 {
		t.Error("too few to mean anything")
	}
}

func quoted(call string) (texts []string) {
	for i, part := range strings.Split(call, `"`) {
		if i%2 == 1 {
			texts = append(texts, part)
		}
	}
	return texts
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestOutOfService(t *testing.T) {
	for err, want := range map[error]bool{
		nil: false, errors.New("x"): false, fs.ErrNotExist: false, context.Canceled: false, blob.ErrForeign: false,
		&fs.PathError{Op: "write", Err: syscall.ENOSPC}: true, fmt.Errorf("write: %w", syscall.EROFS): true, syscall.EINVAL: false,
	} {
		if got := blob.OutOfService(err); got != want {
			t.Errorf("%v: got %t", err, got)
		}
	}
}
