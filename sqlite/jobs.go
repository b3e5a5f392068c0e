package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/quire-dev/quire/queue"
)

// Enqueue implements [queue.Store]. Besides the limits of the contract, the
// texts of a job must be valid UTF-8 without NUL.
func (s *Store) Enqueue(ctx context.Context, jobs []queue.NewJob) (queue.Enqueued, error) {
	for i, j := range jobs {
		if err := checkNew(j); err != nil {
			return queue.Enqueued{}, fmt.Errorf("enqueue: job %d of %d: %w", i+1, len(jobs), err)
		}
	}
	if len(jobs) == 0 {
		return queue.Enqueued{}, nil
	}
	added, err := write(ctx, s.w, func(t *tx) (int, error) { return t.insert(jobs) })
	if err != nil {
		return queue.Enqueued{}, fmt.Errorf("enqueue: %w", err)
	}
	if added > 0 {
		s.wake()
	}
	return queue.Enqueued{Added: added, Known: len(jobs) - added}, nil
}

func checkNew(j queue.NewJob) error {
	if err := checkText("artifact id", j.ArtifactID, 1, queue.MaxArtifactID); err != nil {
		return err
	}
	if err := checkText("key", j.Key, 1, queue.MaxKey); err != nil {
		return err
	}
	if err := checkText("run", j.Run, 0, queue.MaxKey); err != nil {
		return err
	}
	if len(j.Payload) > queue.MaxPayload {
		return fmt.Errorf("%w payload: %d bytes, at most %d are allowed", queue.ErrInvalid, len(j.Payload), queue.MaxPayload)
	}
	return nil
}

func checkText(field, text string, least, most int) error {
	switch {
	case len(text) < least:
		return fmt.Errorf("%w %s: it is empty", queue.ErrInvalid, field)
	case len(text) > most:
		return fmt.Errorf("%w %s: %d bytes, at most %d are allowed", queue.ErrInvalid, field, len(text), most)
	case !utf8.ValidString(text):
		return fmt.Errorf("%w %s: %.80q is not UTF-8", queue.ErrInvalid, field, text)
	case strings.ContainsRune(text, 0):
		return fmt.Errorf("%w %s: %.80q contains NUL", queue.ErrInvalid, field, text)
	}
	return nil
}

func insertQuery(rows int) string {
	const row = "(?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	return `INSERT INTO jobs (artifact_id, state, priority, run, key, first_key, available_at, delayed, payload, created_at, updated_at)
		VALUES ` + row + strings.Repeat(", "+row, rows-1) + ` ON CONFLICT (artifact_id) DO NOTHING`
}

func (t *tx) insert(jobs []queue.NewJob) (added int, err error) {
	var args []any
	// Rows of one INSERT: a statement costs more than a row, so long ones are
	// twice as fast.
	for _, rows := range []int{64, 8, 1} {
		if len(jobs) < rows {
			continue
		}
		query := insertQuery(rows)
		for ; len(jobs) >= rows; jobs = jobs[rows:] {
			args = args[:0]
			for _, j := range jobs[:rows] {
				wait := millis(j.Delay)
				args = append(args, j.ArtifactID, j.Priority, j.Run, j.Key, j.Key,
					t.now+wait, wait > 0, text(j.Payload), t.now, t.now)
			}
			n, err := t.exec(query, args...)
			if err != nil {
				return 0, err
			}
			added += n
		}
	}
	return added, nil
}

// Lease implements [queue.Store].
func (s *Store) Lease(ctx context.Context, owner string, wants []queue.Want, ttl time.Duration) ([]queue.Lease, error) {
	if len(wants) == 0 {
		return nil, nil
	}
	leases, err := write(ctx, s.w, func(t *tx) (leases []queue.Lease, err error) {
		if err := t.promoteOnce(); err != nil {
			return nil, err
		}
		for _, want := range wants {
			if leases, err = t.lease(leases, owner, want, ttl); err != nil {
				return nil, err
			}
		}
		return leases, nil
	})
	if err != nil {
		return nil, fmt.Errorf("lease jobs: %w", err)
	}
	return leases, nil
}

// The index is named because a plan that sorts would make the cost of a lease
// grow with the number of ready jobs.
const leaseQuery = `
	UPDATE jobs SET state = 'in_progress', attempts = attempts + 1, token = token + 1,
		lease_owner = ?, lease_expires_at = ?, updated_at = ?
	WHERE id IN (
		SELECT id FROM jobs INDEXED BY jobs_ready
		WHERE key = ? AND state = 'queued' AND delayed = 0
		ORDER BY priority DESC, id LIMIT ?)
	RETURNING ` + jobColumns

func (t *tx) lease(leases []queue.Lease, owner string, want queue.Want, ttl time.Duration) ([]queue.Lease, error) {
	if want.N <= 0 {
		return leases, nil
	}
	rows, err := t.query(leaseQuery, owner, t.now+millis(ttl), t.now, want.Key, want.N)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		l, err := scanLease(rows)
		if err != nil {
			return nil, err
		}
		leases = append(leases, l)
	}
	return leases, rows.Err()
}

// Heartbeat implements [queue.Store].
func (s *Store) Heartbeat(ctx context.Context, ttl time.Duration, leases ...queue.Lease) ([]queue.Lease, error) {
	const query = `UPDATE jobs SET lease_expires_at = ? WHERE id = ? AND state = 'in_progress' AND token = ?`
	if len(leases) == 0 {
		return nil, nil
	}
	lost, err := write(ctx, s.w, func(t *tx) (lost []queue.Lease, err error) {
		for _, l := range leases {
			n, err := t.exec(query, t.now+millis(ttl), l.Job.ID, l.Token)
			if err != nil {
				return nil, err
			}
			if n == 0 {
				lost = append(lost, l)
			}
		}
		return lost, nil
	})
	if err != nil {
		return nil, fmt.Errorf("extend leases: %w", err)
	}
	return lost, nil
}

// jobColumns are what scanLease reads.
const jobColumns = `id, artifact_id, key, run, state, priority, attempts, payload, progress, result,
	reason, class, last_error, available_at, lease_owner, lease_expires_at, created_at, updated_at, finish_seq, token`

// scanLease reads a row of jobColumns.
func scanLease(row interface{ Scan(dest ...any) error }) (queue.Lease, error) {
	var l queue.Lease
	var available, expires, created, updated int64
	j := &l.Job
	err := row.Scan(&j.ID, &j.ArtifactID, &j.Key, &j.Run, &j.State, &j.Priority, &j.Attempts,
		(*[]byte)(&j.Payload), (*[]byte)(&j.Progress), (*[]byte)(&j.Result),
		&j.Reason, &j.Class, &j.LastError, &available, &j.Owner, &expires, &created, &updated, &j.FinishSeq, &l.Token)
	if j.State == queue.Queued {
		j.AvailableAt = instant(available)
	}
	j.LeaseExpiresAt, j.CreatedAt, j.UpdatedAt = instant(expires), instant(created), instant(updated)
	return l, err
}

// instant is the time of a column; 0 stands for none.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// text is a document as a column keeps it: NULL for none.
func text(doc json.RawMessage) sql.NullString {
	return sql.NullString{String: string(doc), Valid: len(doc) > 0}
}
