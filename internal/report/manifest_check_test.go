package report_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

// faults lists what is wrong with a manifest.
func faults(t *testing.T, path string, src source, since time.Time) (found []string) {
	t.Helper()
	err := report.CheckManifest(t.Context(), path, src, since, func(f report.ManifestFault) error {
		found = append(found, strings.TrimSpace(f.ArtifactID+" "+f.Note))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// edit changes a manifest line by line; a line that becomes empty is left out.
func edit(t *testing.T, path string, by func(n int, line string) string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		out.WriteString(by(n, line))
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheckManifest(t *testing.T) {
	tests := map[string]struct {
		by   func(n int, line string) string
		want []string
	}{
		"as written": {func(_ int, line string) string { return line }, nil},
		"a line is gone": {func(n int, line string) string {
			if n == 2 {
				return ""
			}
			return line
		}, []string{"doi:b has no line"}},
		"a line says otherwise": {func(n int, line string) string {
			if n == 3 {
				return strings.Replace(line, `"state":"skipped"`, `"state":"done"`, 1)
			}
			return line
		}, []string{"doi:c line 3 says otherwise than the queue"}},
		"a line can't be read": {func(n int, line string) string {
			if n == 2 {
				return "{" + line
			}
			return line
		}, []string{"line 2 can't be read", "doi:b has no line"}},
		"a line comes twice": {func(n int, line string) string {
			if n == 2 {
				return line + line
			}
			return line
		}, []string{"doi:b line 3 is not in the order of finishing"}},
		"a line is longer than any": {func(n int, line string) string {
			if n == 4 {
				return `"` + strings.Repeat("x", 4<<20) + "\"\n" + line
			}
			return line
		}, []string{"line 4 is too long"}},
		"its end is cut": {func(n int, line string) string {
			if n == 4 {
				return line[:20]
			}
			return line
		}, []string{"line 4 can't be read", "doi:a has no line"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path, src := filepath.Join(t.TempDir(), "manifest.jsonl"), source{}
			src.finish("doi:a", queue.Error)
			src.finish("doi:b", queue.Done)
			src.finish("doi:c", queue.Skipped)
			catchUp(t, path, src)
			src.finish("doi:a", queue.Done) // so that line 1 is history
			want := catchUp(t, path, src)
			edit(t, path, tt.by)
			if diff := cmp.Diff(tt.want, faults(t, path, src, time.Time{})); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			kept := 0
			if err := report.RebuildManifest(t.Context(), path, "1.0", src, func() error { kept++; return nil }); err != nil || kept != 1 {
				t.Fatalf("rebuild: %v, kept %d times", err, kept)
			}
			if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
				t.Errorf("written anew it is\n%s\nwant\n%s", got, want)
			}
			if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 2 { // the manifest and its lock
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// What finished a moment ago may not be there yet; what finished before may not be
// missing, though the file itself be gone.
func TestCheckManifest_behind(t *testing.T) {
	path, src := filepath.Join(t.TempDir(), "manifest.jsonl"), source{}
	src.finish("doi:a", queue.Done)
	at := src["doi:a"].UpdatedAt
	if got := faults(t, path, src, at); got != nil {
		t.Errorf("finished at that moment: %v", got)
	}
	if got := faults(t, path, src, at.Add(time.Millisecond)); !cmp.Equal(got, []string{"doi:a has no line"}) {
		t.Errorf("finished before: %v", got)
	}
}

// If the old manifest can't be kept nothing is written, and a run that has the old one
// open goes on with the new one.
func TestRebuildManifest(t *testing.T) {
	path, src := filepath.Join(t.TempDir(), "manifest.jsonl"), source{}
	src.finish("doi:a", queue.Done)
	open, err := report.OpenManifest(path, "1.0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := open.CatchUp(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	no := errors.New("no room to keep it")
	if err := report.RebuildManifest(t.Context(), path, "1.0", src, func() error { return no }); !errors.Is(err, no) {
		t.Errorf("got %v, want that it was not kept", err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, before) {
		t.Errorf("it was written all the same: %s", got)
	}
	if err := report.RebuildManifest(t.Context(), path, "1.0", src, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	src.finish("doi:b", queue.Done)
	if err := open.CatchUp(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); bytes.Count(got, []byte("\n")) != 2 {
		t.Errorf("the run did not go on with the new manifest:\n%s", got)
	}
}

// 54: Nothing is written through a symlink in the place of the manifest or its lock.
func TestManifest_plantedSymlink(t *testing.T) {
	for _, name := range []string{"manifest.jsonl", "manifest.jsonl.lock"} {
		dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
		if err := os.Symlink(outside, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "manifest.jsonl")
		if m, err := report.OpenManifest(path, "1.0", slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: opened", name)
			m.Close()
		}
		if err := report.RebuildManifest(t.Context(), path, "1.0", source{}, func() error { return nil }); err == nil {
			t.Errorf("%s: written anew", name)
		}
		if _, err := os.Lstat(outside); err == nil {
			t.Errorf("%s: something was made outside", name)
		}
	}
}
