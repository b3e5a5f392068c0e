//go:build linux

package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/quire-dev/quire/internal/need"
)

// smallDisk is a file system of a few pages, in memory.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	need.Or(t, "mount", syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size))
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// names are the files of a directory, with commas.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, ", ")
}

// An output file that finds no room is an error that names it; nothing of it is left,
// and what was there stays.
func TestHostile_fullDisk(t *testing.T) {
	q := newLongQueue(t)
	tests := map[string]struct {
		args func(out string) []string
		said string
	}{
		"export manifest": {func(out string) []string { return []string{"export", "manifest", "--output", out} }, "quire: export: write OUT: " + noRoom + "\n"},
		"export csv":      {func(out string) []string { return []string{"export", "csv", "--output", out} }, "quire: export: write OUT: " + noRoom + "\n"},
		"on a terminal":   {func(out string) []string { return []string{"export", "csv", "--output", out, "--progress", "tui"} }, "quire: export: write OUT: " + noRoom + "\n"},
	}
	for name, tt := range tests {
		for was, text := range map[string]string{"nothing was there": "", "something was": "kept"} {
			t.Run(name+", "+was, func(t *testing.T) {
				disk := smallDisk(t, "64k")
				out, left := filepath.Join(disk, "out"), ""
				if text != "" {
					left = "out"
					if err := os.WriteFile(out, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				got := q.must(t, 1, tt.args(out)...)
				if want := strings.ReplaceAll(tt.said, "OUT", out); got != want {
					t.Errorf("said %q, want %q", got, want)
				}
				if got := names(t, disk); got != left {
					t.Errorf("left on the disk: %q, want %q", got, left)
				}
				if got, _ := os.ReadFile(out); string(got) != text {
					t.Errorf("what was there is %q, want %q", got, text)
				}
			})
		}
	}
}

// A bag that finds no room is gone.
func TestHostile_fullDisk_bag(t *testing.T) {
	q := newLongQueue(t)
	disk := smallDisk(t, "8k") // two pages: less than a bag of nothing takes
	out := filepath.Join(disk, "bag")
	got := q.must(t, 1, "export", "bagit", "--output", out)
	if !strings.HasPrefix(got, "quire: make bag "+out+": ") || !strings.HasSuffix(got, noRoom+"\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("said %q", got)
	}
	if left := names(t, disk); left != "" {
		t.Errorf("left on the disk: %s", left)
	}
}

// Rejects that find no room end the import; those that are there are whole lines.
func TestHostile_fullDisk_rejects(t *testing.T) {
	q := newLongQueue(t)
	disk := smallDisk(t, "16k")
	rejects, bad := filepath.Join(disk, "rejects.jsonl"), filepath.Join(q.dir, "bad.txt")
	if err := os.WriteFile(bad, []byte(strings.Repeat("this is no identifier\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := q.must(t, 1, "queue", "import", bad, "--dry-run", "--rejects", rejects)
	if want := "quire: write rejects file: write " + rejects + ": no space left on device (before that: 0 added, 0 already known, "; !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("said %q", got)
	}
	text, err := os.ReadFile(rejects)
	if err != nil || len(text) == 0 || !bytes.HasSuffix(text, []byte("}\n")) {
		t.Errorf("%d bytes, %v; the end is %q", len(text), err, text[max(0, len(text)-30):])
	}
}

// A repair that finds no room changes nothing that it could not finish, and does it
// once there is room.
func TestHostile_fullDisk_repair(t *testing.T) {
	disk := smallDisk(t, "2m")
	q := longQueue{disk}
	q.must(t, 0, "queue", "enqueue", "10.5555/a", "10.5555/b")
	q.must(t, 0, "queue", "cancel", "--all")
	q.must(t, 3, "verify", "--repair") // writes the manifest
	manifest, stray := q.path("data/manifest.jsonl"), q.path("data/artifacts/stray.pdf")
	damaged := append([]byte("this is no line\n"), bytes.Repeat([]byte("x"), 64<<10)...)
	for name, text := range map[string][]byte{manifest: damaged, stray: []byte("stray")} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fill := q.path("fill")
	f, err := os.Create(fill)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	_ = f.Close()

	got := q.must(t, 1, "verify", "--repair")
	if strings.Count(got, "quire: ") != 1 || !strings.Contains(got, "no space left on device") {
		t.Errorf("said %q", got)
	}
	if text, err := os.ReadFile(manifest); err != nil || !bytes.Equal(text, damaged) {
		t.Errorf("the manifest has changed: %d bytes, %v", len(text), err)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	q.must(t, 3, "verify", "--repair")
	if got := q.must(t, 0, "verify"); !strings.Contains(got, ": 0 findings") {
		t.Errorf("afterwards: %s", got)
	}
}
