package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
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

func put(ctx context.Context, store blob.Store, body []byte, ext string) (blob.Blob, error) {
	w, err := store.Create(ctx, "42-7")
	if err != nil {
		return blob.Blob{}, err
	}
	defer w.Abort()
	if _, err := w.Write(body); err != nil {
		return blob.Blob{}, err
	}
	return w.Commit(ctx, ext)
}

func mustPut(t testing.TB, store blob.Store, body []byte, ext string) blob.Blob {
	t.Helper()
	b, err := put(t.Context(), store, body, ext)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// blobOf returns what Commit should.
func blobOf(body []byte, ext string) blob.Blob {
	sum := sha256.Sum256(body)
	x := hex.EncodeToString(sum[:])
	return blob.Blob{Path: "sha256/" + x[:2] + "/" + x[2:4] + "/" + x + ext, SHA256: x, Bytes: int64(len(body))}
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

func TestLocal_Commit(t *testing.T) {
	store, dir := open(t)
	body := []byte("a paper")
	want := blobOf(body, ".pdf")
	if got := mustPut(t, store, body, ".pdf"); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	want.Existed = true
	if got := mustPut(t, store, body, ".pdf"); !cmp.Equal(got, want) {
		t.Errorf("again: %s", cmp.Diff(want, got))
	}
	if got, want := tree(t, dir), []string{"artifacts/" + want.Path}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}

	f, size, err := store.Open(t.Context(), want.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, body) || size != int64(len(body)) {
		t.Errorf("read %q of %d bytes, %v", got, size, err)
	}
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

func TestLocal_partsNeverShow(t *testing.T) {
	store, dir := open(t)
	parts := func() []string { return tree(t, filepath.Join(dir, "tmp")) }
	w, err := store.Create(t.Context(), "42-7")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, strings.Repeat("x", 1<<20))
	if got := tree(t, filepath.Join(dir, "artifacts")); len(got) > 0 {
		t.Errorf("shown before Commit: %v", got)
	}
	if got := parts(); len(got) != 1 || !strings.HasPrefix(got[0], "42-7-") {
		t.Errorf("temporary files: %v", got)
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Commit(cancelled, ".pdf"); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit after the lease was lost: %v", err)
	}
	if got := tree(t, dir); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
	if _, err := w.Commit(t.Context(), ".pdf"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Commit: %v", err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after the end: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort after the end: %v", err)
	}
}

func TestLocal_Clean(t *testing.T) {
	store, dir := open(t)
	for range 3 { // crashed
		if _, err := store.Create(t.Context(), "1-1"); err != nil {
			t.Fatal(err)
		}
	}
	foreign := filepath.Join(dir, "tmp", "keep.txt")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := store.Clean(t.Context()); n != 3 || err != nil {
		t.Errorf("Clean: %d, %v", n, err)
	}
	if got, want := tree(t, dir), []string{"tmp/keep.txt"}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
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

func TestLocal_Open_badKeys(t *testing.T) {
	store, _ := open(t)
	good := mustPut(t, store, []byte("x"), ".pdf")
	missing := blobOf([]byte("y"), ".pdf").Path
	if _, _, err := store.Open(t.Context(), missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	for _, key := range []string{
		"", ".", "/", "sha256", "/etc/passwd", "../tmp", "sha256/../" + good.Path, "/" + good.Path, good.Path + "/",
		strings.ToUpper(good.Path), "sha256/" + good.SHA256 + ".pdf", good.Path + "\x00", good.Path + ".gz",
	} {
		if _, _, err := store.Open(t.Context(), key); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Open %q: %v, want ErrBadKey", key, err)
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

// Sixteen writers store four different files in one directory, again and again.
func TestLocal_concurrent(t *testing.T) {
	store, dir := open(t)
	var writers sync.WaitGroup
	for i := range 16 {
		writers.Go(func() {
			for round := range 8 {
				body := bytes.Repeat([]byte{byte((i + round) % 4)}, 100_000)
				got, err := put(t.Context(), store, body, ".pdf")
				want := blobOf(body, ".pdf")
				want.Existed = got.Existed
				if err != nil || got != want {
					t.Errorf("got %+v, %v", got, err)
				}
			}
		})
	}
	writers.Wait()
	files := tree(t, dir)
	if len(files) != 4 {
		t.Errorf("want 4 files, got %v", files)
	}
	for _, f := range files {
		body, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil || blobOf(body, ".pdf").Path != strings.TrimPrefix(f, "artifacts/") {
			t.Errorf("%s holds other bytes (%v)", f, err)
		}
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
