package postgres

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// Keys of the advisory locks of transactions, as pairs: "Quir" and a number.
const (
	lockFinish  = `SELECT pg_advisory_xact_lock(1366649202, 1)`
	lockMigrate = `SELECT pg_advisory_xact_lock(1366649202, 2)`
)

// How many delayed rows that have become ready are marked so at once: few where
// a lease waits for it, more where only a look at the backlog does.
const (
	promoteLease   = 1000
	promoteBacklog = 10_000
)

// Rows wait with delayed set for their time, out of the way of the leases.
const promoteQuery = `
	WITH due AS MATERIALIZED (
		SELECT id FROM quire.queued WHERE delayed AND available_at <= (SELECT clock_timestamp())
		ORDER BY available_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED
	), promoted AS (
		UPDATE quire.queued w SET delayed = false FROM due WHERE w.id = due.id RETURNING w.key
	)
	INSERT INTO quire.waiting (key, ready, delayed) SELECT key, count(*), -count(*) FROM promoted GROUP BY key`

// promote marks, at the next flush, delayed rows that have become ready.
func (t *tx) promote(most int) { t.queue(promoteQuery, nil, int64(most)) }

// moves counts jobs that came to keys or left them.
type moves map[string]*move

type move struct{ ready, delayed int64 }

func (m moves) add(key string, delayed bool, n int64) {
	if m[key] == nil {
		m[key] = new(move)
	}
	if delayed {
		m[key].delayed += n
	} else {
		m[key].ready += n
	}
}

// keep writes the counts down at the next flush.
func (m moves) keep(t *tx) {
	const query = `INSERT INTO quire.waiting (key, ready, delayed) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])`
	if len(m) == 0 {
		return
	}
	keys := slices.Collect(maps.Keys(m))
	ready, delayed := make([]int64, len(keys)), make([]int64, len(keys))
	for i, key := range keys {
		ready[i], delayed[i] = m[key].ready, m[key].delayed
	}
	t.queue(query, nil, keys, ready, delayed)
}

const (
	// compactAbove is how many rows of changes there may be besides twice those
	// that were left the last time.
	compactAbove = 2000
	// compactEvery is how often anybody looks.
	compactEvery = 2 * time.Second
)

// compactQueries sum up the changes, and return how many rows that leaves.
func compactQueries() [2]string {
	return [2]string{`
	WITH old AS (DELETE FROM quire.waiting RETURNING key, ready, delayed), sums AS (
		INSERT INTO quire.waiting (key, ready, delayed)
		SELECT key, sum(ready), sum(delayed) FROM old GROUP BY key HAVING sum(ready) <> 0 OR sum(delayed) <> 0 RETURNING key
	)
	SELECT count(*) FROM sums`, `
	WITH old AS (DELETE FROM quire.ended RETURNING state, reason, class, n), sums AS (
		INSERT INTO quire.ended (state, reason, class, n)
		SELECT state, reason, class, sum(n) FROM old GROUP BY state, reason, class HAVING sum(n) <> 0 RETURNING n
	)
	SELECT count(*) FROM sums`}
}

// compact sums up the changes if there are many. Nobody waits for it but another
// that does the same, who then finds the rows gone and leaves the sums alone.
func (s *Store) compact(ctx context.Context) error {
	const query = `SELECT (SELECT count(*) FROM quire.waiting) + (SELECT count(*) FROM quire.ended)`
	last := s.compacted.Load()
	now := time.Since(s.opened)
	if now-time.Duration(last) < compactEvery || !s.compacted.CompareAndSwap(last, int64(now)) {
		return nil
	}
	var rows, left int64
	number := func(to *int64) func(pgx.Rows) error {
		return func(row pgx.Rows) error {
			var n int64
			err := row.Scan(&n)
			*to += n
			return err
		}
	}
	err := s.read(ctx, func(_ context.Context, t *tx) error {
		rows = 0
		t.queue(query, number(&rows))
		return nil
	})
	if err != nil || rows <= 2*s.uncompacted.Load()+compactAbove {
		return err
	}
	err = s.write(ctx, func(_ context.Context, t *tx) error {
		left = 0
		for _, query := range compactQueries() {
			t.queue(query, number(&left))
		}
		return nil
	})
	if err == nil {
		s.uncompacted.Store(left)
	}
	return err
}

// arrivals are rows that became ready, by key. nil stands for what cannot be said
// so simply.
type arrivals map[string]queue.KeyBacklog

func (a arrivals) add(key string, n int) {
	k := a[key]
	k.Key = key
	k.Ready += n
	a[key] = k
}
