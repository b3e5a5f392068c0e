package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// version2 makes a database as the second version of the program left it, with two
// ready jobs named "old 1" and "old 2" and one that is done, "old 3".
func version2(t *testing.T, path string) {
	t.Helper()
	db := outside(t, path)
	queries := []string{"PRAGMA auto_vacuum = incremental", "PRAGMA journal_mode = WAL"}
	for _, name := range []string{"0001_jobs.sql", "0002_keys.sql"} {
		script, err := os.ReadFile(filepath.Join("migrations", name))
		check(t, err)
		queries = append(queries, string(script))
	}
	queries = append(queries, "DROP TABLE jobs_v1", `
		INSERT INTO keys (id, name, ready, served) VALUES (1, 'old key', 2, 2);
		INSERT INTO runs (id, name) VALUES (1, 'old run');
		INSERT INTO shares (key, run, rank) VALUES (1, 1, 2);
		INSERT INTO jobs (id, state, key, priority, rank, due, run, updated_at) VALUES (1, 0, 1, 0, 1, 1000, 1, 1000), (2, 0, 1, 0, 2, 1000, 1, 1000);
		INSERT INTO jobs (id, state, key, priority, rank, due, run, updated_at, token, attempts, finish_seq, reason)
			VALUES (3, 3, 1, 0, 0, 0, 1, 1000, 1, 1, 1, 'stored');
		INSERT INTO ready_since (second, n) VALUES (1, 2);
		INSERT INTO outcomes (state, reason, class, n) VALUES (3, 'stored', '', 1)`)
	for id := 1; id <= 3; id++ {
		name := fmt.Sprint("old ", id)
		queries = append(queries, fmt.Sprintf(
			"INSERT INTO docs (id, place, created_at, artifact_id) VALUES (%d, %d, 1000, '%s')", id, sqlite.Place(name), name))
	}
	for _, query := range append(queries, "PRAGMA user_version = 2") {
		_, err := db.Exec(query)
		check(t, err)
	}
	check(t, db.Close())
}

func TestMigrate_fromVersion2(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	version2(t, path)
	before := listing(t, filepath.Dir(path))
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	if !errors.Is(err, queue.ErrOlder) || !strings.Contains(err.Error(), "schema version 2,") {
		t.Errorf("a reader of the old database: got %v, want an error that names its version", err)
	}
	if diff := cmp.Diff(before[path], listing(t, filepath.Dir(path))[path]); diff != "" {
		t.Errorf("the reader has changed the file:\n%s", diff)
	}

	s := open(t, path)
	checkIntegrity(t, outside(t, path))
	if notes, err := s.KeyNotes(t.Context()); err != nil || len(notes) != 0 {
		t.Errorf("KeyNotes: %v, %v", notes, err)
	}
	check(t, s.SaveKeyNotes(t.Context(), queue.KeyNote{Key: "old key", Doc: []byte(`{}`)}))
	got, err := s.Enqueue(t.Context(), []queue.NewJob{{ArtifactID: "old 1", Key: "k"}, {ArtifactID: "new", Key: "k"}})
	if err != nil || got != (queue.Enqueued{Added: 1, Known: 1}) {
		t.Errorf("Enqueue: %+v, %v", got, err)
	}
	leases, err := s.Lease(t.Context(), "new", []queue.Want{{Key: "old key", N: 9}}, 1)
	if err != nil || len(leases) != 2 || leases[0].Job.Run != "old run" {
		t.Errorf("Lease: %+v, %v", leases, err)
	}
	r, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	check(t, err)
	defer r.Close()
	if notes, err := r.KeyNotes(t.Context()); err != nil || len(notes) != 1 || total(t, r) != 4 {
		t.Errorf("a reader afterwards: %v, %v, %d jobs", notes, err, total(t, r))
	}
}
