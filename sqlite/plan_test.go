package sqlite

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
)

// TestPlans pins how SQLite runs the statements that are run all the time: by
// an index, without sorting, whatever the table holds.
func TestPlans(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "quire.db"), Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	plans := map[string]struct {
		query string
		want  []string
	}{
		"known":         {knownQuery, []string{"USING INDEX docs_place (place=?)"}},
		"head":          {headQuery, []string{"USING COVERING INDEX jobs_ready (key=? AND priority=?)"}},
		"first of each": {firstOfEachQuery, []string{"USING COVERING INDEX jobs_ready (key=?)"}},
		"first of one":  {firstOfOneQuery, []string{"USING COVERING INDEX jobs_ready (key=?)"}},
		"rows":          {rowsQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY", "SEARCH docs USING INTEGER PRIMARY KEY"}},
		"past":          {pastQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY", "SEARCH docs USING INTEGER PRIMARY KEY"}},
		"paused":        {pausedQuery, []string{"SCAN keys USING COVERING INDEX keys_paused"}},
		"lease":         {leaseQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY"}},
		"finish":        {finishQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)"}},
		"held":          {heldQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)"}},
		"oldest":        {oldestQuery, []string{"SEARCH ready_since"}},
		"hand back":     {handBackQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)"}},
		"keep attempt":  {keepAttemptQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)"}},
		"drop attempts": {dropAttemptsQuery, []string{"SEARCH attempts USING PRIMARY KEY (job=? AND token<?)"}},
		"expired":       {expiredQuery, []string{"USING INDEX jobs_due (state=? AND due<?)"}},
		"return":        {returnQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)"}},
		"end":           {endQuery, []string{"SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)"}},
		"promote":       {promoteQuery, []string{"USING COVERING INDEX jobs_due (state=? AND due<?)"}},
		"backlog":       {backlogQuery, []string{"SCAN keys"}},
		"keys":          {keysQuery, []string{"SCAN keys"}},
		"heads":         {headsQuery, []string{"SEARCH head USING INTEGER PRIMARY KEY (rowid=?)", "USING COVERING INDEX jobs_ready (key=?)", "USING INDEX jobs_due (state=? AND due<?)"}},
		"first delayed": {firstDelayedQuery, []string{"USING COVERING INDEX jobs_due (state=?)"}},
		"due":           {dueQuery, []string{"USING INDEX jobs_due (state=? AND due<?)"}},
		"last id":       {lastIDQuery, []string{"SEARCH jobs"}},
		"last seq":      {lastSeqQuery, []string{"SEARCH jobs USING COVERING INDEX jobs_finished"}},
		"failed":        {jobsQuery(t, queue.Filter{States: []queue.State{queue.Error}, Class: "gone"}), []string{"USING INDEX jobs_error (class=?)"}},
		"page":          {jobsQuery(t, queue.Filter{After: 7}), []string{"SEARCH jobs USING INTEGER PRIMARY KEY (rowid>?)"}},
		"finished":      {jobsQuery(t, queue.Filter{AfterSeq: 7}), []string{"USING INDEX jobs_finished (finish_seq>?)"}},
		"artifacts":     {jobsQuery(t, queue.Filter{ArtifactIDs: []string{"a", "b"}}), []string{"USING INDEX docs_place (place=?)"}},
	}
	check := func(when string) {
		t.Helper()
		for name, p := range plans {
			plan := explain(t, s, p.query)
			for _, want := range p.want {
				if !strings.Contains(plan, want) {
					t.Errorf("%s, %s: want %q in the plan:\n%s", name, when, want, plan)
				}
			}
			sorts := slices.Contains([]string{"due", "heads", "artifacts"}, name) // but never what waits
			if strings.Contains(plan, "SCAN jobs") || !sorts && strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s, %s: the plan scans or sorts:\n%s", name, when, plan)
			}
		}
	}
	check("empty")
	var jobs []queue.NewJob
	for i := range 500 {
		jobs = append(jobs, queue.NewJob{ArtifactID: fmt.Sprint(i), Key: "k", Delay: time.Duration(i%2) * time.Hour})
	}
	if _, err := s.Enqueue(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	analyze := op{run: func(tx *tx) error { return tx.w.exec("ANALYZE") }}
	if err := s.w.do(t.Context(), analyze); err != nil {
		t.Fatal(err)
	}
	check("analyzed")
}

func jobsQuery(t *testing.T, f queue.Filter) string {
	t.Helper()
	order := "jobs.id"
	if f.AfterSeq != 0 {
		order = "finish_seq"
	}
	query, _, err := selectJobs(f, jobColumns, order)
	if err != nil {
		t.Fatal(err)
	}
	return query
}

func explain(t *testing.T, s *Store, query string) string {
	t.Helper()
	args := make([]any, strings.Count(query, "?"))
	for i := range args {
		args[i] = 1
	}
	rows, err := s.rdb.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, query)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
