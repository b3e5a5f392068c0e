package blob_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/blobtest"
)

// open opens a store in a new directory, which holds artifacts and tmp.
func open(t testing.TB) (store *blob.Local, dir string) {
	t.Helper()
	dir = t.TempDir()
	return reopen(t, dir), dir
}

func reopen(t testing.TB, dir string) *blob.Local {
	t.Helper()
	store, err := blob.OpenLocal(filepath.Join(dir, "artifacts"), filepath.Join(dir, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// tree returns the files and links below dir.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(name, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

var put, mustPut, blobOf = blobtest.Put, blobtest.MustPut, blobtest.Of

func TestLocal(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Subject {
		store, dir := open(t)
		return blobtest.Subject{
			Store: store, Temps: filepath.Join(dir, "tmp"),
			Kept: func(t testing.TB) []string { return tree(t, filepath.Join(dir, "artifacts")) },
			Plant: func(t testing.TB, key, body string) {
				name := filepath.Join(dir, "artifacts", key)
				must(t, errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, []byte(body), 0o600)))
			},
		}
	})
}

func TestLocal_Commit_modes(t *testing.T) {
	store, dir := open(t)
	b := mustPut(t, store, []byte("x"), "")
	name := filepath.Join(dir, "artifacts", filepath.FromSlash(b.Path))
	for name, most := range map[string]fs.FileMode{name: 0o640, filepath.Dir(name): 0o750, filepath.Join(dir, "tmp"): 0o750} {
		fi, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if fi.Mode().Perm()&^most != 0 {
			t.Errorf("%s: mode %v, want at most %v", name, fi.Mode(), most)
		}
	}
}

func TestLocal_Commit_mendsDamage(t *testing.T) {
	store, dir := open(t)
	b := mustPut(t, store, []byte("a whole paper"), ".pdf")
	name := filepath.Join(dir, "artifacts", b.Path)
	if err := os.Truncate(name, 3); err != nil {
		t.Fatal(err)
	}
	if again := mustPut(t, store, []byte("a whole paper"), ".pdf"); again.Existed {
		t.Error("a cut file passes for a whole one")
	}
	if got, _ := os.ReadFile(name); string(got) != "a whole paper" {
		t.Errorf("got %q", got)
	}
}

func TestLocal_refuses(t *testing.T) {
	store, dir := open(t)
	body := []byte("a paper")
	b := blobOf(body, ".pdf")
	target := filepath.Join(dir, "artifacts", b.Path)
	outside := filepath.Join(dir, "outside")
	if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	plants := map[string]func() error{
		"symlink to a file":  func() error { return os.Symlink(outside, target) },
		"symlink to nothing": func() error { return os.Symlink("nowhere", target) },
		"directory":          func() error { return os.Mkdir(target, 0o750) },
		"symlink for a directory": func() error {
			return errors.Join(os.Remove(filepath.Dir(target)), os.Symlink(dir, filepath.Dir(target)))
		},
		"file for a directory": func() error {
			return errors.Join(os.Remove(filepath.Dir(target)), os.WriteFile(filepath.Dir(target), nil, 0o600))
		},
	}
	for name, plant := range plants {
		t.Run(name, func(t *testing.T) {
			if err := os.RemoveAll(filepath.Join(dir, "artifacts")); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := plant(); err != nil {
				t.Fatal(err)
			}
			store := reopen(t, dir)
			before := tree(t, dir)
			if _, err := put(t.Context(), store, body, ".pdf"); !errors.Is(err, blob.ErrForeign) {
				t.Errorf("Commit: %v, want ErrForeign", err)
			}
			if f, _, err := store.Open(t.Context(), b.Path); err == nil {
				f.Close()
				t.Error("opened")
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
			if got, _ := os.ReadFile(outside); string(got) != "precious" {
				t.Errorf("outside: %q", got)
			}
		})
	}
	for _, name := range []string{"", "../x", "a/b", `a\b`, "a\x00", strings.Repeat("x", 101)} {
		if _, err := store.Create(t.Context(), name); err == nil {
			t.Errorf("Create %q: no error", name)
		}
	}
	for _, ext := range []string{"pdf", ".", "./x", ".PDF", "..pdf", ".tar.", "a.gz", ".pdf.gz", ".tar.gz.gz", ".toolongext"} {
		if _, err := put(t.Context(), store, body, ext); err == nil {
			t.Errorf("Commit with extension %q: no error", ext)
		}
	}
}

func TestOpenLocal_refuses(t *testing.T) {
	dir := t.TempDir()
	file, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "dangling")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink("nowhere", dangling)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{file, dangling, filepath.Join(file, "x")} {
		if _, err := blob.OpenLocal(bad, filepath.Join(dir, "tmp")); err == nil {
			t.Errorf("opened with %s for the blobs", bad)
		}
		if _, err := blob.OpenLocal(filepath.Join(dir, "artifacts"), bad); err == nil {
			t.Errorf("opened with %s for the temporary files", bad)
		}
	}
}

func TestLocal_Walk(t *testing.T) {
	store, dir := open(t)
	walk := func() (got []blob.Blob) {
		t.Helper()
		if err := store.Walk(t.Context(), func(b blob.Blob) error {
			if since := time.Since(b.Modified); since < 0 || since > time.Minute {
				t.Errorf("%s was modified %v ago", b.Path, since)
			}
			b.Modified = time.Time{}
			got = append(got, b)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := walk(); len(got) > 0 {
		t.Errorf("empty store: %v", got)
	}
	a, b := mustPut(t, store, []byte("a"), ".pdf"), mustPut(t, store, []byte("b"), ".xml")
	stray := filepath.Join(dir, "artifacts", "sha256", "stray")
	if err := os.WriteFile(stray, []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "artifacts", "sha256", "zz")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	a.Existed, b.Existed = true, true
	want := []blob.Blob{b, a, {Path: "sha256/stray", Bytes: 1, Existed: true}, {Path: "sha256/zz", Bytes: int64(len(dir)), Existed: true}}
	if diff := cmp.Diff(want, walk()); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("enough")
	if err := store.Walk(t.Context(), func(blob.Blob) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped by fn: %v", err)
	}
}

func TestLocal_directoryRemovedMeanwhile(t *testing.T) {
	store, dir := open(t)
	mustPut(t, store, []byte("x"), "")
	if err := os.RemoveAll(filepath.Join(dir, "artifacts", "sha256")); err != nil {
		t.Fatal(err)
	}
	if _, err := put(t.Context(), store, []byte("x"), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("first attempt: %v", err)
	}
	mustPut(t, store, []byte("x"), "")
}

func BenchmarkLocal(b *testing.B) {
	const size, writers = 40 << 10, 64
	store, _ := open(b)
	b.SetBytes(size)
	jobs := make(chan int)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			body := make([]byte, size)
			for n := range jobs {
				copy(body, fmt.Sprint(n, " "))
				if _, err := put(context.Background(), store, body, ".pdf"); err != nil {
					b.Error(err)
				}
			}
		})
	}
	n := 0
	for b.Loop() {
		jobs <- n
		n++
	}
	close(jobs)
	group.Wait()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "files/s")
}
