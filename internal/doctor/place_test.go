package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// named returns the checks of a name.
func named(checks []Check, name string) (found []Check) {
	for _, c := range checks {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "nothing"), link); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data  string
		want  Status
		found string
	}{
		"there":       {dir, OK, "can be written"},
		"to be made":  {filepath.Join(dir, "a", "b"), OK, "not there yet; will be made when it is needed"},
		"a file":      {file, Fail, file + " is no directory"},
		"below one":   {filepath.Join(file, "a"), Fail, filepath.Join(file, "a") + ": not a directory"},
		"a dead link": {link, Fail, link + " is a link to something that is not there"},
		"too long":    {filepath.Join(dir, strings.Repeat("x", 300)), Fail, filepath.Join(dir, strings.Repeat("x", 300)) + ": file name too long"},
	} {
		got := Places{Data: tt.data}.Directories()[0]
		if got.Status != tt.want || got.Found != tt.found || got.Status == Fail && got.Next == "" {
			t.Errorf("%s: got %+v, want %s: %s", name, got, tt.want, tt.found)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDirectories_notOurs(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	manifest := filepath.Join(dir, "manifest.jsonl")
	if err := os.WriteFile(manifest, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	got := named(Places{Data: dir}.Directories(), "files in it")
	if len(got) != 1 || got[0].Status != Fail || !strings.Contains(got[0].Found, manifest) {
		t.Errorf("got %+v", got)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	if c := (Places{Data: filepath.Join(dir, "data")}).Directories()[0]; c.Status != Fail || !strings.HasPrefix(c.Found, "no right to write to "+dir) {
		t.Errorf("got %+v", c)
	}
}

func TestDirectories_otherDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other, err := os.MkdirTemp("/dev/shm", "quire-test-*") //nolint:usetesting // on purpose where TempDir is not
	if err != nil {
		t.Skipf("no second file system: %v", err)
	}
	defer os.RemoveAll(other)
	if err := os.Rename(filepath.Join(dir, "none"), filepath.Join(other, "none")); !errors.Is(err, syscall.EXDEV) {
		t.Skipf("both are one file system: %v", err)
	}
	if err := errors.Join(os.Symlink(other, filepath.Join(dir, "tmp")), os.Mkdir(filepath.Join(dir, "artifacts"), 0o700)); err != nil {
		t.Fatal(err)
	}
	p := Places{Data: dir, Files: filepath.Join(dir, "artifacts"), Temp: filepath.Join(dir, "tmp")}
	got := named(p.Directories(), "temporary files")
	if len(got) != 1 || got[0].Status != Fail || got[0].Next == "" {
		t.Errorf("got %+v, want a failure", got)
	}
	p.Temp = filepath.Join(dir, "artifacts", "tmp")
	if got := named(p.Directories(), "temporary files"); len(got) > 0 {
		t.Errorf("on one file system: %+v", got)
	}
}

func TestDisks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checks := Places{Data: dir, Database: filepath.Join(dir, "quire.db"), Files: filepath.Join(dir, "artifacts"), Temp: filepath.Join(dir, "tmp")}.Disks()
	if got := named(checks, "disk"); len(got) != 1 || got[0].Found == "" {
		t.Errorf("got %+v, want one file system", checks)
	}
}

func TestSpace(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	p := Places{MaxBytes: 256 << 20, Workers: 32}
	for name, tt := range map[string]struct {
		free, nodes uint64
		jobs        int
		want        Status
		found       string
	}{
		"enough":                {100 * gib, 1e6, 1000, OK, ""},
		"not a file":            {300 << 20, 1e6, 0, Fail, "take 320 MiB"},
		"a few large ones":      {gib, 1e6, 0, Warn, "4 files of the largest size take 1.0 GiB"},
		"not the queue":         {10 * gib, 1e6, 100_000, Warn, "each of the 100000 works that are left gives a file of 1.4 MB, they take 133 GiB"},
		"no inodes":             {100 * gib, 100, 0, Fail, "100 inodes are free, and 32 works at once take up to 192"},
		"few inodes":            {100 * gib, 1000, 1000, Warn, "1000 inodes are free, and the 1000 works that are left take up to 6000"},
		"nothing of everything": {0, 0, 10, Fail, "inodes"},
	} {
		p.Jobs = tt.jobs
		got := p.space("there", disk{kind: "ext4", free: tt.free, bytes: 200 * gib, nodes: tt.nodes, files: 2e6})
		if got.Status != tt.want || !strings.Contains(got.Found, tt.found) || (got.Next == "") != (tt.want == OK) {
			t.Errorf("%s: got %+v, want %s: …%s", name, got, tt.want, tt.found)
		}
	}
	p.Jobs = 0
	if got := p.space("there", disk{free: 100 * gib, bytes: 200 * gib}); got.Status != OK || got.Found != "100 GiB free of 200 GiB" {
		t.Errorf("of a file system that counts no inodes: %+v", got)
	}
}

func TestSuits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		d     disk
		wants string
	}{
		"a disk":  {disk{kind: "XFS"}, ""},
		"network": {disk{kind: "NFS", remote: true}, "NFS, on another machine"},
		"memory":  {disk{kind: "tmpfs", passing: true}, "tmpfs, in memory"},
	} {
		got := tt.d.suits("there")
		if tt.wants == "" && len(got) > 0 || tt.wants != "" && (len(got) != 1 || got[0].Status != Warn || !strings.HasPrefix(got[0].Found, tt.wants)) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestWorse(t *testing.T) {
	t.Parallel()
	order := []Status{Skipped, OK, Warn, Fail}
	for i, a := range order {
		for j, b := range order {
			if got := worse(a, b); slices.Index(order, got) != max(i, j) {
				t.Errorf("worse of %s and %s: %s", a, b, got)
			}
		}
	}
}
