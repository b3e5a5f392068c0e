package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quire-dev/quire/queue"
)

// Lease implements [queue.Store]. It returns before its transaction is durable,
// which it is a moment later: who loses power loses the holder of the lease, too.
// Heartbeat does the same.
func (s *Store) Lease(ctx context.Context, owner string, wants []queue.Want, ttl time.Duration) ([]queue.Lease, error) {
	if len(wants) == 0 {
		return nil, nil
	}
	err := queue.CheckText("owner", owner, 0, queue.MaxKey)
	var leases []queue.Lease
	if err == nil {
		leases, err = writeSoon(ctx, s.w, func(t *tx) ([]queue.Lease, error) { return t.lease(owner, wants, ttl) })
	}
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
	SELECT jobs.id, jobs.key, run, priority, rank, attempts, token, due, created_at, artifact_id, payload
	FROM json_each(?) first CROSS JOIN jobs ON jobs.id = first.value CROSS JOIN docs ON docs.id = jobs.id`
	// What only a job can have that was leased before.
	pastQuery = `
	SELECT jobs.id, finish_seq, reason, class, last_error, progress, result
	FROM json_each(?) again CROSS JOIN jobs ON jobs.id = again.value CROSS JOIN docs ON docs.id = jobs.id`
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
	slices.Sort(ids)
	list, err := json.Marshal(slices.Compact(ids)) // a key may have been named twice
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
	again := make(map[int64]int) // where those are that were leased before
	for rows.Next() {
		l := queue.Lease{Token: rows.integer(6) + 1, Job: queue.Job{
			ID: rows.integer(0), Priority: int(rows.integer(3)), Rank: rows.integer(4), Attempts: int(rows.integer(5)) + 1,
			CreatedAt: instant(rows.integer(8)), ArtifactID: rows.text(9), Payload: rows.doc(10),
			State: queue.InProgress, Owner: owner, LeaseExpiresAt: instant(expires), UpdatedAt: instant(t.now),
		}}
		if l.Token > 1 {
			again[l.Job.ID] = len(leases)
		}
		leases = append(leases, l)
		of = append(of, share{rows.integer(1), rows.integer(2)})
		t.counts.add(-1, rows.integer(1), stateReady, rows.integer(7))
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
	return leases, t.recallPast(leases, again)
}

// recallPast adds what earlier attempts have left to the leases of some jobs,
// each of which it finds by the job's id.
func (t *tx) recallPast(leases []queue.Lease, at map[int64]int) error {
	if len(at) == 0 {
		return nil
	}
	list, err := json.Marshal(slices.Collect(maps.Keys(at)))
	if err != nil {
		return err
	}
	rows, err := t.query(pastQuery, string(list))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		j := &leases[at[rows.integer(0)]].Job
		j.FinishSeq, j.Reason, j.Class, j.LastError = rows.integer(1), rows.text(2), rows.text(3), rows.text(4)
		j.Progress, j.Result = rows.doc(5), rows.doc(6)
	}
	return rows.Err()
}

// Heartbeat implements [queue.Store].
func (s *Store) Heartbeat(ctx context.Context, ttl time.Duration, leases ...queue.Lease) ([]queue.Lease, error) {
	const query = `UPDATE jobs SET due = ? WHERE id = ? AND state = 2 AND token = ?`
	if len(leases) == 0 {
		return nil, nil
	}
	lost, err := writeSoon(ctx, s.w, func(t *tx) (lost []queue.Lease, err error) {
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
