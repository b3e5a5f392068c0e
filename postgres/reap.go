package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// reapChunk bounds the transaction of a reap.
const reapChunk = 1000

// overdueQuery tells whether a lease ran out and was not reaped.
const overdueQuery = `
	SELECT FROM quire.leased WHERE lease_expires_at <= (SELECT clock_timestamp()) LIMIT 1`

// Reap implements [queue.Store].
func (s *Store) Reap(ctx context.Context, maxAttempts int) (queue.Reaped, error) {
	sum, err := s.reap(ctx, maxAttempts)
	if err == nil {
		err = s.compact(ctx)
	}
	if err != nil {
		return sum, fmt.Errorf("reap: %w", err)
	}
	return sum, nil
}

func (s *Store) reap(ctx context.Context, maxAttempts int) (sum queue.Reaped, err error) {
	switch {
	case maxAttempts < 1:
		return sum, fmt.Errorf("%w maxAttempts: %d", queue.ErrInvalid, maxAttempts)
	case s.readOnly:
		return sum, errReadOnly
	}
	var found bool
	err = s.read(ctx, func(_ context.Context, t *tx) error {
		found = false
		t.queue(overdueQuery, func(pgx.Rows) error {
			found = true
			return nil
		})
		return nil
	})
	for found && err == nil {
		var part queue.Reaped
		var came arrivals
		err = s.write(ctx, func(ctx context.Context, t *tx) error {
			part, came = queue.Reaped{}, make(arrivals)
			return t.reap(ctx, maxAttempts, &part, came)
		})
		if err != nil {
			return sum, err
		}
		s.tellOthers(came)
		sum.Returned += part.Returned
		sum.Ended += part.Ended
		found = part.Returned+part.Ended == reapChunk
	}
	return sum, err
}

// The whole condition is checked again on the rows as they are when locked.
const reapQuery = `
	WITH late AS MATERIALIZED (
		SELECT ctid AS place FROM quire.leased WHERE lease_expires_at <= (SELECT clock_timestamp())
		ORDER BY id LIMIT $1::bigint FOR UPDATE SKIP LOCKED
	), gone AS (
		DELETE FROM quire.leased w USING late WHERE w.ctid = late.place
		RETURNING w.*, w.attempts >= $2::integer AS over, clock_timestamp() AS now,
			'the lease of attempt ' || w.attempts || ' of ' || $2::integer || ' ran out' AS why
	), kept AS (
		INSERT INTO quire.attempts (job, token, number, started_at, ended_at, key, owner, reason, class, error)
		SELECT id, token, attempts, leased_at, now, key, owner, $3::text, $3::text, why FROM gone
		ON CONFLICT (job, token) DO NOTHING
	), back AS (
		INSERT INTO quire.queued (id, token, priority, rank, available_at, updated_at, finish_seq, attempts, state, delayed,
			key, reason, class, last_error, progress, result)
		SELECT id, token, priority, rank, now, now, finish_seq, attempts, 'queued', false,
			key, reason, class, last_error, progress, result
		FROM gone WHERE NOT over
	), counted AS (
		INSERT INTO quire.waiting (key, ready, delayed) SELECT key, count(*), 0 FROM gone WHERE NOT over GROUP BY key
	), final AS (
		INSERT INTO quire.finished (id, token, priority, rank, available_at, updated_at, finish_seq, attempts, state,
			key, reason, class, last_error, result)
		SELECT id, token, priority, rank, now, now, nextval('quire.finish_seq'), attempts, 'error', key, $3::text, $3::text, why, result
		FROM gone WHERE over
	), tallied AS (
		INSERT INTO quire.ended (state, reason, class, n) SELECT 'error', $3::text, $3::text, count(*) FROM gone WHERE over HAVING count(*) > 0
	)
	SELECT id, token, key, NOT over FROM gone`

func (t *tx) reap(ctx context.Context, maxAttempts int, sum *queue.Reaped, came arrivals) error {
	var crowded []int64
	t.queue(lockFinish, nil)
	t.queue(reapQuery, func(rows pgx.Rows) error {
		var id, token int64
		var key string
		var back bool
		if err := rows.Scan(&id, &token, &key, &back); err != nil {
			return err
		}
		if token > keptAttempts {
			crowded = append(crowded, id)
		}
		if !back {
			sum.Ended++
			return nil
		}
		sum.Returned++
		came.add(key, 1)
		return nil
	}, int64(reapChunk), int32(min(maxAttempts, 1<<30)), queue.ClassCrashed)
	if err := t.flush(ctx); err != nil {
		return err
	}
	t.dropAttempts(crowded)
	return nil
}
