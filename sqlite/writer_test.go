package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// hold takes the write lock as another process would, and returns what gives it back.
func hold(t *testing.T, db *sql.DB) (release func()) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

// crowd enqueues n jobs at once, from as many callers, all of whom wait behind
// another process's transaction; it returns what each was told.
func crowd(t *testing.T, s *sqlite.Store, path string, n int) []error {
	t.Helper()
	release := hold(t, outside(t, path))
	errs := make([]error, n)
	var started, all sync.WaitGroup
	started.Add(n)
	for i := range n {
		all.Go(func() {
			started.Done()
			_, errs[i] = s.Enqueue(t.Context(), newJobs(i, 1))
		})
	}
	started.Wait()
	release()
	all.Wait()
	return errs
}

func TestWriter_groupCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	s := open(t, path)
	const callers = 64
	before := s.Commits()
	if err := errors.Join(crowd(t, s, path, callers)...); err != nil {
		t.Fatal(err)
	}
	if n := s.Commits() - before; n > callers/4 {
		t.Errorf("%d callers took %d commits", callers, n)
	}
}

// One operation that fails must not take its neighbours with it.
func TestWriter_failsAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	s := open(t, path)
	trap := fmt.Sprintf(`CREATE TRIGGER trap BEFORE INSERT ON docs WHEN new.artifact_id = '%s'
		BEGIN SELECT raise(FAIL, 'trapped'); END`, newJob(5).ArtifactID)
	if _, err := outside(t, path).Exec(trap); err != nil {
		t.Fatal(err)
	}
	for i, err := range crowd(t, s, path, 16) {
		if (err != nil) != (i == 5) {
			t.Errorf("caller %d: got %v", i, err)
		}
	}
	if _, err := s.Enqueue(t.Context(), newJobs(100, 1)); err != nil {
		t.Errorf("the writer is dead: %v", err)
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Total() != 16 {
		t.Errorf("rows: got %d, %v; want 16", st.Total(), err)
	}
}

func TestWriter_callerLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	s := open(t, path)
	release := hold(t, outside(t, path))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Enqueue(ctx, newJobs(1, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Enqueue while another process writes: got %v, want DeadlineExceeded", err)
	}
	release()
	if _, err := s.Enqueue(t.Context(), newJobs(2, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Job(t.Context(), newJob(1).ArtifactID); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("the job of the caller who left: got %v, want ErrNotFound", err)
	}
}

func TestStore_closed(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "quire.db"), sqlite.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := s.Enqueue(t.Context(), newJobs(1, 1)); err == nil {
		t.Error("Enqueue after Close: no error")
	}
	if _, err := s.Stats(t.Context()); err == nil {
		t.Error("Stats after Close: no error")
	}
	if err := s.Watch(t.Context(), func([]queue.KeyBacklog) {}); err == nil {
		t.Error("Watch after Close: no error")
	}
}
