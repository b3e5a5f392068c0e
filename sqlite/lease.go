package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// The jobs at the heads of keys are found in two steps, because a statement for
// each job costs more than its row: first their ids, by the index that has them
// in order, then all rows at once. The index is named because a plan that sorts
// would make the cost of a lease grow with the number of ready jobs.
const (
	firstOfEachQuery = `
	SELECT (
		SELECT id FROM jobs INDEXED BY jobs_ready WHERE key = want.value AND state = 0 ORDER BY priority DESC, rank, id LIMIT 1) AS first
	FROM json_each(?) want WHERE first IS NOT NULL`
	firstOfOneQuery = `
	SELECT id FROM jobs INDEXED BY jobs_ready WHERE key = ? AND state = 0 ORDER BY priority DESC, rank, id LIMIT ?`
	pausedQuery = `SELECT id FROM keys INDEXED BY keys_paused WHERE paused = 1`
	rowsQuery   = `
	SELECT id, key, run, priority, rank, attempts, token, finish_seq, reason, class, due,
		created_at, artifact_id, last_error, payload, progress, result
	FROM jobs JOIN docs USING (id) WHERE id IN (SELECT value FROM json_each(?))`
	leaseQuery = `
	UPDATE OR FAIL jobs SET state = 2, attempts = attempts + 1, token = token + 1, owner = ?, due = ?, updated_at = ?
	WHERE id IN (SELECT value FROM json_each(?))`
)

func (t *tx) lease(owner string, wants []queue.Want, ttl time.Duration) ([]queue.Lease, error) {
	if err := t.promoteOnce(); err != nil {
		return nil, err
	}
	ids, err := t.firstIDs(wants)
	if len(ids) == 0 || err != nil {
		return nil, err
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	expires := t.now + millis(ttl)
	t.moveHeads()
	leases, err := t.leases(owner, expires, string(list))
	if err != nil {
		return nil, err
	}
	_, err = t.exec(leaseQuery, owner, expires, t.now, string(list))
	return leases, err
}

// firstIDs returns the ids of the first ready jobs that each want asks for.
func (t *tx) firstIDs(wants []queue.Want) (ids []int64, err error) {
	paused, err := t.integers(pausedQuery)
	if err != nil || slices.Contains(paused, wholeQueue) {
		return nil, err
	}
	var singles []int64
	for _, want := range wants {
		key, err := t.known(t.w.keys, want.Key)
		switch {
		case err != nil:
			return nil, err
		case key == 0 || slices.Contains(paused, key):
		case want.N == 1:
			singles = append(singles, key)
		case want.N > 1:
			more, err := t.integers(firstOfOneQuery, key, want.N)
			if err != nil {
				return nil, err
			}
			ids = append(ids, more...)
		}
	}
	if len(singles) == 0 {
		return ids, nil
	}
	list, err := json.Marshal(singles)
	if err != nil {
		return nil, err
	}
	more, err := t.integers(firstOfEachQuery, string(list))
	return append(ids, more...), err
}

// leases returns ready jobs as they will be once they are leased.
func (t *tx) leases(owner string, expires int64, ids string) ([]queue.Lease, error) {
	rows, err := t.query(rowsQuery, ids)
	if err != nil {
		return nil, err
	}
	var leases []queue.Lease
	var of []share
	for rows.Next() {
		leases = append(leases, queue.Lease{Token: rows.integer(6) + 1, Job: queue.Job{
			ID: rows.integer(0), Priority: int(rows.integer(3)), Rank: rows.integer(4), Attempts: int(rows.integer(5)) + 1,
			FinishSeq: rows.integer(7), Reason: rows.text(8), Class: rows.text(9), CreatedAt: instant(rows.integer(11)),
			ArtifactID: rows.text(12), LastError: rows.text(13), Payload: rows.doc(14), Progress: rows.doc(15), Result: rows.doc(16),
			State: queue.InProgress, Owner: owner, LeaseExpiresAt: instant(expires), UpdatedAt: instant(t.now),
		}})
		of = append(of, share{rows.integer(1), rows.integer(2)})
		t.counts.add(-1, rows.integer(1), stateReady, rows.integer(10))
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range leases {
		j := &leases[i].Job
		k := t.counts.key(of[i].key)
		k.inFlight, k.served = k.inFlight+1, max(k.served, j.Rank)
		if j.Key, err = t.nameOf(t.w.keys, of[i].key); err != nil {
			return nil, err
		}
		if j.Run, err = t.nameOf(t.w.runs, of[i].run); err != nil {
			return nil, err
		}
	}
	return leases, nil
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
