package cli_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/need"
)

// TestInstall installs the program into a directory, as a packager does, runs it
// there, and removes it.
func TestInstall(t *testing.T) {
	_, err := exec.LookPath("make")
	need.Or(t, "make", err)
	program, err := exec.LookPath("quire")
	if err != nil {
		t.Fatal(err)
	}
	dest := t.TempDir() + "/with space"
	run := func(target string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), "make", "-C", "../..", target, "PROGRAM="+program, "DESTDIR="+dest, "PREFIX=/usr")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("make %s: %v\n%s", target, err, out)
		}
	}
	run("install")
	installed := filesIn(t, dest)
	for _, want := range []string{
		"usr/bin/quire", "usr/share/man/man1/quire.1", "usr/share/man/man1/quire-queue-run.1",
		"usr/share/man/man5/quire.yaml.5", "usr/share/man/man7/quire-environment.7",
		"usr/share/bash-completion/completions/quire", "usr/share/zsh/site-functions/_quire", "usr/share/fish/vendor_completions.d/quire.fish",
	} {
		if !slices.Contains(installed, want) {
			t.Errorf("%s is not installed", want)
		}
		about, err := os.Stat(filepath.Join(dest, want))
		if err == nil && (about.Size() == 0 || about.Mode().Perm()&0o444 != 0o444) {
			t.Errorf("%s has %d bytes and the mode %v", want, about.Size(), about.Mode())
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dest, "usr/bin/quire"), "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "quire ") {
		t.Errorf("what is installed says %q, %v", out, err)
	}
	run("install") // again, over what is there
	run("uninstall")
	if left := filesIn(t, dest); len(left) > 0 {
		t.Errorf("left after make uninstall: %v", left)
	}
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
