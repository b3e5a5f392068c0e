// Package blobtest is what every [blob.Store] must do, as tests.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
)

// Subject is an empty store, and a look at it from outside.
type Subject struct {
	Store interface {
		blob.Store
		Clean(ctx context.Context) (removed int, err error)
	}
	Temps string                                      // directory of temporary files
	Kept  func(t testing.TB) []string                 // keys of all that is kept, in order, whether or not it shows
	Plant func(t testing.TB, key string, body string) // puts something there, not through the store
}

// Run runs the suite. open makes a subject that lives as long as the test.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for name, check := range map[string]func(*testing.T, Subject){
		"F 142: keeps what it was given": keeps,
		"reads from anywhere":            seeks,
		"shows nothing before Commit":    hides,
		"drops what is aborted":          aborts,
		"gives up when the caller does":  givesUp,
		"removes temporary files":        cleans,
		"refuses bad keys":               badKeys,
		"refuses bad names":              badNames,
		"walks in order":                 walks,
		"ends a walk when told":          endsWalk,
		"sets files aside":               setsAside,
		"takes many writers":             concurrent,
		"takes the same bytes at once":   sameAtOnce,
	} {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

// Put stores body in one go.
func Put(ctx context.Context, store blob.Store, body []byte, ext string) (blob.Blob, error) {
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

// MustPut is Put for a store that is well.
func MustPut(t testing.TB, store blob.Store, body []byte, ext string) blob.Blob {
	t.Helper()
	b, err := Put(t.Context(), store, body, ext)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Of returns what Commit should.
func Of(body []byte, ext string) blob.Blob {
	sum := sha256.Sum256(body)
	x := hex.EncodeToString(sum[:])
	return blob.Blob{Path: "sha256/" + x[:2] + "/" + x[2:4] + "/" + x + ext, SHA256: x, Bytes: int64(len(body))}
}

// Read returns the bytes of a blob.
func Read(t testing.TB, store blob.Store, key string) []byte {
	t.Helper()
	f, size, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	body, err := io.ReadAll(f)
	if err != nil || size != int64(len(body)) {
		t.Errorf("read %d bytes of %d: %v", len(body), size, err)
	}
	return body
}

// temps lists the temporary files.
func (s Subject) temps(t testing.TB) (names []string) {
	t.Helper()
	files, err := os.ReadDir(s.Temps)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

// wantNothing wants nothing kept and no temporary file.
func (s Subject) wantNothing(t testing.TB) {
	t.Helper()
	if kept, temps := s.Kept(t), s.temps(t); len(kept)+len(temps) > 0 {
		t.Errorf("left: %v, temporary %v", kept, temps)
	}
}

func keeps(t *testing.T, s Subject) {
	for ext, body := range map[string][]byte{
		".pdf": []byte("a paper\x00\x00\x00"), ".tar.gz": bytes.Repeat([]byte("many "), 700_000), "": {}, ".xml": {0},
	} {
		want := Of(body, ext)
		if got := MustPut(t, s.Store, body, ext); !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		want.Existed = true
		if got := MustPut(t, s.Store, body, ext); !cmp.Equal(got, want) {
			t.Errorf("again: %s", cmp.Diff(want, got))
		}
		if got := Read(t, s.Store, want.Path); !bytes.Equal(got, body) {
			t.Errorf("read %d bytes, which are others", len(got))
		}
	}
	if got := s.Kept(t); len(got) != 4 {
		t.Errorf("kept: %v", got)
	}
	if got := s.temps(t); len(got) > 0 {
		t.Errorf("temporary: %v", got)
	}
}

func seeks(t *testing.T, s Subject) {
	body := []byte("0123456789")
	f, _, err := s.Store.Open(t.Context(), MustPut(t, s.Store, body, ".pdf").Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		offset int64
		whence int
		want   string
	}{{-3, io.SeekEnd, "789"}, {0, io.SeekStart, "0123456789"}, {4, io.SeekStart, "456789"}, {-1, io.SeekCurrent, "9"}, {5, io.SeekEnd, ""}} {
		if _, err := f.Seek(step.offset, step.whence); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); string(got) != step.want || err != nil {
			t.Errorf("after Seek(%d, %d): %q, %v, want %q", step.offset, step.whence, got, err, step.want)
		}
	}
	if _, err := f.Seek(-1, io.SeekStart); err == nil {
		t.Error("Seek before the start: no error")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Read(make([]byte, 1)); err == nil {
		t.Error("Read after Close: no error")
	}
}
