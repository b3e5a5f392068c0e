package sqlite

import (
	"context"
	"database/sql"
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

const promoteQuery = `
	UPDATE jobs SET state = 0 WHERE id IN (
		SELECT id FROM jobs INDEXED BY jobs_due WHERE state = 1 AND due <= ? ORDER BY due LIMIT ?)
	RETURNING key, due`

// promoteOnce marks ready rows, once in a transaction.
func (t *tx) promoteOnce() error {
	if t.promoted {
		return nil
	}
	found, err := t.overdue()
	if found && err == nil {
		_, err = t.promote(promoteLease)
	}
	t.promoted = err == nil
	return err
}

func (t *tx) promote(most int) (n int, err error) {
	rows, err := t.query(promoteQuery, t.now, most)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		t.counts.add(-1, rows.integer(0), stateDelayed, 0)
		t.counts.add(1, rows.integer(0), stateReady, rows.integer(1))
	}
	t.moveHeads()
	t.w.memory.due = nil
	return n, rows.Err()
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
	SELECT name, ready, delayed, paused OR (SELECT paused FROM keys WHERE name = '')
	FROM keys WHERE ready > 0 OR delayed > 0`
	firstDelayedQuery = `SELECT coalesce(min(due), -1) FROM jobs INDEXED BY jobs_due WHERE state = 1`
)

func (s *Store) backlog(ctx context.Context) (keys []queue.KeyBacklog, until time.Duration, err error) {
	var first int64
	if err := s.rdb.QueryRowContext(ctx, firstDelayedQuery).Scan(&first); err != nil {
		return nil, 0, err
	}
	if s.w != nil && first >= 0 && first <= time.Now().UnixMilli() {
		_, err := write(ctx, s.w, func(t *tx) (int, error) { return t.promote(promoteBacklog) })
		if err != nil {
			return nil, 0, err
		}
	}
	err = s.snapshot(ctx, func(snap *sql.Tx) error {
		if err := snap.QueryRowContext(ctx, firstDelayedQuery).Scan(&first); err != nil {
			return err
		}
		return each(ctx, snap, backlogQuery, func(rows *sql.Rows) error {
			var k queue.KeyBacklog
			var paused sql.NullBool
			err := rows.Scan(&k.Key, &k.Ready, &k.Delayed, &paused)
			if k.Paused = paused.Bool; k.Paused {
				k.Ready = 0
			}
			keys = append(keys, k)
			return err
		})
	})
	if first < 0 {
		return keys, -1, err
	}
	return keys, max(time.Until(time.UnixMilli(first)), 0), err
}

// snapshot calls f in a transaction that reads one moment of the database. What
// f has seen of this Store's own commits is durable when snapshot returns.
func (s *Store) snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	defer s.durable()
	snap, err := s.rdb.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = snap.Rollback() }() // it has written nothing
	return f(snap)
}

// durable returns when what this Store has committed so far is durable. Methods
// that read call it at their end, because a commit can be seen before it is.
func (s *Store) durable() {
	if s.w != nil {
		s.w.log.wait()
	}
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

// Stats implements [queue.Inspector]. OldestReady is to a second, the HeadAge of a
// key to a millisecond. When very many delayed rows have become ready at the same
// time, those that no lease would look at yet count as ready, but not for HeadAge.
func (s *Store) Stats(ctx context.Context) (queue.Stats, error) {
	c := counter{byKey: make(map[string]*queue.KeyStats), now: time.Now().UnixMilli()}
	c.stats.Reasons, c.stats.Classes = make(map[string]int), make(map[string]int)
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
	oldest int64 // when the oldest ready job became so, in milliseconds; -1 if there is none
}

const (
	keysQuery     = `SELECT name, paused, ready, delayed, in_flight FROM keys WHERE ready > 0 OR delayed > 0 OR in_flight > 0 OR paused`
	oldestQuery   = `SELECT coalesce(min(second) * 1000, -1) FROM ready_since`
	outcomesQuery = `SELECT state, reason, class, n FROM outcomes`
	// Delayed rows that nobody has marked ready yet.
	dueQuery = `
	SELECT name, count(*), min(due) FROM jobs INDEXED BY jobs_due JOIN keys ON keys.id = key
	WHERE state = 1 AND due <= ? GROUP BY key`
	// Of each key the job that would be leased next: the first of those that are
	// marked ready, or one of those that a lease would mark before it looks.
	headsQuery = `
	SELECT name, due FROM (
		SELECT key, due, row_number() OVER (PARTITION BY key ORDER BY priority DESC, rank, id) AS place FROM (
			SELECT head.key, head.due, head.priority, head.rank, head.id FROM keys CROSS JOIN jobs head ON head.id = (
				SELECT id FROM jobs INDEXED BY jobs_ready WHERE key = keys.id AND state = 0 ORDER BY priority DESC, rank, id LIMIT 1)
			WHERE keys.ready > 0
			UNION ALL SELECT * FROM (
				SELECT key, due, priority, rank, id FROM jobs INDEXED BY jobs_due WHERE state = 1 AND due <= ? ORDER BY due LIMIT ?))
	) JOIN keys ON keys.id = key WHERE place = 1`
)

func (c *counter) read(ctx context.Context, snap *sql.Tx) error {
	if err := snap.QueryRowContext(ctx, oldestQuery).Scan(&c.oldest); err != nil {
		return err
	}
	if err := each(ctx, snap, keysQuery, c.addKey); err != nil {
		return err
	}
	if err := each(ctx, snap, outcomesQuery, c.addOutcome); err != nil {
		return err
	}
	if err := each(ctx, snap, dueQuery, c.addDue, c.now); err != nil {
		return err
	}
	return each(ctx, snap, headsQuery, c.addHead, c.now, promoteLease)
}

func (c *counter) addKey(rows *sql.Rows) error {
	var k queue.KeyStats
	if err := rows.Scan(&k.Key, &k.Paused, &k.Ready, &k.Delayed, &k.InFlight); err != nil {
		return err
	}
	if k.Key == "" {
		c.stats.Paused = k.Paused
	} else {
		c.byKey[k.Key] = &k
	}
	return nil
}

func (c *counter) addOutcome(rows *sql.Rows) error {
	var number, n int
	var reason, class string
	if err := rows.Scan(&number, &reason, &class, &n); err != nil {
		return err
	}
	switch number {
	case stateDone:
		c.stats.Done += n
	case stateSkipped:
		c.stats.Skipped += n
	case stateError:
		c.stats.Error += n
	}
	c.stats.Reasons[reason] += n
	if class != "" {
		c.stats.Classes[class] += n
	}
	return nil
}

func (c *counter) addDue(rows *sql.Rows) error {
	var name string
	var n int
	var first int64
	if err := rows.Scan(&name, &n, &first); err != nil {
		return err
	}
	c.byKey[name].Ready += n
	c.byKey[name].Delayed -= n
	if c.oldest < 0 || first < c.oldest {
		c.oldest = first
	}
	return nil
}

func (c *counter) addHead(rows *sql.Rows) error {
	var name string
	var due int64
	if err := rows.Scan(&name, &due); err != nil {
		return err
	}
	c.byKey[name].HeadAge = c.since(due)
	return nil
}

func (c *counter) sum() queue.Stats {
	for _, name := range slices.Sorted(maps.Keys(c.byKey)) {
		k := *c.byKey[name]
		c.stats.Ready += k.Ready
		c.stats.Delayed += k.Delayed
		c.stats.InProgress += k.InFlight
		c.stats.Keys = append(c.stats.Keys, k)
	}
	c.stats.Queued = c.stats.Ready + c.stats.Delayed
	if c.oldest >= 0 {
		c.stats.OldestReady = c.since(c.oldest)
	}
	return c.stats
}

// since is how long ago an instant was, in milliseconds.
func (c *counter) since(at int64) time.Duration {
	return max(time.Duration(c.now-at)*time.Millisecond, 0)
}
