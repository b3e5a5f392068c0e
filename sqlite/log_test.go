//go:build unix

package sqlite

import (
	"database/sql"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/quire-dev/quire/queue"
)

// Whoever waits for a sync that fails must hear of it, and so must the writer.
func TestSyncer_fails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	if err := syscall.Mkfifo(path+"-wal", 0o600); err != nil { // there is nothing to sync in a pipe: EINVAL
		t.Fatal(err)
	}
	s := newSyncer(path)
	go s.loop()
	o := &op{answer: make(chan error, 1)}
	s.begin()
	s.work <- committed{ops: []*op{o}}
	if err := <-o.answer; !errors.Is(err, syscall.EINVAL) {
		t.Errorf("answer: got %v, want EINVAL", err)
	}
	s.wait()
	if s.failure() == nil {
		t.Error("the failure is forgotten")
	}
	close(s.work)
	<-s.done
}

// After a sync that failed the log is not to be trusted: nothing more is written
// before all of it has gone to the database.
func TestWriter_mends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	s, err := Open(t.Context(), path, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	enqueue := func(id string) error {
		_, err := s.Enqueue(t.Context(), []queue.NewJob{{ArtifactID: id, Key: "k"}})
		return err
	}
	if err := enqueue("before"); err != nil {
		t.Fatal(err)
	}
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	reader, err := old.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reader.QueryRow("SELECT count(*) FROM jobs").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if err := enqueue("read by nobody yet"); err != nil {
		t.Fatal(err)
	}
	lost := errors.New("lost")
	s.w.log.mu.Lock()
	s.w.log.broken = lost
	s.w.log.mu.Unlock()
	if err := enqueue("while a reader needs the log"); !errors.Is(err, lost) {
		t.Errorf("Enqueue with a log that can't be emptied: got %v, want %v", err, lost)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := enqueue("after"); err != nil || s.w.log.failure() != nil {
		t.Errorf("Enqueue after that: got %v, failure %v", err, s.w.log.failure())
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Ready != 3 {
		t.Errorf("%d jobs are ready, %v; want 3", st.Ready, err)
	}
}
