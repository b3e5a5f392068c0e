package blob_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/quire-dev/quire/internal/blob"
)

func openLinks(t *testing.T) (store *blob.Local, links *blob.Links, works string) {
	t.Helper()
	store, dir := open(t)
	works = filepath.Join(dir, "works")
	links, err := blob.OpenLinks(works, filepath.Join(dir, "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { links.Close() })
	return store, links, works
}

func TestLinks(t *testing.T) {
	store, links, works := openLinks(t)
	first, second := mustPut(t, store, []byte("1"), ".pdf"), mustPut(t, store, []byte("2"), ".pdf")
	for _, name := range []string{"doi_10.1371%2Fx", "10.1371/a/b", "10.1371/a/c"} {
		for _, b := range []blob.Blob{first, first, second, first} {
			if err := links.Link(name, b.Path); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(works, name+".pdf"))
			want, _ := os.ReadFile(filepath.Join(works, "..", "artifacts", b.Path))
			if err != nil || string(got) != string(want) {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
	}
	if got, _ := os.Readlink(filepath.Join(works, "10.1371/a/b.pdf")); got != "../../../artifacts/"+first.Path {
		t.Errorf("link is %q", got)
	}
	if got := tree(t, works); len(got) != 3 {
		t.Errorf("left behind: %v", got)
	}
}

// An extension of two parts is the link's as a whole.
func TestLinks_twoParts(t *testing.T) {
	store, links, works := openLinks(t)
	b := mustPut(t, store, []byte("x"), ".tar.gz")
	if err := links.Link("a.b", b.Path); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(works, "a.b.tar.gz")); string(got) != "x" {
		t.Errorf("got %q, %v", got, err)
	}
	f, n, err := store.Open(t.Context(), b.Path)
	if err != nil || n != 1 || !strings.HasSuffix(b.Path, b.SHA256+".tar.gz") {
		t.Fatalf("%+v: %d bytes, %v", b, n, err)
	}
	f.Close()
}

func TestLinks_refuses(t *testing.T) {
	store, links, works := openLinks(t)
	b := mustPut(t, store, []byte("1"), ".pdf")
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(works, "mine.pdf"), []byte("precious"), 0o600))
	must(t, os.Mkdir(filepath.Join(works, "dir.pdf"), 0o750))
	must(t, os.Symlink(outside, filepath.Join(works, "out")))
	must(t, os.Symlink("..", filepath.Join(works, "up")))
	tests := []struct {
		name, path string
		want       error
	}{
		{"mine", b.Path, blob.ErrForeign},
		{"dir", b.Path, blob.ErrForeign},
		{"out/x", b.Path, blob.ErrForeign},
		{"up/x", b.Path, blob.ErrForeign},
		{"mine.pdf/x", b.Path, blob.ErrForeign},
		{"", b.Path, fs.ErrInvalid},
		{".", b.Path, fs.ErrInvalid},
		{"../x", b.Path, fs.ErrInvalid},
		{"a/../x", b.Path, fs.ErrInvalid},
		{"/x", b.Path, fs.ErrInvalid},
		{"a//x", b.Path, fs.ErrInvalid},
		{`..\x`, b.Path, fs.ErrInvalid},
		{"x\x00", b.Path, fs.ErrInvalid},
		{"x", "../../etc/passwd", blob.ErrBadKey},
	}
	for _, tt := range tests {
		if err := links.Link(tt.name, tt.path); !errors.Is(err, tt.want) {
			t.Errorf("Link(%q, %q): %v, want %v", tt.name, tt.path, err, tt.want)
		}
	}
	if got := tree(t, outside); len(got) > 0 {
		t.Errorf("written outside: %v", got)
	}
	if got, _ := os.ReadFile(filepath.Join(works, "mine.pdf")); string(got) != "precious" {
		t.Errorf("overwritten: %q", got)
	}
}

// 54: A planted symlink at the name of a link is replaced, not written through.
func TestLinks_plantedSymlink(t *testing.T) {
	store, links, works := openLinks(t)
	b := mustPut(t, store, []byte("1"), ".pdf")
	outside := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(outside, []byte("precious"), 0o600))
	must(t, os.Symlink(outside, filepath.Join(works, "x.pdf")))
	must(t, links.Link("x", b.Path))
	if got, _ := os.ReadFile(outside); string(got) != "precious" {
		t.Errorf("overwritten: %q", got)
	}
	if got, _ := os.ReadFile(filepath.Join(works, "x.pdf")); string(got) != "1" {
		t.Errorf("link gives %q", got)
	}
}

func TestLinks_concurrent(t *testing.T) {
	store, links, works := openLinks(t)
	blobs := []blob.Blob{mustPut(t, store, []byte("1"), ".pdf"), mustPut(t, store, []byte("2"), ".pdf")}
	must(t, links.Link("a/x", blobs[0].Path))
	var linkers sync.WaitGroup
	for i := range 8 {
		linkers.Go(func() {
			for round := range 20 {
				if err := links.Link("a/x", blobs[(i+round)%2].Path); err != nil {
					t.Error(err)
				}
				if got, err := os.ReadFile(filepath.Join(works, "a/x.pdf")); len(got) != 1 || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	linkers.Wait()
	if got := tree(t, works); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
