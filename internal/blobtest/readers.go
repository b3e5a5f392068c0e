package blobtest

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

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
	if err := s.Store.Walk(t.Context(), func(b blob.Blob) error { got = append(got, b); return nil }); err != nil {
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
