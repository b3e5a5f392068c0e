// Package corpus finds the recorded real input that tests read where it lies:
// beside the project, in ../shared/corpus. Without it tests skip, except in CI
// (CI=true), where they fail.
package corpus

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Path returns the path of a file of the corpus.
func Path(t testing.TB, name ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			dir = filepath.Join(filepath.Dir(root), "shared", "corpus")
			break
		}
		if root == filepath.Dir(root) {
			t.Fatalf("no go.mod above %s", dir)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("corpus is missing: %v", err)
		}
		t.Skipf("corpus is missing: %v", err)
	}
	return filepath.Join(append([]string{dir}, name...)...)
}

// Read returns the bytes of a file of the corpus.
func Read(t testing.TB, name ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(Path(t, name...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// JSONL returns the rows of a JSON Lines file of the corpus, .gz or not.
func JSONL[T any](t testing.TB, name ...string) []T {
	t.Helper()
	path := Path(t, name...)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	var rows []T
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var row T
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatalf("%s: row %d: %v", path, len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return rows
}
