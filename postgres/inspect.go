package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// jobColumns are what scanLease reads, of work w and jobs j.
const jobColumns = `w.id, j.artifact_id, w.key, j.run, w.state::text, w.priority, w.rank, w.attempts, j.payload, w.progress, w.result,
	w.reason, w.class, w.last_error, w.available_at, w.owner, w.lease_expires_at, j.created_at, w.updated_at, w.finish_seq, w.token`

// scanLease reads a row of jobColumns.
func scanLease(row pgx.Rows) (queue.Lease, error) {
	var l queue.Lease
	var owner *string
	var available time.Time
	var expires *time.Time
	j := &l.Job
	err := row.Scan(&j.ID, &j.ArtifactID, &j.Key, &j.Run, (*string)(&j.State), &j.Priority, &j.Rank, &j.Attempts,
		(*[]byte)(&j.Payload), (*[]byte)(&j.Progress), (*[]byte)(&j.Result),
		&j.Reason, &j.Class, &j.LastError, &available, &owner, &expires, &j.CreatedAt, &j.UpdatedAt, &j.FinishSeq, &l.Token)
	if j.State == queue.Queued {
		j.AvailableAt = available.UTC()
	}
	if j.State == queue.InProgress && owner != nil && expires != nil {
		j.Owner, j.LeaseExpiresAt = *owner, expires.UTC()
	}
	j.CreatedAt, j.UpdatedAt = j.CreatedAt.UTC(), j.UpdatedAt.UTC()
	return l, err
}

// inLine compares leases of one key by the order in which they were due.
func inLine(a, b queue.Lease) int {
	switch {
	case a.Job.Priority != b.Job.Priority:
		return cmp.Compare(b.Job.Priority, a.Job.Priority)
	case a.Job.Rank != b.Job.Rank:
		return cmp.Compare(a.Job.Rank, b.Job.Rank)
	default:
		return cmp.Compare(a.Job.ID, b.Job.ID)
	}
}

// Job implements [queue.Inspector].
func (s *Store) Job(ctx context.Context, artifactID string) (queue.Job, error) {
	const query = `SELECT ` + jobColumns + ` FROM quire.jobs j JOIN quire.work w ON w.id = j.id WHERE j.artifact_id = $1::text`
	jobs, err := s.jobs(ctx, query, artifactID)
	switch {
	case err != nil && !known(artifactID), err == nil && len(jobs) == 0:
		return queue.Job{}, fmt.Errorf("%w: %s", queue.ErrNotFound, artifactID)
	case err != nil:
		return queue.Job{}, fmt.Errorf("look up %s: %w", artifactID, err)
	}
	return jobs[0], nil
}

// Jobs implements [queue.Inspector].
func (s *Store) Jobs(ctx context.Context, f queue.Filter) ([]queue.Job, error) {
	jobs, err := []queue.Job(nil), f.Check()
	if err == nil {
		query, args := selectJobs(f)
		jobs, err = s.jobs(ctx, query, args...)
	}
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return jobs, nil
}

func (s *Store) jobs(ctx context.Context, query string, args ...any) (jobs []queue.Job, err error) {
	err = s.read(ctx, func(_ context.Context, t *tx) error {
		jobs = nil
		t.queue(query, func(rows pgx.Rows) error {
			l, err := scanLease(rows)
			jobs = append(jobs, l.Job)
			return err
		}, args...)
		return nil
	})
	return jobs, err
}

// Runs implements [queue.Inspector]. It asks for the runs that have had a share of
// some key, as every run has that ever had a job.
func (s *Store) Runs(ctx context.Context, prefix string, most int) (names []string, err error) {
	const query = `SELECT DISTINCT run FROM quire.shares WHERE run <> '' AND starts_with(run, $1::text) ORDER BY run LIMIT $2::bigint`
	if !known(prefix) {
		return nil, nil
	}
	err = s.read(ctx, func(_ context.Context, t *tx) error {
		names = nil
		t.queue(query, func(rows pgx.Rows) error {
			var name string
			err := rows.Scan(&name)
			names = append(names, name)
			return err
		}, prefix, limit(most))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return names, nil
}

// selectJobs is the query of the jobs that match f, in its order.
func selectJobs(f queue.Filter) (query string, args []any) {
	order := "w.id"
	if f.AfterSeq != 0 {
		order = "w.finish_seq"
	}
	where, args := conditions(f)
	query = fmt.Sprintf("SELECT %s FROM quire.work w JOIN quire.jobs j ON j.id = w.id WHERE %s ORDER BY %s LIMIT $%d::bigint",
		jobColumns, where, order, len(args)+1)
	return query, append(args, limit(f.Limit))
}

// conditions turns a filter, all but its Limit, into SQL. States are written
// out, because only then do partial indexes apply.
func conditions(f queue.Filter) (where string, args []any) {
	terms := []string{"true"}
	add := func(term string, arg any) {
		args = append(args, arg)
		terms = append(terms, fmt.Sprintf(term, len(args)))
	}
	text := func(term, arg string) {
		switch {
		case arg == "":
		case known(arg):
			add(term, arg)
		default:
			terms = append(terms, "false")
		}
	}
	if f.After > 0 {
		add("w.id > $%d::bigint", f.After)
	}
	if len(f.ArtifactIDs) > 0 {
		ids := slices.DeleteFunc(slices.Clone(f.ArtifactIDs), func(id string) bool { return !known(id) })
		add("j.artifact_id = ANY ($%d::text[])", ids)
	}
	if len(f.States) > 0 {
		var states []string
		for _, state := range f.States {
			states = append(states, "w.state = '"+string(state)+"'") // one of ours: f was checked
		}
		terms = append(terms, "("+strings.Join(states, " OR ")+")")
	}
	text("starts_with(j.artifact_id, $%d::text)", f.Prefix)
	text("w.class = $%d::text", f.Class)
	text("w.key = $%d::text", f.Key)
	text("j.run = $%d::text", f.Run)
	if f.Older > 0 {
		add("w.updated_at <= (SELECT clock_timestamp()) - $%d::bigint * interval '1 microsecond'", micros(f.Older))
	}
	if f.AfterSeq != 0 {
		add("w.finish_seq > 0 AND w.finish_seq > $%d::bigint", f.AfterSeq)
	}
	return strings.Join(terms, " AND "), args
}

// known reports whether text can be in the database at all.
func known(text string) bool { return queue.CheckText("text", text, 0, len(text)) == nil }
