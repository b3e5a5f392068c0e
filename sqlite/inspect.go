package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quire-dev/quire/queue"
)

// Job implements [queue.Inspector].
func (s *Store) Job(ctx context.Context, artifactID string) (queue.Job, error) {
	const query = `SELECT ` + jobColumns + ` FROM jobs WHERE artifact_id = ?`
	l, err := scanLease(s.rdb.QueryRowContext(ctx, query, artifactID))
	if errors.Is(err, sql.ErrNoRows) {
		return queue.Job{}, fmt.Errorf("%w: %s", queue.ErrNotFound, artifactID)
	}
	if err != nil {
		return queue.Job{}, fmt.Errorf("look up %s: %w", artifactID, explained(err))
	}
	return l.Job, nil
}

// Jobs implements [queue.Inspector].
func (s *Store) Jobs(ctx context.Context, f queue.Filter) ([]queue.Job, error) {
	query, args, err := selectJobs(f)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	rows, err := s.rdb.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", explained(err))
	}
	defer rows.Close()
	var jobs []queue.Job
	for rows.Next() {
		l, err := scanLease(rows)
		if err != nil {
			return nil, fmt.Errorf("list jobs: %w", explained(err))
		}
		jobs = append(jobs, l.Job)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list jobs: %w", explained(err))
	}
	return jobs, nil
}

func selectJobs(f queue.Filter) (query string, args []any, err error) {
	where, args, err := conditions(f)
	order := "id"
	if f.AfterSeq != 0 {
		order = "finish_seq"
	}
	query = `SELECT ` + jobColumns + ` FROM jobs WHERE ` + where + ` ORDER BY ` + order + ` LIMIT ?`
	return query, append(args, limit(f.Limit)), err
}

// Requeue implements [queue.Inspector]. It takes the oldest ids first when
// f.Limit binds.
func (s *Store) Requeue(ctx context.Context, f queue.Filter) (int, error) {
	if len(f.States) == 0 {
		f.States = queue.States()
	}
	f.States = slices.DeleteFunc(slices.Clone(f.States), func(state queue.State) bool { return !state.Terminal() })
	if len(f.States) == 0 {
		return 0, nil
	}
	where, args, err := conditions(f)
	if err != nil {
		return 0, fmt.Errorf("requeue: %w", err)
	}
	query := `
		UPDATE jobs SET state = 'queued', key = first_key, attempts = 0, available_at = ?, delayed = 0,
			progress = NULL, result = NULL, reason = '', class = '', last_error = '', updated_at = ?
		WHERE id IN (SELECT id FROM jobs WHERE ` + where + ` ORDER BY id LIMIT ?)`
	n, err := write(ctx, s.w, func(t *tx) (int, error) {
		return t.exec(query, slices.Concat([]any{t.now, t.now}, args, []any{limit(f.Limit)})...)
	})
	if err != nil {
		return 0, fmt.Errorf("requeue: %w", err)
	}
	if n > 0 {
		s.wake()
	}
	return n, nil
}

// conditions turns a filter, all but its Limit, into SQL. States are written
// out, because only then do partial indexes apply.
func conditions(f queue.Filter) (where string, args []any, err error) {
	terms := []string{"true"}
	add := func(term string, arg any) {
		terms = append(terms, term)
		args = append(args, arg)
	}
	if f.After > 0 {
		add("id > ?", f.After)
	}
	if len(f.States) > 0 {
		var states []string
		for _, state := range f.States {
			if !slices.Contains(queue.States(), state) {
				return "", nil, fmt.Errorf("%w state: %q", queue.ErrInvalid, state)
			}
			states = append(states, "state = '"+string(state)+"'")
		}
		terms = append(terms, "("+strings.Join(states, " OR ")+")")
	}
	if f.Class != "" {
		add("class = ?", f.Class)
	}
	if f.Key != "" {
		add("key = ?", f.Key)
	}
	if f.Run != "" {
		add("run = ?", f.Run)
	}
	if f.Older > 0 {
		add("updated_at <= ?", time.Now().Add(-f.Older).UnixMilli())
	}
	if f.AfterSeq != 0 {
		add("finish_seq > 0 AND finish_seq > ?", f.AfterSeq)
	}
	return strings.Join(terms, " AND "), args, nil
}

// limit is what SQLite takes for a Limit: -1 for none.
func limit(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}
