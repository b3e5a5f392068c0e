package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/quire-dev/quire/queue"
)

// Lease implements [queue.Store].
func (s *Store) Lease(ctx context.Context, owner string, wants []queue.Want, ttl time.Duration) ([]queue.Lease, error) {
	if len(wants) == 0 {
		return nil, nil
	}
	leases, err := write(ctx, s.w, func(t *tx) ([]queue.Lease, error) { return t.lease(owner, wants, ttl) })
	if err != nil {
		return nil, fmt.Errorf("lease jobs: %w", err)
	}
	return leases, nil
}

// One pair of statements serves all wants for the same number of jobs: a
// statement of its own for each costs more than its row. Each key becomes a list
// of its first ready rows. The index is named because a plan that sorts would
// make the cost of a lease grow with the number of ready jobs.
const (
	firstQuery = `
	SELECT id, key, run, priority, rank, attempts, token, finish_seq, reason, class,
		created_at, artifact_id, last_error, payload, progress, result
	FROM jobs JOIN docs USING (id)
	WHERE id IN (
		SELECT first.value FROM (
			SELECT (
				SELECT json_group_array(id) FROM (
					SELECT id FROM jobs INDEXED BY jobs_ready WHERE key = want.value AND state = 0
					ORDER BY priority DESC, rank, id LIMIT ?)) AS ids
			FROM json_each(?) want
			WHERE NOT EXISTS (SELECT 1 FROM keys WHERE id = want.value AND paused)
				AND NOT EXISTS (SELECT 1 FROM keys WHERE name = '' AND paused)) lists, json_each(lists.ids) first)`
	leaseQuery = `
	UPDATE OR FAIL jobs SET state = 2, attempts = attempts + 1, token = token + 1, owner = ?, due = ?, updated_at = ?
	WHERE id IN (SELECT value FROM json_each(?))`
)

func (t *tx) lease(owner string, wants []queue.Want, ttl time.Duration) ([]queue.Lease, error) {
	if err := t.promoteOnce(); err != nil {
		return nil, err
	}
	asked := make(map[int][]int64)
	for _, want := range wants {
		key, err := t.known(t.w.keys, want.Key)
		if err != nil {
			return nil, err
		}
		if want.N > 0 && key > 0 {
			asked[want.N] = append(asked[want.N], key)
		}
	}
	var found []first
	for n, keys := range asked {
		var err error
		if found, err = t.first(found, n, keys); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return t.take(found, owner, t.now+millis(ttl))
}

// first is a ready job at the head of its key, with the numbers of its key and run.
type first struct {
	queue.Lease
	key, run int64
}

// first appends the first n ready jobs of each key to found.
func (t *tx) first(found []first, n int, keys []int64) ([]first, error) {
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	rows, err := t.query(firstQuery, n, string(list))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		f := first{key: rows.integer(1), run: rows.integer(2)}
		f.Token = rows.integer(6)
		f.Job = queue.Job{
			ID: rows.integer(0), Priority: int(rows.integer(3)), Rank: rows.integer(4), Attempts: int(rows.integer(5)),
			FinishSeq: rows.integer(7), Reason: rows.text(8), Class: rows.text(9), CreatedAt: instant(rows.integer(10)),
			ArtifactID: rows.text(11), LastError: rows.text(12), Payload: rows.doc(13), Progress: rows.doc(14), Result: rows.doc(15),
		}
		found = append(found, f)
	}
	return found, rows.Err()
}

// take leases jobs that are ready.
func (t *tx) take(found []first, owner string, expires int64) ([]queue.Lease, error) {
	leases, ids := make([]queue.Lease, len(found)), make([]int64, len(found))
	for i, f := range found {
		ids[i] = f.Job.ID
		k := t.counts.key(f.key)
		k.ready, k.inFlight, k.served = k.ready-1, k.inFlight+1, max(k.served, f.Job.Rank)
		var err error
		if f.Job.Key, err = t.nameOf(t.w.keys, f.key); err != nil {
			return nil, err
		}
		if f.Job.Run, err = t.nameOf(t.w.runs, f.run); err != nil {
			return nil, err
		}
		f.Token++
		f.Job.Attempts++
		f.Job.State, f.Job.Owner = queue.InProgress, owner
		f.Job.LeaseExpiresAt, f.Job.UpdatedAt = instant(expires), instant(t.now)
		leases[i] = f.Lease
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	t.moveHeads()
	_, err = t.exec(leaseQuery, owner, expires, t.now, string(list))
	return leases, err
}

// Heartbeat implements [queue.Store].
func (s *Store) Heartbeat(ctx context.Context, ttl time.Duration, leases ...queue.Lease) ([]queue.Lease, error) {
	const query = `UPDATE jobs SET due = ? WHERE id = ? AND state = 2 AND token = ?`
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

// instant is the time of a column; 0 stands for none.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
