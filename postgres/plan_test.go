package postgres_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/postgres"
)

// TestPlans pins how the server runs the statements that are run all the time: by
// an index, whatever the tables hold and whatever it knows of them.
func TestPlans(t *testing.T) {
	t.Parallel()
	wants := map[string][]string{
		"lease":     {"Index Scan using queued_ready on queued", "Tid Scan on queued", "Index Scan using jobs_pkey"},
		"heartbeat": {"Index Scan using leased_pkey"},
		"standing":  {"Index Scan using leased_pkey", "Index Scan using jobs_pkey", "queued_ready"},
		"end":       {"Index Scan using leased_pkey"},
		"reap":      {"Index Scan using leased_pkey", "Tid Scan on leased"},
		"promote":   {"Index Scan using queued_due", "Index Scan using queued_pkey"},
		"backlog":   {"Seq Scan on waiting"}, // changes since they were summed up
		"until":     {"using queued_due"},
		"since":     {"using queued_since"},
		"due":       {"Index Scan using queued_due"},
		"heads":     {"Index Scan using queued_ready", "Index Scan using queued_due"},
		"ranks":     {"using queued_ready", "using shares_pkey", "using served_pkey"},
		"page":      {"using queued_pkey", "using leased_pkey", "using finished_pkey", "using jobs_pkey"},
		"failed":    {"using finished_error"},
		"finished":  {"finish_seq_idx", "using jobs_pkey"},
	}
	sorts := map[string]int{"heads": 1} // of those that were found, one of each key
	dsn := server.Server(t).Open(t)
	open(t, dsn)
	check := func(when string) {
		t.Helper()
		for name, query := range postgres.Queries() {
			plan := explain(t, dsn, query)
			for _, want := range wants[name] {
				if !strings.Contains(plan, want) {
					t.Errorf("%s, %s: want %q in the plan:\n%s", name, when, want, plan)
				}
			}
			for _, table := range []string{"jobs", "queued", "leased", "finished"} {
				if strings.Contains(plan, "Seq Scan on "+table) {
					t.Errorf("%s, %s: the plan reads all of a table:\n%s", name, when, plan)
				}
			}
			if len(sorted.FindAllString(plan, -1)) > sorts[name] {
				t.Errorf("%s, %s: the plan sorts jobs:\n%s", name, when, plan)
			}
		}
	}
	check("empty")
	execute(t, dsn, deep(200_000))
	check("unknown")
	execute(t, dsn, "ANALYZE")
	check("analyzed")
}

// deep makes n ready and n delayed jobs, 90 % of them at one key.
func deep(n int) string {
	return fmt.Sprintf(`
	INSERT INTO quire.jobs (artifact_id, first_key, run, created_at) SELECT i, 'k', '', now() FROM generate_series(1, %[1]d) i;
	INSERT INTO quire.queued (id, state, key, priority, rank, delayed, available_at, updated_at)
	SELECT i, 'queued', CASE WHEN i %% 10 = 0 THEN 'k' || i %% 10000 ELSE 'k' END, 0, i, i > %[2]d, now() + (i > %[2]d)::int * interval '1 hour', now()
	FROM generate_series(1, %[1]d) i;
	INSERT INTO quire.waiting (key, ready, delayed)
	SELECT key, count(*) FILTER (WHERE NOT delayed), count(*) FILTER (WHERE delayed) FROM quire.queued GROUP BY key`, 2*n, n)
}

// sorted matches the sorting of rows that Merge Append would find sorted.
var sorted = regexp.MustCompile(`-> +Sort\n *Sort Key: w(_\d)?\.`)

var parameter = regexp.MustCompile(`\$(\d+)`)

// explain returns the plan of a query for values that are not known.
func explain(t *testing.T, dsn, query string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn+"&default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	n := 0
	for _, m := range parameter.FindAllStringSubmatch(query, -1) {
		var i int
		fmt.Sscan(m[1], &i)
		n = max(n, i)
	}
	values := ""
	if n > 0 {
		values = "(" + strings.TrimSuffix(strings.Repeat("NULL, ", n), ", ") + ")"
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	for _, sql := range []string{postgres.Settings, "PREPARE explained AS " + query} {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
	}
	rows, err := tx.Query(t.Context(), "EXPLAIN (COSTS OFF) EXECUTE explained"+values)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
