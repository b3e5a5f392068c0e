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
	SELECT FROM quire.work WHERE state = 'in_progress' AND lease_expires_at <= (SELECT clock_timestamp()) LIMIT 1`

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
		err = s.write(ctx, func(_ context.Context, t *tx) error {
			part, came = queue.Reaped{}, make(arrivals)
			t.reap(maxAttempts, &part, came)
			return nil
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
		SELECT id, token, attempts, key, owner, leased_at, attempts >= $2::integer AS over,
			'the lease of attempt ' || attempts || ' of ' || $2::integer || ' ran out' AS why
		FROM quire.work WHERE state = 'in_progress' AND lease_expires_at <= (SELECT clock_timestamp())
		ORDER BY lease_expires_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED
	), reaped AS (
		UPDATE quire.work w SET token = -w.token, available_at = now, delayed = false, updated_at = now,
			state = CASE WHEN late.over THEN 'error' ELSE 'queued' END::quire.state,
			reason = CASE WHEN late.over THEN $3::text ELSE w.reason END, class = CASE WHEN late.over THEN $3::text ELSE w.class END,
			last_error = CASE WHEN late.over THEN late.why ELSE w.last_error END,
			progress = CASE WHEN late.over THEN NULL ELSE w.progress END,
			finish_seq = CASE WHEN late.over THEN nextval('quire.finish_seq') ELSE w.finish_seq END
		FROM late, (SELECT clock_timestamp() AS now OFFSET 0) AS clock WHERE w.id = late.id
		RETURNING w.id, w.key, w.state, w.reason, w.class
	), kept AS (
		INSERT INTO quire.attempts (job, token, number, started_at, ended_at, key, owner, reason, class, error)
		SELECT id, token, attempts, leased_at, clock_timestamp(), key, owner, $3::text, $3::text, why FROM late
		ON CONFLICT (job, token) DO NOTHING
	), dropped AS (
		DELETE FROM quire.attempts a USING late WHERE a.job = late.id AND a.token <= late.token - $4::bigint
	), back AS (
		INSERT INTO quire.waiting (key, ready, delayed) SELECT key, count(*), 0 FROM reaped WHERE state = 'queued' GROUP BY key
	), final AS (
		INSERT INTO quire.ended (state, reason, class, n)
		SELECT state, reason, class, count(*) FROM reaped WHERE state <> 'queued' GROUP BY state, reason, class
	)
	SELECT id, key, state = 'queued' FROM reaped`

func (t *tx) reap(maxAttempts int, sum *queue.Reaped, came arrivals) {
	t.queue(lockFinish, nil)
	t.queue(reapQuery, func(rows pgx.Rows) error {
		var id int64
		var key string
		var back bool
		if err := rows.Scan(&id, &key, &back); err != nil {
			return err
		}
		if !back {
			sum.Ended++
			return nil
		}
		sum.Returned++
		came.add(key, 1, id)
		return nil
	}, int64(reapChunk), int32(min(maxAttempts, 1<<30)), queue.ClassCrashed, int64(keptTokens))
}
