package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// keptAttempts is how many attempts of a job are kept, the last ones.
const keptAttempts = 100

// attempts are on their way to the server.
type attempts struct {
	jobs, tokens, numbers  []int64
	started                []time.Time
	keys, owners           []string
	reasons, classes, errs []string
	crowded                []int64 // jobs that may have too many
}

// add takes an attempt that ends now.
func (a *attempts) add(job int64, at queue.Attempt) {
	a.jobs, a.tokens, a.numbers = append(a.jobs, job), append(a.tokens, at.Token), append(a.numbers, int64(at.Number))
	a.started = append(a.started, at.Started)
	a.keys, a.owners = append(a.keys, at.Key), append(a.owners, at.Owner)
	a.reasons, a.classes, a.errs = append(a.reasons, at.Reason), append(a.classes, at.Class), append(a.errs, at.Error)
	if at.Token > keptAttempts {
		a.crowded = append(a.crowded, job)
	}
}

const dropAttemptsQuery = `
	DELETE FROM quire.attempts a USING unnest($1::bigint[]) AS crowded(job) WHERE a.job = crowded.job AND a.token <= (
		SELECT last.token FROM quire.attempts last WHERE last.job = crowded.job ORDER BY last.token DESC OFFSET $2::bigint LIMIT 1)`

// dropAttempts drops all but the last attempts of jobs, at the next flush.
func (t *tx) dropAttempts(jobs []int64) {
	if len(jobs) > 0 {
		t.queue(dropAttemptsQuery, nil, jobs, int64(keptAttempts))
	}
}

// keep writes the attempts down at the next flush.
func (a *attempts) keep(t *tx) {
	const query = `
	INSERT INTO quire.attempts (job, token, number, started_at, ended_at, key, owner, reason, class, error)
	SELECT a.job, a.token, a.number, a.started, (SELECT clock_timestamp()), a.key, a.owner, a.reason, a.class, a.error
	FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
		AS a(job, token, number, started, key, owner, reason, class, error)
	ON CONFLICT (job, token) DO NOTHING`
	if len(a.jobs) == 0 {
		return
	}
	t.queue(query, nil, a.jobs, a.tokens, a.numbers, a.started, a.keys, a.owners, a.reasons, a.classes, a.errs)
	t.dropAttempts(a.crowded)
}

// Attempts implements [queue.Inspector].
func (s *Store) Attempts(ctx context.Context, artifactID string) (list []queue.Attempt, err error) {
	const (
		jobQuery = `SELECT id FROM quire.jobs WHERE artifact_id = $1::text`
		query    = `
		SELECT a.number, a.token, a.key, a.owner, a.reason, a.class, a.error, a.started_at, a.ended_at
		FROM quire.attempts a JOIN quire.jobs j ON j.id = a.job WHERE j.artifact_id = $1::text ORDER BY a.token`
	)
	var found bool
	err = s.read(ctx, func(_ context.Context, t *tx) error {
		found, list = false, nil
		t.queue(jobQuery, func(pgx.Rows) error {
			found = true
			return nil
		}, artifactID)
		t.queue(query, func(rows pgx.Rows) error {
			var a queue.Attempt
			err := rows.Scan(&a.Number, &a.Token, &a.Key, &a.Owner, &a.Reason, &a.Class, &a.Error, &a.Started, &a.Ended)
			a.Started, a.Ended = a.Started.UTC(), a.Ended.UTC()
			list = append(list, a)
			return err
		}, artifactID)
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("look up the attempts of %s: %w", artifactID, err)
	case !found:
		return nil, fmt.Errorf("%w: %s", queue.ErrNotFound, artifactID)
	}
	return list, nil
}
