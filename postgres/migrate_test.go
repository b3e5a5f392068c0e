package postgres_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
)

// version1 makes a queue as the first version of the program left it, with n ready
// and n delayed jobs.
func version1(t *testing.T, dsn string, n int) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("migrations", "0001_jobs.sql"))
	if err != nil {
		t.Fatal(err)
	}
	execute(t, dsn, `
		CREATE SCHEMA quire;
		CREATE TABLE quire.schema (
			version integer PRIMARY KEY, program text NOT NULL DEFAULT 'quire', at timestamptz NOT NULL DEFAULT clock_timestamp());
		INSERT INTO quire.schema (version) VALUES (1)`)
	execute(t, dsn, string(script))
	execute(t, dsn, deep(n))
}

func TestMigrate_fromVersion1(t *testing.T) {
	t.Parallel()
	const n = 5
	dsn := server.Server(t).Open(t)
	version1(t, dsn, n)
	_, err := postgres.Open(t.Context(), dsn, postgres.Options{ReadOnly: true})
	if !errors.Is(err, queue.ErrOlder) || !strings.Contains(err.Error(), "schema version 1, ") {
		t.Errorf("a reader of the old queue: got %v, want an error that names its version", err)
	}
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{}) // which migrates without Create, too
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := s.Stats(t.Context())
	if err != nil || st.Ready != n || st.Delayed != n {
		t.Errorf("Stats: %+v, %v", st, err)
	}
	if err := s.SaveKeyNotes(t.Context(), queue.KeyNote{Key: "k", Doc: []byte(`{}`)}); err != nil {
		t.Error(err)
	}
	r, err := postgres.Open(t.Context(), dsn, postgres.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if notes, err := r.KeyNotes(t.Context()); err != nil || len(notes) != 1 {
		t.Errorf("a reader afterwards: %v, %v", notes, err)
	}
}
