package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
)

// Notes make no job ready: other processes are not told of them.
func TestSaveKeyNotes_doesNotRing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	s := open(t, path)
	bell, quiet := path+".run", time.Unix(1_000_000_000, 0)
	write(t, bell, nil)
	check(t, os.Chtimes(bell, quiet, quiet))
	rung := func() bool {
		info, err := os.Stat(bell)
		check(t, err)
		return !info.ModTime().Equal(quiet)
	}
	check(t, s.SaveKeyNotes(t.Context(), queue.KeyNote{Key: "k", Doc: []byte(`{}`)}))
	if rung() {
		t.Error("SaveKeyNotes rings")
	}
	if _, err := s.Enqueue(t.Context(), newJobs(0, 1)); err != nil || !rung() {
		t.Errorf("Enqueue does not ring, %v", err)
	}
}
