package sqlite_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// filled makes a database with three jobs at path and closes it.
func filled(t *testing.T, path string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enqueue(t.Context(), newJobs(0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func total(t *testing.T, s *sqlite.Store) int {
	t.Helper()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st.Total()
}

// listing is what is in dir: names, kinds and contents.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		files[path] = d.Type().String()
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestOpen_refuses checks that what cannot be used is refused with a clear
// error, in every mode, and that nothing is created or changed.
func TestOpen_refuses(t *testing.T) {
	t.Parallel()
	edit := func(change func(content []byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			filled(t, path)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, change(content))
		}
	}
	tests := map[string]refusal{
		"missing":           {func(*testing.T, string) {}, existing, os.ErrNotExist, ""},
		"empty":             {func(t *testing.T, path string) { write(t, path, nil) }, existing, queue.ErrDamaged, "empty"},
		"empty with a log":  {func(t *testing.T, path string) { write(t, path, nil); write(t, path+"-wal", []byte("x")) }, all, queue.ErrDamaged, "-wal"},
		"only a log":        {func(t *testing.T, path string) { write(t, path+"-wal", []byte("x")) }, all, queue.ErrDamaged, "-wal"},
		"no directory":      {func(t *testing.T, path string) { link(t, filepath.Dir(path)+"/none/x.db", path) }, all, os.ErrNotExist, ""},
		"directory":         {func(t *testing.T, path string) { check(t, os.Mkdir(path, 0o755)) }, all, queue.ErrDamaged, "regular file"},
		"text":              {func(t *testing.T, path string) { write(t, path, []byte("10.1000/1\n10.1000/2\n")) }, all, queue.ErrDamaged, "no SQLite file"},
		"long text":         {func(t *testing.T, path string) { write(t, path, []byte(strings.Repeat("x", 9000))) }, all, queue.ErrDamaged, "no SQLite file"},
		"magic alone":       {func(t *testing.T, path string) { write(t, path, []byte("SQLite format 3\x00")) }, all, queue.ErrDamaged, "page size"},
		"other program's":   {foreign, all, queue.ErrDamaged, "other program"},
		"cut in the header": {edit(func(b []byte) []byte { return b[:60] }), all, queue.ErrDamaged, "cut short"},
		"cut by a page":     {edit(func(b []byte) []byte { return b[:len(b)-4096] }), all, queue.ErrDamaged, "cut short"},
		"magic flipped":     {edit(func(b []byte) []byte { b[3] ^= 4; return b }), all, queue.ErrDamaged, "no SQLite file"},
		"page size flipped": {edit(func(b []byte) []byte { b[16] ^= 3; return b }), all, queue.ErrDamaged, "page size"},
		"format flipped":    {edit(func(b []byte) []byte { b[21] ^= 1; return b }), all, queue.ErrDamaged, "not a database"},
		"schema flipped":    {edit(func(b []byte) []byte { b[100] = 0; return b }), all, queue.ErrDamaged, "malformed"},
		"newer":             {edit(func(b []byte) []byte { b[63] = 77; return b }), all, queue.ErrNewer, "version 77, this program knows 3"},
		"contradiction":     {func(*testing.T, string) {}, []sqlite.Options{{Create: true, ReadOnly: true}}, queue.ErrInvalid, ""},
	}
	for name, tt := range tests {
		t.Run(name, tt.try)
	}
}

// refusal is a file that cannot be opened with any of opts.
type refusal struct {
	prepare func(t *testing.T, path string)
	opts    []sqlite.Options
	want    error
	says    string // besides the path
}

func (r refusal) try(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	r.prepare(t, path)
	before := listing(t, filepath.Dir(path))
	for _, opt := range r.opts {
		s, err := sqlite.Open(t.Context(), path, opt)
		if err == nil {
			s.Close()
		}
		if text := fmt.Sprint(err); !errors.Is(err, r.want) || !strings.Contains(text, r.says) || !strings.Contains(text, path) {
			t.Errorf("%+v: got %v, want one that wraps %q and says %q and the path", opt, err, r.want, r.says)
		}
	}
	if diff := cmp.Diff(before, listing(t, filepath.Dir(path))); diff != "" {
		t.Errorf("files have changed:\n%s", diff)
	}
}

var (
	existing = []sqlite.Options{{}, {ReadOnly: true}}
	all      = []sqlite.Options{{}, {ReadOnly: true}, {Create: true}}
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	check(t, os.WriteFile(path, content, 0o644))
}

func link(t *testing.T, to, path string) {
	t.Helper()
	check(t, os.Symlink(to, path))
}

// foreign makes a database that is not ours.
func foreign(t *testing.T, path string) {
	t.Helper()
	db := outside(t, path)
	_, err := db.Exec("CREATE TABLE bookmarks (url TEXT)")
	check(t, err)
	check(t, db.Close())
}

// What a program that was killed while creating the database leaves is no
// hindrance to the next one.
func TestOpen_unfinished(t *testing.T) {
	onePage := func(t *testing.T, path string) {
		db := outside(t, path)
		_, err := db.Exec("PRAGMA journal_mode = WAL")
		check(t, err)
		check(t, db.Close())
	}
	for name, prepare := range map[string]func(*testing.T, string){
		"empty file": func(t *testing.T, path string) { write(t, path, nil) },
		"one page":   onePage,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "quire.db")
			prepare(t, path)
			if _, err := open(t, path).Enqueue(t.Context(), newJobs(0, 1)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpen_oddPaths(t *testing.T) {
	for _, name := range []string{"a b.db", "what?.db", "50%25#1.db", "?mode=memory", "été.db", "new\nline.db", "file:x.db", ":memory:"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		filled(t, path)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if files := listing(t, dir); len(files) != 2 {
			t.Errorf("%q: files %v", name, files)
		}
	}
}

func TestOpen_relativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	filled(t, "quire.db")
	if n := total(t, open(t, "quire.db")); n != 3 {
		t.Errorf("got %d jobs, want 3", n)
	}
}

// A reader beside a writer sees what was committed, changes nothing and
// refuses to write.
func TestOpen_readOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	writer := open(t, path)
	if _, err := writer.Enqueue(t.Context(), newJobs(0, 3)); err != nil {
		t.Fatal(err)
	}
	reader, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for n := 3; n < 6; n++ {
		if got := total(t, reader); got != n {
			t.Errorf("jobs: got %d, want %d", got, n)
		}
		if _, err := writer.Enqueue(t.Context(), newJobs(n, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := reader.Enqueue(t.Context(), newJobs(9, 1)); err == nil {
		t.Error("Enqueue: no error")
	}
	note := queue.KeyNote{Key: "k", Doc: []byte(`{}`)}
	check(t, writer.SaveKeyNotes(t.Context(), note))
	if err := reader.SaveKeyNotes(t.Context(), queue.KeyNote{Key: "k"}); err == nil {
		t.Error("SaveKeyNotes: no error")
	}
	if notes, err := reader.KeyNotes(t.Context()); err != nil || len(notes) != 1 {
		t.Errorf("KeyNotes: %v, %v", notes, err)
	}
	if _, _, err := reader.LockRunner(t.Context()); err == nil {
		t.Error("LockRunner: no error")
	}
	if _, _, err := reader.Backlog(t.Context()); err != nil {
		t.Errorf("Backlog: %v", err)
	}
}
