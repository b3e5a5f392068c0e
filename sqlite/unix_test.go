//go:build unix

package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

func TestOpen_refusesSpecialFiles(t *testing.T) {
	tests := map[string]refusal{
		"fifo":         {func(t *testing.T, path string) { check(t, syscall.Mkfifo(path, 0o644)) }, all, queue.ErrDamaged, "regular file"},
		"device":       {func(t *testing.T, path string) { link(t, "/dev/zero", path) }, all, queue.ErrDamaged, "regular file"},
		"symlink loop": {func(t *testing.T, path string) { link(t, path, path) }, all, syscall.ELOOP, ""},
	}
	for name, tt := range tests {
		t.Run(name, tt.try)
	}
}

// A user who may only read, in a directory where nothing can be created, sees
// the jobs; the same user gets a clear error when asking to write.
func TestOpen_readOnlyDirectory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become a user without rights")
	}
	dir, err := os.MkdirTemp("", "quire") //nolint:usetesting // t.TempDir is closed to the other user
	check(t, err)
	defer os.RemoveAll(dir)
	check(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, "quire.db")
	filled(t, path)
	check(t, os.Chmod(path, 0o644))
	program, err := os.ReadFile("/proc/self/exe")
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "program"), program, 0o755))
	before := listing(t, dir)

	for role, want := range map[string]string{"read": "3\n", "import": "permission denied"} {
		cmd := child(t, role, path)
		cmd.Path, cmd.Stderr = filepath.Join(dir, "program"), nil
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if out, _ := cmd.CombinedOutput(); !strings.HasSuffix(strings.TrimSpace(string(out)), strings.TrimSpace(want)) {
			t.Errorf("%s: got %q, want %q", role, out, want)
		}
	}
	if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
		t.Errorf("files have changed:\n%s", diff)
	}
}
