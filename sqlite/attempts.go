package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/quire-dev/quire/queue"
)

// keptAttempts bounds the history of a job: of more failures the oldest are dropped.
const keptAttempts = 100

// failed reports whether s ends an attempt that is worth keeping.
func failed(s queue.Settlement) bool {
	return s.Verb == queue.Retry || s.Class != "" || s.Verb == queue.Finish && s.State == queue.Error
}

const (
	keepAttemptQuery = `
	INSERT INTO attempts (job, token, number, key, owner, reason, class, error, started_at, ended_at)
	SELECT id, token, attempts, key, owner, ?, ?, ?, updated_at, ? FROM jobs WHERE id = ? AND state = 2 AND token = ?`
	dropAttemptsQuery = `
	DELETE FROM attempts WHERE job = ? AND token <= (
		SELECT token FROM attempts WHERE job = ? ORDER BY token DESC LIMIT 1 OFFSET ?)`
)

// keepAttempt notes how the attempt of a lease ended, if the lease still holds.
func (t *tx) keepAttempt(l queue.Lease, reason, class, text string) error {
	n, err := t.exec(keepAttemptQuery, reason, class, text, t.now, l.Job.ID, l.Token)
	if n == 0 || err != nil || l.Token <= keptAttempts {
		return err
	}
	_, err = t.exec(dropAttemptsQuery, l.Job.ID, l.Job.ID, keptAttempts)
	return err
}

// Attempts implements [queue.Inspector].
func (s *Store) Attempts(ctx context.Context, artifactID string) (attempts []queue.Attempt, err error) {
	const query = `
		SELECT a.number, a.token, k.name, a.owner, a.reason, a.class, a.error, a.started_at, a.ended_at
		FROM attempts a JOIN keys k ON k.id = a.key
		WHERE a.job = (SELECT id FROM docs WHERE place = ? AND artifact_id = ?) ORDER BY a.token`
	err = s.snapshot(ctx, func(snap *sql.Tx) error {
		var found int
		at := place(artifactID)
		if err := snap.QueryRowContext(ctx, knownQuery, at, artifactID).Scan(&found); err != nil {
			return err
		}
		return each(ctx, snap, query, func(rows *sql.Rows) error {
			var a queue.Attempt
			var started, ended int64
			err := rows.Scan(&a.Number, &a.Token, &a.Key, &a.Owner, &a.Reason, &a.Class, &a.Error, &started, &ended)
			a.Started, a.Ended = instant(started), instant(ended)
			attempts = append(attempts, a)
			return err
		}, at, artifactID)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %s", queue.ErrNotFound, artifactID)
	}
	if err != nil {
		return nil, fmt.Errorf("look up the attempts of %s: %w", artifactID, explained(err))
	}
	return attempts, nil
}
