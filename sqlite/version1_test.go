package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// ofVersion1 is how many jobs of each state version1 leaves.
const ofVersion1 = 60

// version1 makes a database as the first version of the program left it, with
// jobs named "old STATE N" in all states.
func version1(t *testing.T, path string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("migrations", "0001_jobs.sql"))
	check(t, err)
	db := outside(t, path)
	for _, query := range []string{"PRAGMA auto_vacuum = incremental", "PRAGMA journal_mode = WAL", string(script), "PRAGMA user_version = 1"} {
		_, err := db.Exec(query)
		check(t, err)
	}
	tx, err := db.Begin()
	check(t, err)
	const insert = `
		INSERT INTO jobs (artifact_id, state, priority, run, key, first_key, attempts, available_at, delayed, lease_expires_at,
			lease_owner, token, payload, progress, result, reason, class, last_error, finish_seq, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, 'first', 2, ?, ?, ?, ?, 7, '{"n":1}', ?, ?, ?, ?, ?, ?, 1000, 2000)`
	now := time.Now().UnixMilli()
	for i := range ofVersion1 {
		for s, state := range []string{"queued", "delayed", "in_progress", "done", "skipped", "error"} {
			id, kind, available, delayed := fmt.Sprintf("old %s %d", state, i), state, now, 0
			var expires, seq int64
			var owner, reason, class, text string
			var progress, result any
			switch state {
			case "delayed":
				kind, available, delayed = "queued", now+time.Hour.Milliseconds(), 1
			case "in_progress":
				expires, owner, progress = now+time.Hour.Milliseconds(), "old", `{"p":1}`
			case "error":
				class, text = "gone", "404"
			}
			if s > 2 {
				seq, result, reason = int64(3*i+s-2), `{"r":1}`, "old "+state
			}
			_, err := tx.Exec(insert, id, kind, i%3, fmt.Sprint("run", i%2), fmt.Sprint("old key ", i%5),
				available, delayed, expires, owner, progress, result, reason, class, text, seq)
			check(t, err)
		}
	}
	_, err = tx.Exec(`INSERT INTO records VALUES ('old done 0', '{"title":"kept"}', 1)`)
	check(t, err)
	check(t, tx.Commit())
	check(t, db.Close())
}

func TestMigrate_fromVersion1(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	version1(t, path)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	if err == nil || !strings.Contains(err.Error(), "version 1") {
		t.Errorf("a reader of the old database: got %v, want an error that names its version", err)
	}
	s := open(t, path)
	st, err := s.Stats(t.Context())
	check(t, err)
	const n = ofVersion1
	want := queue.Stats{
		Queued: 2 * n, InProgress: n, Done: n, Skipped: n, Error: n, Ready: n, Delayed: n,
		Reasons: map[string]int{"old done": n, "old skipped": n, "old error": n}, Classes: map[string]int{"gone": n},
	}
	for i := range 5 {
		want.Keys = append(want.Keys, queue.KeyStats{Key: fmt.Sprint("old key ", i), Ready: n / 5, Delayed: n / 5, InFlight: n / 5})
	}
	if diff := cmp.Diff(want, st, cmpopts.IgnoreFields(queue.Stats{}, "OldestReady"), cmpopts.IgnoreFields(queue.KeyStats{}, "HeadAge")); diff != "" {
		t.Errorf("stats, want (-), got (+):\n%s", diff)
	}
	j, err := s.Job(t.Context(), "old error 7")
	check(t, err)
	wantJob := queue.Job{
		ID: j.ID, ArtifactID: "old error 7", Key: "old key 2", Run: "run1", State: queue.Error, Priority: 1, Rank: j.Rank, Attempts: 2,
		Payload: []byte(`{"n":1}`), Result: []byte(`{"r":1}`), Reason: "old error", Class: "gone", LastError: "404", FinishSeq: 24,
		CreatedAt: time.UnixMilli(1000).UTC(), UpdatedAt: time.UnixMilli(2000).UTC(),
	}
	if diff := cmp.Diff(wantJob, j); diff != "" {
		t.Errorf("job, want (-), got (+):\n%s", diff)
	}
	if r, err := s.Get(t.Context(), "old done 0"); err != nil || r.Title != "kept" {
		t.Errorf("record: %+v, %v", r, err)
	}
	checkOldWork(t, s)
	checkIntegrity(t, outside(t, path))
}

// checkOldWork goes on with the jobs of version1.
func checkOldWork(t *testing.T, s *sqlite.Store) {
	t.Helper()
	leases, err := s.Lease(t.Context(), "new", []queue.Want{{Key: "old key 0", N: 100}}, time.Minute)
	if err != nil || len(leases) != ofVersion1/5 || leases[0].Token != 8 || leases[0].Job.Attempts != 3 {
		t.Errorf("Lease: got %d, %v", len(leases), err)
	}
	old, err := s.Job(t.Context(), "old in_progress 0")
	check(t, err)
	lost, err := s.Heartbeat(t.Context(), time.Minute, queue.Lease{Job: old, Token: 7})
	if err != nil || len(lost) != 0 {
		t.Errorf("Heartbeat of an old lease: lost %v, %v", lost, err)
	}
	n, err := s.Requeue(t.Context(), queue.Filter{States: []queue.State{queue.Error}})
	if err != nil || n != ofVersion1 {
		t.Errorf("Requeue: %d, %v", n, err)
	}
	leases, err = s.Lease(t.Context(), "new", []queue.Want{{Key: "first", N: 1}}, time.Minute)
	if err != nil || len(leases) != 1 {
		t.Errorf("Lease at the first key: %v, %v", leases, err)
	}
	got, err := s.Enqueue(t.Context(), []queue.NewJob{{ArtifactID: "old queued 3", Key: "k"}, {ArtifactID: "new", Key: "k"}})
	if err != nil || got != (queue.Enqueued{Added: 1, Known: 1}) {
		t.Errorf("Enqueue: %+v, %v", got, err)
	}
}
