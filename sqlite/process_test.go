package sqlite_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/quire-dev/quire/queue"
)

// outside opens the database as another program would.
func outside(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func number(t testing.TB, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// checkIntegrity compares the counts with the rows, and lets SQLite look at the file.
func checkIntegrity(t testing.TB, db *sql.DB) {
	t.Helper()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check: %s, %v", verdict, err)
	}
	checkCounts(t, db)
}

// checkCounts compares the counts that triggers keep with the rows.
func checkCounts(t interface {
	Helper()
	Errorf(format string, args ...any)
}, db *sql.DB,
) {
	t.Helper()
	const truth = `
		SELECT 0 AS state, key AS name, '' AS class, sum(state = 0) AS a, sum(state = 1) AS b, sum(state = 2) AS c
			FROM jobs WHERE state < 3 GROUP BY key
		UNION ALL SELECT state, reason, class, count(*), 0, 0 FROM jobs WHERE state > 2 GROUP BY state, reason, class`
	const kept = `
		SELECT 0, id, '', ready, delayed, in_flight FROM keys WHERE ready <> 0 OR delayed <> 0 OR in_flight <> 0
		UNION ALL SELECT state, reason, class, n, 0, 0 FROM outcomes`
	var differ int
	query := fmt.Sprintf(`WITH truth AS (%s), kept AS (%s) SELECT count(*) FROM (
		SELECT * FROM (SELECT * FROM truth EXCEPT SELECT * FROM kept) UNION ALL SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM truth))`,
		truth, kept)
	if err := db.QueryRow(query).Scan(&differ); err != nil || differ != 0 {
		t.Errorf("%d counts differ from the rows, %v", differ, err)
	}
}

// Several processes that make and migrate a database and enqueue the same jobs
// at once must agree.
func TestProcesses_enqueueTheSame(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quire.db")
	var children []*exec.Cmd
	var outputs []*bytes.Buffer
	for range 3 {
		cmd, out := child(t, "import", path), new(bytes.Buffer)
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		children, outputs = append(children, cmd), append(outputs, out)
	}
	sum := 0
	for i, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		added, err := strconv.Atoi(strings.TrimSpace(outputs[i].String()))
		if err != nil {
			t.Fatal(err)
		}
		sum += added
	}
	db := outside(t, path)
	if rows := number(t, db, "SELECT count(*) FROM jobs"); rows != imported || sum != imported {
		t.Errorf("%d rows, %d reported as added; want %d of both", rows, sum, imported)
	}
	checkIntegrity(t, db)
}

// A process killed at any moment loses nothing that it was promised, and its
// leases are free as soon as the next one runs.
func TestProcesses_kill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quire.db")
	promised := make(map[string]string)
	for round := range 20 {
		cmd := child(t, "crash", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			what, id, _ := strings.Cut(lines.Text(), " ")
			promised[id] = what
			if n == round {
				_ = cmd.Process.Kill() // what it still prints counts, too
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
	}
	s := open(t, path)
	for id, what := range promised {
		j, err := s.Job(t.Context(), id)
		if err != nil || what == "done" && j.State != queue.Done {
			t.Errorf("promised %s %s, found %q, %v", id, what, j.State, err)
		}
	}
	_, release, err := s.LockRunner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	left, err := s.Jobs(t.Context(), queue.Filter{States: []queue.State{queue.InProgress}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Reap(t.Context(), 3); err != nil || len(left) == 0 || got.Returned != len(left) {
		t.Errorf("Reap of %d leases of dead processes: got %+v, %v", len(left), got, err)
	}
	checkIntegrity(t, outside(t, path))
}
