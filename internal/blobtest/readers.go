package blobtest

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
)

func badKeys(t *testing.T, s Subject) {
	good := MustPut(t, s.Store, []byte("x"), ".pdf")
	missing := Of([]byte("y"), ".pdf").Path
	if _, _, err := s.Store.Open(t.Context(), missing); !errors.Is(err, fs.ErrNotExist) || blob.OutOfService(err) {
		t.Errorf("missing: %v", err)
	}
	for _, key := range []string{
		"", ".", "/", "sha256", "/etc/passwd", "../tmp", "sha256/../" + good.Path, "/" + good.Path, good.Path + "/",
		strings.ToUpper(good.Path), "sha256/" + good.SHA256 + ".pdf", good.Path + "\x00", good.Path + ".gz",
	} {
		if _, _, err := s.Store.Open(t.Context(), key); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Open %q: %v, want ErrBadKey", key, err)
		}
	}
}

func walk(t *testing.T, s Subject) (got []blob.Blob) {
	t.Helper()
	err := s.Store.Walk(t.Context(), func(b blob.Blob) error {
		// A service counts in whole seconds, by its own clock.
		if since := time.Since(b.Modified); since < -time.Minute || since > time.Minute {
			t.Errorf("%s was modified %v ago", b.Path, since)
		}
		b.Modified = time.Time{}
		got = append(got, b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func walks(t *testing.T, s Subject) {
	if got := walk(t, s); len(got) > 0 {
		t.Errorf("empty store: %v", got)
	}
	a, b := MustPut(t, s.Store, []byte("a"), ".pdf"), MustPut(t, s.Store, []byte("b"), ".xml")
	s.Plant(t, "sha256/stray", "?")
	a.Existed, b.Existed = true, true
	if diff := cmp.Diff([]blob.Blob{b, a, {Path: "sha256/stray", Bytes: 1, Existed: true}}, walk(t, s)); diff != "" {
		t.Error(diff)
	}
}

func endsWalk(t *testing.T, s Subject) {
	for _, body := range []string{"a", "b", "c"} {
		MustPut(t, s.Store, []byte(body), ".pdf")
	}
	seen, enough := 0, errors.New("enough")
	if err := s.Store.Walk(t.Context(), func(blob.Blob) error { seen++; return enough }); !errors.Is(err, enough) || seen != 1 {
		t.Errorf("stopped by fn: %v after %d", err, seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Store.Walk(ctx, func(blob.Blob) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped by its context: %v", err)
	}
}

// setsAside: what is moved is no longer kept as a blob, can be stored again, and never
// takes the place of what was moved before.
func setsAside(t *testing.T, s Subject) {
	moving, ok := s.Store.(blob.Quarantine)
	if !ok {
		t.Fatal("the store can't set files aside")
	}
	b := MustPut(t, s.Store, []byte("x"), ".pdf")
	name := "quarantine/" + b.SHA256 + ".pdf"
	for _, want := range []string{name, name + "~2"} {
		if place, err := moving.SetAside(t.Context(), b.Path); err != nil || place != want {
			t.Errorf("moved to %q, %v; want %q", place, err, want)
		}
		if _, _, err := s.Store.Open(t.Context(), b.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("moved, and it opens: %v", err)
		}
		if again := MustPut(t, s.Store, []byte("x"), ".pdf"); again.Existed {
			t.Error("moved, and it still counts as stored")
		}
	}
	s.Plant(t, "sha256/stray", "?")
	if place, err := moving.SetAside(t.Context(), "sha256/stray"); err != nil || place != "quarantine/stray" {
		t.Errorf("what is no blob: %q, %v", place, err)
	}
	for key, want := range map[string]error{
		"sha256/../x": fs.ErrInvalid, "/etc/passwd": fs.ErrInvalid, "other/x": fs.ErrInvalid, "": fs.ErrInvalid, "sha256": fs.ErrInvalid,
		Of([]byte("y"), ".pdf").Path: fs.ErrNotExist,
	} {
		if _, err := moving.SetAside(t.Context(), key); !errors.Is(err, want) {
			t.Errorf("SetAside(%q): %v, want %v", key, err, want)
		}
	}
	if got := walk(t, s); len(got) != 1 || got[0].Path != b.Path {
		t.Errorf("kept: %v", got)
	}
}
