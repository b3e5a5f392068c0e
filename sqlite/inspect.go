package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/quire-dev/quire/queue"
)

// jobColumns are what scanJob reads.
const jobColumns = `jobs.id, artifact_id, (SELECT name FROM keys WHERE id = jobs.key), (SELECT name FROM runs WHERE id = jobs.run),
	state, priority, rank, attempts, payload, progress, result, reason, class, last_error, due, owner, created_at, updated_at, finish_seq`

// scanJob reads a row of jobColumns.
func scanJob(row interface{ Scan(dest ...any) error }) (j queue.Job, err error) {
	var number int
	var due, created, updated int64
	err = row.Scan(&j.ID, &j.ArtifactID, &j.Key, &j.Run, &number, &j.Priority, &j.Rank, &j.Attempts,
		(*[]byte)(&j.Payload), (*[]byte)(&j.Progress), (*[]byte)(&j.Result),
		&j.Reason, &j.Class, &j.LastError, &due, &j.Owner, &created, &updated, &j.FinishSeq)
	j.State = state(number)
	switch j.State {
	case queue.Queued:
		j.AvailableAt = instant(due)
	case queue.InProgress:
		j.LeaseExpiresAt = instant(due)
	default: // it is due for nothing
	}
	j.CreatedAt, j.UpdatedAt = instant(created), instant(updated)
	return j, err
}

// Job implements [queue.Inspector].
func (s *Store) Job(ctx context.Context, artifactID string) (queue.Job, error) {
	const query = `SELECT ` + jobColumns + ` FROM docs JOIN jobs ON jobs.id = docs.id WHERE place = ? AND artifact_id = ?`
	defer s.durable()
	j, err := scanJob(s.rdb.QueryRowContext(ctx, query, place(artifactID), artifactID))
	if errors.Is(err, sql.ErrNoRows) {
		return queue.Job{}, fmt.Errorf("%w: %s", queue.ErrNotFound, artifactID)
	}
	if err != nil {
		return queue.Job{}, fmt.Errorf("look up %s: %w", artifactID, explained(err))
	}
	return j, nil
}

// Jobs implements [queue.Inspector].
func (s *Store) Jobs(ctx context.Context, f queue.Filter) ([]queue.Job, error) {
	order := "jobs.id"
	if f.AfterSeq != 0 {
		order = "finish_seq"
	}
	query, args, err := selectJobs(f, jobColumns, order)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	var jobs []queue.Job
	err = s.snapshot(ctx, func(snap *sql.Tx) error {
		return each(ctx, snap, query, func(rows *sql.Rows) error {
			j, err := scanJob(rows)
			jobs = append(jobs, j)
			return err
		}, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", explained(err))
	}
	return jobs, nil
}

// Runs implements [queue.Inspector].
func (s *Store) Runs(ctx context.Context, prefix string, most int) (names []string, err error) {
	const query = `SELECT name FROM runs WHERE name >= ?1 AND name <> '' AND (?1 = '' OR instr(name, ?1) = 1) ORDER BY name LIMIT ?2`
	err = s.snapshot(ctx, func(snap *sql.Tx) error {
		return each(ctx, snap, query, func(rows *sql.Rows) error {
			var name string
			err := rows.Scan(&name)
			names = append(names, name)
			return err
		}, prefix, limit(most))
	})
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", explained(err))
	}
	return names, nil
}

// selectJobs is the query for the jobs that match f.
func selectJobs(f queue.Filter, columns, order string) (query string, args []any, err error) {
	if err := f.Check(); err != nil {
		return "", nil, err
	}
	terms := []string{"true"}
	add := func(term string, arg any) {
		terms = append(terms, term)
		args = append(args, arg)
	}
	if len(f.ArtifactIDs) > 0 {
		list, err := places(f.ArtifactIDs)
		if err != nil {
			return "", nil, err
		}
		add(`jobs.id IN (SELECT d.id FROM json_each(?) a JOIN docs d ON d.place = a.value ->> 0 AND d.artifact_id = a.value ->> 1)`, list)
	}
	if f.Prefix != "" {
		add("instr(artifact_id, ?) = 1", f.Prefix)
	}
	if f.After > 0 {
		add("jobs.id > ?", f.After)
	}
	if len(f.States) > 0 {
		terms = append(terms, isIn(f.States))
	}
	if f.Class != "" {
		add("class = ?", f.Class)
	}
	if f.Key != "" {
		add("key = (SELECT id FROM keys WHERE name = ?)", f.Key)
	}
	if f.Run != "" {
		add("run = (SELECT id FROM runs WHERE name = ?)", f.Run)
	}
	if f.Older > 0 {
		add("updated_at <= ?", time.Now().Add(-f.Older).UnixMilli())
	}
	if f.AfterSeq != 0 {
		add("finish_seq > 0 AND finish_seq > ?", f.AfterSeq)
	}
	query = `SELECT ` + columns + ` FROM jobs JOIN docs ON docs.id = jobs.id WHERE ` + strings.Join(terms, " AND ") + ` ORDER BY ` + order + ` LIMIT ?`
	return query, append(args, limit(f.Limit)), nil
}

// places lists artifact ids with their places, as JSON.
func places(ids []string) (string, error) {
	pairs := make([][2]any, len(ids))
	for i, id := range ids {
		pairs[i] = [2]any{place(id), id}
	}
	list, err := json.Marshal(pairs)
	return string(list), err
}

// limit is what SQLite takes for a Limit: -1 for none.
func limit(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}
