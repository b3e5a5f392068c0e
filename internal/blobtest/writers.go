package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
)

func create(t testing.TB, s Subject) blob.Writer {
	t.Helper()
	w, err := s.Store.Create(t.Context(), "42-7")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func hides(t *testing.T, s Subject) {
	w := create(t, s)
	if _, err := io.WriteString(w, strings.Repeat("x", 1<<20)); err != nil {
		t.Fatal(err)
	}
	if got := s.Kept(t); len(got) > 0 {
		t.Errorf("shown before Commit: %v", got)
	}
	if got := s.temps(t); len(got) != 1 || !strings.HasPrefix(got[0], "42-7-") {
		t.Errorf("temporary files: %v", got)
	}
	if got, want := w.Sum(), Of(bytes.Repeat([]byte("x"), 1<<20), "").SHA256; got != want {
		t.Errorf("Sum: %s, want %s", got, want)
	}
	if _, err := w.Commit(t.Context(), ".pdf"); err != nil {
		t.Fatal(err)
	}
	if got := s.Kept(t); len(got) != 1 {
		t.Errorf("after Commit: %v", got)
	}
}

func aborts(t *testing.T, s Subject) {
	w := create(t, s)
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.Commit(t.Context(), ""); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit after Abort: %v", err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Abort: %v", err)
	}
	s.wantNothing(t)
}

func givesUp(t *testing.T, s Subject) {
	w := create(t, s)
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Commit(ended, ".pdf"); !errors.Is(err, context.Canceled) || blob.OutOfService(err) {
		t.Errorf("Commit after the lease was lost: %v", err)
	}
	if _, err := s.Store.Create(ended, "42-7"); !errors.Is(err, context.Canceled) {
		t.Errorf("Create: %v", err)
	}
	s.wantNothing(t)
}

func cleans(t *testing.T, s Subject) {
	for range 3 { // crashed
		create(t, s)
	}
	if err := os.WriteFile(filepath.Join(s.Temps, "keep.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Store.Clean(t.Context()); n != 3 || err != nil {
		t.Errorf("Clean: %d, %v", n, err)
	}
	if got := s.temps(t); len(got) != 1 {
		t.Errorf("left: %v, want what is not ours", got)
	}
}

func badNames(t *testing.T, s Subject) {
	for _, name := range []string{"", "../x", "a/b", `a\b`, "a\x00", strings.Repeat("x", 101)} {
		if _, err := s.Store.Create(t.Context(), name); err == nil {
			t.Errorf("Create %q: no error", name)
		}
	}
	for _, ext := range []string{"pdf", ".", "./x", ".PDF", "..pdf", ".tar.", "a.gz", ".pdf.gz", ".tar.gz.gz", ".toolongext"} {
		if _, err := Put(t.Context(), s.Store, []byte("a paper"), ext); err == nil || blob.OutOfService(err) {
			t.Errorf("Commit with extension %q: %v", ext, err)
		}
	}
	s.wantNothing(t)
}

// concurrent has sixteen writers store four different files, again and again.
func concurrent(t *testing.T, s Subject) {
	var writers sync.WaitGroup
	for i := range 16 {
		writers.Go(func() {
			for round := range 4 {
				body := bytes.Repeat([]byte{byte((i + round) % 4)}, 100_000)
				got, err := Put(t.Context(), s.Store, body, ".pdf")
				want := Of(body, ".pdf")
				want.Existed = got.Existed
				if err != nil || got != want {
					t.Errorf("got %+v, %v", got, err)
				}
			}
		})
	}
	writers.Wait()
	kept := s.Kept(t)
	if len(kept) != 4 {
		t.Errorf("want 4 files, got %v", kept)
	}
	for _, key := range kept {
		if got := Of(Read(t, s.Store, key), ".pdf").Path; got != key {
			t.Errorf("%s holds the bytes of %s", key, got)
		}
	}
}

// sameAtOnce commits the same bytes from many writers, all of which are whole.
func sameAtOnce(t *testing.T, s Subject) {
	body := bytes.Repeat([]byte("same"), 300_000)
	writers := make([]blob.Writer, 8)
	for i := range writers {
		writers[i] = create(t, s)
		if _, err := writers[i].Write(body); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for _, w := range writers {
		group.Go(func() {
			if got, err := w.Commit(t.Context(), ".pdf"); err != nil || got.Path != Of(body, ".pdf").Path {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	group.Wait()
	if diff := cmp.Diff([]string{Of(body, ".pdf").Path}, s.Kept(t)); diff != "" {
		t.Error(diff)
	}
	if got := s.temps(t); len(got) > 0 {
		t.Errorf("temporary: %v", got)
	}
}
