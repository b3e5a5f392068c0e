package blob_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
)

// What is set aside is never written over, and what is set aside as a symlink is the
// symlink.
func TestLocal_SetAside(t *testing.T) {
	store, dir := open(t)
	b := mustPut(t, store, []byte("x"), ".pdf")
	name := filepath.Join(dir, "artifacts", filepath.FromSlash(b.Path))
	outside := filepath.Join(t.TempDir(), "outside")
	must(t, os.WriteFile(outside, []byte("precious"), 0o600))
	for _, want := range []string{"quarantine/" + b.SHA256 + ".pdf", "quarantine/" + b.SHA256 + ".pdf~2"} {
		place, err := store.SetAside(t.Context(), b.Path)
		if err != nil || place != want {
			t.Errorf("place %q, %v; want %q", place, err, want)
		}
		must(t, os.Symlink(outside, name))
	}
	if _, err := store.SetAside(t.Context(), b.Path); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(outside); string(got) != "precious" {
		t.Errorf("outside: %q", got)
	}
	if got := tree(t, filepath.Join(dir, "quarantine")); len(got) != 3 {
		t.Errorf("quarantine holds %v", got)
	}
	if fi, err := os.Stat(filepath.Join(dir, "quarantine")); err != nil || fi.Mode().Perm()&^0o750 != 0 {
		t.Errorf("mode of the quarantine: %v, %v", fi.Mode(), err)
	}
	if again := mustPut(t, store, []byte("x"), ".pdf"); again.Existed {
		t.Error("what was set aside still counts as stored")
	}
}

func TestLocal_SetAside_refuses(t *testing.T) {
	store, dir := open(t)
	b := mustPut(t, store, []byte("x"), ".pdf")
	must(t, os.Mkdir(filepath.Join(dir, "artifacts", "other"), 0o750))
	must(t, os.WriteFile(filepath.Join(dir, "artifacts", "other", "file"), nil, 0o600))
	must(t, os.Symlink("../other", filepath.Join(dir, "artifacts", "sha256", "zz")))
	for key, want := range map[string]error{
		"sha256/../other/file": fs.ErrInvalid, "/etc/passwd": fs.ErrInvalid, "other/file": fs.ErrInvalid, "": fs.ErrInvalid, "sha256": fs.ErrInvalid,
		"sha256/zz/file": blob.ErrForeign, blobOf([]byte("y"), ".pdf").Path: fs.ErrNotExist,
	} {
		if place, err := store.SetAside(t.Context(), key); !errors.Is(err, want) {
			t.Errorf("SetAside(%q): %q, %v; want %v", key, place, err, want)
		}
	}
	if got, want := len(tree(t, dir)), 3; got != want {
		t.Errorf("%d files are left, want %d", got, want)
	}
	must(t, os.Symlink(t.TempDir(), filepath.Join(dir, "quarantine")))
	if _, err := store.SetAside(t.Context(), b.Path); !errors.Is(err, blob.ErrForeign) {
		t.Errorf("quarantine is a symlink: %v", err)
	}
}

// 54: A symlink to another directory of the store is not followed either.
func TestLocal_Open_symlinkedDirectory(t *testing.T) {
	store, dir := open(t)
	b := mustPut(t, store, []byte("x"), ".pdf")
	upper := filepath.Join(dir, "artifacts", "sha256", b.SHA256[:2])
	must(t, os.Rename(upper, filepath.Join(dir, "artifacts", "moved")))
	must(t, os.Symlink("../moved", upper))
	if f, _, err := store.Open(t.Context(), b.Path); !errors.Is(err, blob.ErrForeign) {
		t.Errorf("got %v, %v; want ErrForeign", f, err)
	}
}

func TestLookLocal(t *testing.T) {
	store, dir := open(t)
	b := mustPut(t, store, []byte("x"), ".pdf")
	looking, err := blob.LookLocal(filepath.Join(dir, "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	defer looking.Close()
	f, n, err := looking.Open(t.Context(), b.Path)
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	f.Close()
	if _, err := looking.Create(t.Context(), "1-1"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Create: %v", err)
	}
	if _, err := looking.SetAside(t.Context(), b.Path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("SetAside: %v", err)
	}
	none := filepath.Join(t.TempDir(), "none")
	if _, err := blob.LookLocal(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LookLocal of nothing: %v", err)
	}
	if _, err := blob.LookLinks(none, none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LookLinks of nothing: %v", err)
	}
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking made it: %v", err)
	}
}

// 54: A file beside a link replaces what is ours and nothing else, and follows nothing.
func TestLinks_Write(t *testing.T) {
	_, links, works := openLinks(t)
	outside := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(outside, []byte("precious"), 0o600))
	must(t, os.Mkdir(filepath.Join(works, "a"), 0o750))
	must(t, os.Symlink(outside, filepath.Join(works, "a", "x.json")))
	must(t, os.Mkdir(filepath.Join(works, "a", "dir.json"), 0o750))
	must(t, os.Symlink(filepath.Dir(outside), filepath.Join(works, "out")))
	for _, text := range []string{"first", "second"} {
		must(t, links.Write("a/x.json", []byte(text)))
		if got, err := links.Read("a/x.json"); err != nil || string(got) != text {
			t.Errorf("read %q, %v", got, err)
		}
	}
	if fi, err := os.Lstat(filepath.Join(works, "a", "x.json")); err != nil || fi.Mode()&^0o640 != 0 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	for name, want := range map[string]error{
		"a/dir.json": blob.ErrForeign, "out/x.json": blob.ErrForeign, "../x.json": fs.ErrInvalid, "": fs.ErrInvalid, `a\x`: fs.ErrInvalid,
	} {
		if err := links.Write(name, nil); !errors.Is(err, want) {
			t.Errorf("Write(%q): %v, want %v", name, err, want)
		}
	}
	if got, _ := os.ReadFile(outside); string(got) != "precious" {
		t.Errorf("outside: %q", got)
	}
	if got := tree(t, filepath.Dir(outside)); len(got) != 1 {
		t.Errorf("outside: %v", got)
	}
	must(t, os.WriteFile(filepath.Join(works, "a", "large.json"), make([]byte, 1<<20+1), 0o600))
	if _, err := links.Read("a/large.json"); !errors.Is(err, blob.ErrForeign) {
		t.Errorf("more than any sidecar: %v", err)
	}
}

func TestLinks_Walk(t *testing.T) {
	store, links, works := openLinks(t)
	b := mustPut(t, store, []byte("1"), ".pdf")
	must(t, links.Link("b/x", b.Path))
	must(t, links.Link("a/x/y", b.Path))
	must(t, links.Write("a/x.json", []byte("{}")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(works, "b", "y.pdf")))
	must(t, links.Write("a/x.json", []byte("{}"))) // makes .tmp
	must(t, os.WriteFile(filepath.Join(works, ".tmp", "left"), nil, 0o600))
	var got []blob.Entry
	must(t, links.Walk(t.Context(), func(e blob.Entry) error {
		if since := time.Since(e.Modified); since < -time.Second || since > time.Minute {
			t.Errorf("%s was modified %v ago", e.Name, since)
		}
		e.Modified = time.Time{}
		got = append(got, e)
		return nil
	}))
	want := []blob.Entry{
		{Name: "a/x/y.pdf", Blob: b.Path},
		{Name: "a/x.json", Regular: true},
		{Name: "b/x.pdf", Blob: b.Path},
		{Name: "b/y.pdf"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	must(t, links.Clean(t.Context()))
	if left := tree(t, filepath.Join(works, ".tmp")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	for _, e := range want[:3] {
		must(t, links.Remove(e))
	}
	for _, e := range []blob.Entry{{Name: "b/y.pdf", Blob: b.Path}, {Name: "b/y.pdf", Regular: true}} {
		if err := links.Remove(e); !errors.Is(err, blob.ErrForeign) {
			t.Errorf("Remove(%+v): %v, want ErrForeign", e, err)
		}
	}
}
