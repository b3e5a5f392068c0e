package sqlite_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
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
		UNION ALL SELECT state, reason, class, count(*), 0, 0 FROM jobs WHERE state > 2 GROUP BY state, reason, class
		UNION ALL SELECT 9, due / 1000, '', count(*), 0, 0 FROM jobs WHERE state = 0 GROUP BY 2`
	const kept = `
		SELECT 0, id, '', ready, delayed, in_flight FROM keys WHERE ready <> 0 OR delayed <> 0 OR in_flight <> 0
		UNION ALL SELECT state, reason, class, n, 0, 0 FROM outcomes
		UNION ALL SELECT 9, second, '', n, 0, 0 FROM ready_since`
	var differ int
	query := fmt.Sprintf(`WITH truth AS (%s), kept AS (%s) SELECT count(*) FROM (
		SELECT * FROM (SELECT * FROM truth EXCEPT SELECT * FROM kept) UNION ALL SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM truth))`,
		truth, kept)
	if err := db.QueryRow(query).Scan(&differ); err != nil || differ != 0 {
		t.Errorf("%d counts differ from the rows, %v", differ, err)
	}
}

// together runs children at once and adds up the numbers that they print.
func together(t *testing.T, path string, roles ...string) (sums map[string]int) {
	t.Helper()
	var children []*exec.Cmd
	var outputs []*bytes.Buffer
	for _, role := range roles {
		cmd, out := child(t, role, path), new(bytes.Buffer)
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		children, outputs = append(children, cmd), append(outputs, out)
	}
	sums = make(map[string]int)
	for i, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s, process %d: %v", roles[i], i, err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(outputs[i].String()))
		if err != nil {
			t.Error(err)
		}
		sums[roles[i]] += n
	}
	return sums
}

// Several processes that make and migrate a database, enqueue the same jobs and
// work on them, all at once, must agree: each job is added once and done once.
// None may fail because others are at it, as by "database is locked".
func TestProcesses_together(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare func(t *testing.T, path string)
		roles   []string
	}{
		"two":                   {func(*testing.T, string) {}, []string{"import", "work"}},
		"eight":                 {func(*testing.T, string) {}, slices.Repeat([]string{"import", "work"}, 4)},
		"eight, from version 1": {version1, slices.Repeat([]string{"work", "import"}, 4)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "quire.db")
			tt.prepare(t, path)
			sums := together(t, path, tt.roles...)
			jobs, err := open(t, path).Jobs(t.Context(), queue.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			jobs = slices.DeleteFunc(jobs, func(j queue.Job) bool { return strings.HasPrefix(j.ArtifactID, "old ") })
			if rows := len(jobs); rows != imported || sums["import"] != imported || sums["work"] != imported {
				t.Errorf("%d rows, %v reported; want %d added and done", rows, sums, imported)
			}
			db := outside(t, path)
			if n := number(t, db, "PRAGMA user_version"); n != 3 {
				t.Errorf("schema version: got %d", n)
			}
			checkIntegrity(t, db)
		})
	}
}

// A process killed at any moment loses nothing that it was promised, and its
// leases are free as soon as the next one runs.
func TestProcesses_kill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quire.db")
	promised := make(promises)
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
			promised.note(lines.Text())
			if n == round {
				_ = cmd.Process.Kill() // what it still prints counts, too
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
	}
	s := open(t, path)
	promised.check(t, s)
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
