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

// One statement serves all wants for the same number of jobs: a statement of its
// own for each costs more than its row. Each key becomes a list of its first
// ready rows. The index is named because a plan that sorts would make the cost of
// a lease grow with the number of ready jobs.
const leaseQuery = `
	UPDATE jobs SET state = 2, attempts = attempts + 1, token = token + 1, owner = ?, due = ?, updated_at = ?
	WHERE id IN (
		SELECT first.value FROM (
			SELECT (
				SELECT json_group_array(id) FROM (
					SELECT id FROM jobs INDEXED BY jobs_ready WHERE key = want.value AND state = 0
					ORDER BY priority DESC, rank, id LIMIT ?)) AS ids
			FROM json_each(?) want
			WHERE NOT EXISTS (SELECT 1 FROM keys WHERE id = want.value AND paused)
				AND NOT EXISTS (SELECT 1 FROM keys WHERE name = '' AND paused)) lists, json_each(lists.ids) first)
	RETURNING id, artifact_id, key, run, priority, rank, attempts, token, payload, progress, result,
		reason, class, last_error, created_at, finish_seq`

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
	t.moveHeads()
	var leases []queue.Lease
	var of []share
	for n, keys := range asked {
		list, err := json.Marshal(keys)
		if err != nil {
			return nil, err
		}
		if leases, of, err = t.leaseRows(leases, of, owner, t.now+millis(ttl), n, string(list)); err != nil {
			return nil, err
		}
	}
	for i := range leases {
		k := t.counts.key(of[i].key)
		k.ready, k.inFlight, k.served = k.ready-1, k.inFlight+1, max(k.served, leases[i].Job.Rank)
		var err error
		if leases[i].Job.Key, err = t.nameOf(t.w.keys, of[i].key); err != nil {
			return nil, err
		}
		if leases[i].Job.Run, err = t.nameOf(t.w.runs, of[i].run); err != nil {
			return nil, err
		}
	}
	return leases, nil
}

// leaseRows leases the first n ready jobs of each key and appends them to
// leases. They lack their key and run, whose numbers it appends to of.
func (t *tx) leaseRows(leases []queue.Lease, of []share, owner string, expires int64, n int, keys string,
) ([]queue.Lease, []share, error) {
	rows, err := t.query(leaseQuery, owner, expires, t.now, n, keys)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		l := queue.Lease{Job: queue.Job{
			State: queue.InProgress, Owner: owner, LeaseExpiresAt: instant(expires), UpdatedAt: instant(t.now),
		}}
		var at share
		var created int64
		j := &l.Job
		err := rows.Scan(&j.ID, &j.ArtifactID, &at.key, &at.run, &j.Priority, &j.Rank, &j.Attempts, &l.Token,
			(*[]byte)(&j.Payload), (*[]byte)(&j.Progress), (*[]byte)(&j.Result),
			&j.Reason, &j.Class, &j.LastError, &created, &j.FinishSeq)
		if err != nil {
			return nil, nil, err
		}
		j.CreatedAt = instant(created)
		leases, of = append(leases, l), append(of, at)
	}
	return leases, of, rows.Err()
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
