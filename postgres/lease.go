package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// leaseCall are the arguments of a Lease.
type leaseCall struct {
	owner string
	wants []queue.Want
	ttl   time.Duration
}

// Lease implements [queue.Store].
func (s *Store) Lease(ctx context.Context, owner string, wants []queue.Want, ttl time.Duration) ([]queue.Lease, error) {
	if len(wants) == 0 {
		return nil, nil
	}
	err := queue.CheckText("owner", owner, 0, queue.MaxKey)
	if err == nil && s.readOnly {
		err = errReadOnly
	}
	if err != nil {
		return nil, fmt.Errorf("lease jobs: %w", err)
	}
	leases, err := s.leases.do(ctx, leaseCall{owner, wants, ttl})
	if err != nil {
		return nil, fmt.Errorf("lease jobs: %w", err)
	}
	return leases, nil
}

// All wants are one statement: the heads of their keys, locked unless somebody
// else has them, and moved to the leases.
const leaseQuery = `
	WITH heads AS MATERIALIZED (
		SELECT head.place FROM unnest($1::text[], $2::bigint[]) AS want(key, n)
		CROSS JOIN LATERAL (
			SELECT w.ctid AS place FROM quire.queued w WHERE w.key = want.key AND NOT w.delayed
			ORDER BY w.priority DESC, w.rank, w.id LIMIT want.n FOR UPDATE SKIP LOCKED
		) AS head
		WHERE NOT EXISTS (SELECT FROM quire.pauses p WHERE p.key = want.key OR p.key = '')
	), taken AS (
		DELETE FROM quire.queued w USING heads WHERE w.ctid = heads.place RETURNING w.*
	), counted AS (
		INSERT INTO quire.waiting (key, ready, delayed) SELECT key, -count(*), 0 FROM taken GROUP BY key
	), served AS (
		INSERT INTO quire.served AS s (key, rank) SELECT key, max(rank) FROM taken GROUP BY key ORDER BY key
		ON CONFLICT (key) DO UPDATE SET rank = excluded.rank WHERE s.rank < excluded.rank
	), leased AS (
		INSERT INTO quire.leased (id, token, priority, rank, available_at, lease_expires_at, leased_at, updated_at, finish_seq, attempts,
			state, owner, key, reason, class, last_error, progress, result)
		SELECT id, token + 1, priority, rank, available_at, now + $4::bigint * interval '1 microsecond', now, now, finish_seq, attempts + 1,
			'in_progress', $3::text, key, reason, class, last_error, progress, result
		FROM taken, (SELECT clock_timestamp() AS now OFFSET 0) AS clock
		RETURNING *
	)
	SELECT ` + jobColumns + ` FROM leased w JOIN quire.jobs j ON j.id = w.id`

// lease leases for several calls. Those that differ only in their wants share a
// statement, and what it finds is dealt out in their order.
func (s *Store) lease(ctx context.Context, calls []leaseCall) ([][]queue.Lease, error) {
	type terms struct {
		owner string
		ttl   time.Duration
	}
	var order []terms
	alike := make(map[terms][]int)
	for i, c := range calls {
		k := terms{c.owner, c.ttl}
		if alike[k] == nil {
			order = append(order, k)
		}
		alike[k] = append(alike[k], i)
	}
	var results [][]queue.Lease
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		results = make([][]queue.Lease, len(calls))
		found := make([]map[string][]queue.Lease, len(order))
		t.promote(promoteLease)
		for i, k := range order {
			found[i] = t.lease(calls, alike[k])
		}
		if err := t.flush(ctx); err != nil {
			return err
		}
		for i, k := range order {
			deal(calls, alike[k], found[i], results)
		}
		return nil
	})
	return results, err
}

// lease leases, at the next flush, what the calls of some numbers want, and
// returns what is then found, by key.
func (t *tx) lease(calls []leaseCall, numbers []int) map[string][]queue.Lease {
	var keys []string
	var ns []int64
	at := make(map[string]int)
	for _, i := range numbers {
		for _, want := range calls[i].wants {
			n, known := at[want.Key]
			switch {
			case want.N <= 0:
			case known:
				ns[n] += int64(want.N)
			default:
				at[want.Key] = len(keys)
				keys, ns = append(keys, want.Key), append(ns, int64(want.N))
			}
		}
	}
	found := make(map[string][]queue.Lease)
	if len(keys) == 0 {
		return found
	}
	c := calls[numbers[0]]
	t.queue(leaseQuery, func(rows pgx.Rows) error {
		l, err := scanLease(rows)
		found[l.Job.Key] = append(found[l.Job.Key], l)
		return err
	}, keys, ns, c.owner, micros(c.ttl))
	return found
}

// deal gives the calls of some numbers what was found for them.
func deal(calls []leaseCall, numbers []int, found map[string][]queue.Lease, results [][]queue.Lease) {
	for _, leases := range found {
		slices.SortFunc(leases, inLine)
	}
	for _, i := range numbers {
		for _, want := range calls[i].wants {
			n := min(max(want.N, 0), len(found[want.Key]))
			results[i] = append(results[i], found[want.Key][:n]...)
			found[want.Key] = found[want.Key][n:]
		}
	}
}

// beatCall are the arguments of a Heartbeat.
type beatCall struct {
	ttl    time.Duration
	leases []queue.Lease
}

// Heartbeat implements [queue.Store].
func (s *Store) Heartbeat(ctx context.Context, ttl time.Duration, leases ...queue.Lease) ([]queue.Lease, error) {
	if len(leases) == 0 {
		return nil, nil
	}
	if s.readOnly {
		return nil, fmt.Errorf("extend leases: %w", errReadOnly)
	}
	lost, err := s.beats.do(ctx, beatCall{ttl, leases})
	if err != nil {
		return nil, fmt.Errorf("extend leases: %w", err)
	}
	return lost, nil
}

const heartbeatQuery = `
	UPDATE quire.leased w SET lease_expires_at = now + l.ttl * interval '1 microsecond'
	FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) ORDER BY 1) AS l(id, token, ttl),
		(SELECT clock_timestamp() AS now OFFSET 0) AS clock
	WHERE w.id = l.id AND w.token = l.token RETURNING w.id, w.token`

// held names a lease.
type held struct{ id, token int64 }

func (s *Store) heartbeat(ctx context.Context, calls []beatCall) ([][]queue.Lease, error) {
	ttls := make(map[held]int64)
	for _, c := range calls {
		for _, l := range c.leases {
			h := held{l.Job.ID, l.Token}
			ttls[h] = max(ttls[h], micros(c.ttl))
		}
	}
	var ids, tokens, lasts []int64
	for h, ttl := range ttls {
		ids, tokens, lasts = append(ids, h.id), append(tokens, h.token), append(lasts, ttl)
	}
	var lives map[held]bool
	err := s.write(ctx, func(_ context.Context, t *tx) error {
		lives = make(map[held]bool)
		t.queue(heartbeatQuery, func(rows pgx.Rows) error {
			var h held
			err := rows.Scan(&h.id, &h.token)
			lives[h] = true
			return err
		}, ids, tokens, lasts)
		return nil
	})
	lost := make([][]queue.Lease, len(calls))
	for i, c := range calls {
		for _, l := range c.leases {
			if !lives[held{l.Job.ID, l.Token}] {
				lost[i] = append(lost[i], l)
			}
		}
	}
	return lost, err
}
