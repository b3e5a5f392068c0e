package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quire-dev/quire/queue"
)

// How many delayed rows that have become ready are marked so at once: few
// where a lease waits for it, more where only a look at the backlog does.
const (
	promoteLease   = 1000
	promoteBacklog = 10_000
)

// Rows wait with delayed = 1 for their time, out of the way of the leases.
const promoteQuery = `
	UPDATE jobs SET delayed = 0 WHERE id IN (
		SELECT id FROM jobs INDEXED BY jobs_available
		WHERE state = 'queued' AND delayed = 1 AND available_at <= ? ORDER BY available_at LIMIT ?)`

// promoteOnce marks ready rows, once in a transaction.
func (t *tx) promoteOnce() error {
	if t.promoted {
		return nil
	}
	_, err := t.exec(promoteQuery, t.now, promoteLease)
	t.promoted = err == nil
	return err
}

// Backlog implements [queue.Store]. When very many delayed rows become ready at
// the same time it counts some of them as delayed for a while, and says so by
// an until of 0.
func (s *Store) Backlog(ctx context.Context) (keys []queue.KeyBacklog, until time.Duration, err error) {
	if keys, until, err = s.backlog(ctx); err != nil {
		return nil, 0, fmt.Errorf("count the backlog: %w", explained(err))
	}
	return keys, until, nil
}

const (
	backlogQuery = `
	SELECT name, sum(iif(delayed = 0, n, 0)), sum(iif(delayed = 1, n, 0)), coalesce((
		SELECT id FROM jobs INDEXED BY jobs_ready
		WHERE key = name AND state = 'queued' AND delayed = 0 ORDER BY priority DESC, id LIMIT 1), 0)
	FROM counts WHERE state = 'queued' GROUP BY name`
	// The first row to become available among the ready (0) or the delayed (1).
	firstQuery = `
	SELECT coalesce(min(available_at), -1) FROM jobs INDEXED BY jobs_available
	WHERE state = 'queued' AND delayed = ?`
)

func (s *Store) backlog(ctx context.Context) (keys []queue.KeyBacklog, until time.Duration, err error) {
	var first int64
	if err := s.rdb.QueryRowContext(ctx, firstQuery, 1).Scan(&first); err != nil {
		return nil, 0, err
	}
	if s.w != nil && first >= 0 && first <= time.Now().UnixMilli() {
		_, err := write(ctx, s.w, func(t *tx) (int, error) { return t.exec(promoteQuery, t.now, promoteBacklog) })
		if err != nil {
			return nil, 0, err
		}
	}
	err = s.snapshot(ctx, func(snap *sql.Tx) error {
		if err := snap.QueryRowContext(ctx, firstQuery, 1).Scan(&first); err != nil {
			return err
		}
		return each(ctx, snap, backlogQuery, func(rows *sql.Rows) error {
			var k queue.KeyBacklog
			err := rows.Scan(&k.Key, &k.Ready, &k.Delayed, &k.Oldest)
			keys = append(keys, k)
			return err
		})
	})
	if first < 0 {
		return keys, -1, err
	}
	return keys, max(time.Until(time.UnixMilli(first)), 0), err
}

const waitsQuery = `
	SELECT key, max(available_at) FROM jobs INDEXED BY jobs_available
	WHERE state = 'queued' AND delayed = 1 AND available_at > ? AND reason IN (SELECT value FROM json_each(?))
	GROUP BY key`

// Waits returns, for each key at which jobs with one of the reasons are delayed,
// how long the last of them has to wait.
func (s *Store) Waits(ctx context.Context, reasons ...string) (map[string]time.Duration, error) {
	list, err := json.Marshal(reasons)
	if err != nil {
		return nil, fmt.Errorf("read waits: %w", err)
	}
	waits := make(map[string]time.Duration)
	now := time.Now().UnixMilli()
	err = s.snapshot(ctx, func(snap *sql.Tx) error {
		return each(ctx, snap, waitsQuery, func(rows *sql.Rows) error {
			var key string
			var until int64
			err := rows.Scan(&key, &until)
			waits[key] = time.Duration(until-now) * time.Millisecond
			return err
		}, now, string(list))
	})
	if err != nil {
		return nil, fmt.Errorf("read waits: %w", explained(err))
	}
	return waits, nil
}

// snapshot calls f in a transaction that reads one moment of the database.
func (s *Store) snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	snap, err := s.rdb.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = snap.Rollback() }() // it has written nothing
	return f(snap)
}

// each calls f for each row that query selects.
func each(ctx context.Context, snap *sql.Tx, query string, f func(*sql.Rows) error, args ...any) error {
	rows, err := snap.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Stats implements [queue.Inspector]. Reasons are those of the finished jobs.
// Its cost grows with the number of keys and reasons, not of jobs.
func (s *Store) Stats(ctx context.Context) (queue.Stats, error) {
	c := counter{byKey: make(map[string]*queue.KeyStats), now: time.Now().UnixMilli()}
	c.stats.Reasons = make(map[string]int)
	if err := s.snapshot(ctx, func(snap *sql.Tx) error { return c.read(ctx, snap) }); err != nil {
		return queue.Stats{}, fmt.Errorf("count the jobs: %w", explained(err))
	}
	return c.sum(), nil
}

// counter gathers the parts of a Stats.
type counter struct {
	stats  queue.Stats
	byKey  map[string]*queue.KeyStats
	now    int64
	oldest int64 // available_at of the oldest ready job; -1 if there is none
}

const (
	countsQuery = `SELECT state, name, delayed, n FROM counts`
	// Delayed rows that nobody has marked ready yet.
	dueQuery = `
	SELECT key, count(*), min(available_at) FROM jobs INDEXED BY jobs_available
	WHERE state = 'queued' AND delayed = 1 AND available_at <= ? GROUP BY key`
)

func (c *counter) read(ctx context.Context, snap *sql.Tx) error {
	if err := snap.QueryRowContext(ctx, firstQuery, 0).Scan(&c.oldest); err != nil {
		return err
	}
	err := each(ctx, snap, countsQuery, func(rows *sql.Rows) error {
		var state queue.State
		var name string
		var delayed bool
		var n int
		err := rows.Scan(&state, &name, &delayed, &n)
		c.add(state, name, delayed, n)
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, snap, dueQuery, func(rows *sql.Rows) error {
		var name string
		var n int
		var first int64
		err := rows.Scan(&name, &n, &first)
		c.key(name).Ready += n
		c.key(name).Delayed -= n
		if c.oldest < 0 || first < c.oldest {
			c.oldest = first
		}
		return err
	}, c.now)
}

func (c *counter) key(name string) *queue.KeyStats {
	if c.byKey[name] == nil {
		c.byKey[name] = &queue.KeyStats{Key: name}
	}
	return c.byKey[name]
}

func (c *counter) add(state queue.State, name string, delayed bool, n int) {
	switch state {
	case queue.Queued:
		c.stats.Queued += n
		if delayed {
			c.key(name).Delayed += n
		} else {
			c.key(name).Ready += n
		}
		return
	case queue.InProgress:
		c.stats.InProgress += n
		c.key(name).InFlight += n
		return
	case queue.Done:
		c.stats.Done += n
	case queue.Skipped:
		c.stats.Skipped += n
	case queue.Error:
		c.stats.Error += n
	}
	c.stats.Reasons[name] += n
}

func (c *counter) sum() queue.Stats {
	for _, name := range slices.Sorted(maps.Keys(c.byKey)) {
		k := *c.byKey[name]
		c.stats.Ready += k.Ready
		c.stats.Delayed += k.Delayed
		c.stats.Keys = append(c.stats.Keys, k)
	}
	if c.oldest >= 0 {
		c.stats.OldestReady = max(time.Duration(c.now-c.oldest)*time.Millisecond, 0)
	}
	return c.stats
}
