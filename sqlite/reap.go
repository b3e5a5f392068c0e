package sqlite

import (
	"context"
	"fmt"

	"github.com/quire-dev/quire/queue"
)

// reapChunk bounds the transaction of a reap.
const reapChunk = 1000

// Reap implements [queue.Store].
func (s *Store) Reap(ctx context.Context, maxAttempts int) (queue.Reaped, error) {
	var sum queue.Reaped
	if maxAttempts < 1 {
		return sum, fmt.Errorf("reap: %w maxAttempts: %d", queue.ErrInvalid, maxAttempts)
	}
	if found, err := s.overdue(ctx); err != nil || !found {
		return sum, err
	}
	for {
		part, err := write(ctx, s.w, func(t *tx) (queue.Reaped, error) { return t.reap(maxAttempts) })
		if err != nil {
			return sum, fmt.Errorf("reap: %w", err)
		}
		sum.Returned += part.Returned
		sum.Ended += part.Ended
		if part.Returned+part.Ended < reapChunk {
			return sum, nil
		}
	}
}

const (
	expiredQuery = `
	SELECT id, key, token, attempts FROM jobs INDEXED BY jobs_due WHERE state = 2 AND due <= ? ORDER BY due LIMIT ?`
	returnQuery = `
	UPDATE jobs SET state = 0, due = ?, owner = '', updated_at = ?
	WHERE id = ? AND token = ? AND state = 2 AND due <= ?`
	endQuery = `
	UPDATE jobs SET state = 5, reason = ?, class = ?, finish_seq = ?,
		owner = '', due = 0, updated_at = ?
	WHERE id = ? AND token = ? AND state = 2 AND due <= ?`
	endDocQuery = `UPDATE docs SET last_error = ?, progress = NULL WHERE id = ?`
)

func (t *tx) reap(maxAttempts int) (queue.Reaped, error) {
	var sum queue.Reaped
	leases, keys, err := t.expired()
	if err != nil {
		return sum, err
	}
	last, err := t.numbers()
	if err != nil {
		return sum, err
	}
	t.moveHeads()
	for i, l := range leases {
		why := fmt.Sprintf("the lease of attempt %d of %d ran out", l.Job.Attempts, maxAttempts)
		if err := t.keepAttempt(l, queue.ClassCrashed, queue.ClassCrashed, why); err != nil {
			return sum, err
		}
		if l.Job.Attempts < maxAttempts {
			n, err := t.exec(returnQuery, t.now, t.now, l.Job.ID, l.Token, t.now)
			if err != nil {
				return sum, err
			}
			sum.Returned += n
			t.counts.add(-n, keys[i], stateInProgress, 0)
			t.counts.add(n, keys[i], stateReady, t.now)
			continue
		}
		n, err := t.exec(endQuery, queue.ClassCrashed, queue.ClassCrashed, last.seq+1, t.now, l.Job.ID, l.Token, t.now)
		if err == nil && n > 0 {
			_, err = t.exec(endDocQuery, why, l.Job.ID)
		}
		if err != nil {
			return sum, err
		}
		last.seq += int64(n)
		sum.Ended += n
		t.counts.add(-n, keys[i], stateInProgress, 0)
		t.counts.outcomes[outcome{stateError, queue.ClassCrashed, queue.ClassCrashed}] += n
	}
	return sum, nil
}

// expired returns leases that have run out, with only their ids, tokens and
// attempts, and the numbers of their keys.
func (t *tx) expired() (leases []queue.Lease, keys []int64, err error) {
	rows, err := t.query(expiredQuery, t.now, reapChunk)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		l := queue.Lease{Job: queue.Job{ID: rows.integer(0), Attempts: int(rows.integer(3))}, Token: rows.integer(2)}
		leases, keys = append(leases, l), append(keys, rows.integer(1))
	}
	return leases, keys, rows.Err()
}
