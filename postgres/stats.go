package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

const (
	backlogQuery = `
	SELECT c.key, c.ready, c.delayed,
		EXISTS (SELECT FROM quire.pauses p WHERE p.key = c.key OR p.key = '')
	FROM (SELECT key, sum(ready)::bigint AS ready, sum(delayed)::bigint AS delayed FROM quire.waiting GROUP BY key) AS c
	WHERE c.ready <> 0 OR c.delayed <> 0`
	// Microseconds until the first of the delayed becomes available, and until
	// the first of the ready did, which is negative.
	untilQuery = `
	SELECT (extract(epoch FROM available_at - clock_timestamp()) * 1000000)::bigint
	FROM quire.queued WHERE delayed ORDER BY available_at LIMIT 1`
	sinceQuery = `
	SELECT (extract(epoch FROM available_at - clock_timestamp()) * 1000000)::bigint
	FROM quire.queued WHERE NOT delayed ORDER BY available_at LIMIT 1`
	// Delayed rows that nobody has marked ready yet.
	dueQuery = `
	SELECT key, count(*), (extract(epoch FROM min(available_at) - clock_timestamp()) * 1000000)::bigint FROM quire.queued
	WHERE delayed AND available_at <= (SELECT clock_timestamp()) GROUP BY key`
)

// Backlog implements [queue.Store]. When very many delayed rows become ready at
// the same time it counts some of them as delayed for a while, and says so by
// an until of 0.
func (s *Store) Backlog(ctx context.Context) (keys []queue.KeyBacklog, until time.Duration, err error) {
	if err = s.compact(ctx); err == nil {
		keys, until, err = s.backlog(ctx)
	}
	if err == nil && until == 0 && !s.readOnly {
		err = s.write(ctx, func(_ context.Context, t *tx) error {
			t.promote(promoteBacklog)
			return nil
		})
		if err == nil {
			keys, until, err = s.backlog(ctx)
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("count the backlog: %w", err)
	}
	return keys, until, nil
}

func (s *Store) backlog(ctx context.Context) (keys []queue.KeyBacklog, until time.Duration, err error) {
	err = s.read(ctx, func(_ context.Context, t *tx) error {
		keys, until = nil, -1
		t.queue(untilQuery, func(rows pgx.Rows) error {
			var first int64
			err := rows.Scan(&first)
			until = max(time.Duration(first)*time.Microsecond, 0)
			return err
		})
		t.queue(backlogQuery, func(rows pgx.Rows) error {
			var k queue.KeyBacklog
			err := rows.Scan(&k.Key, &k.Ready, &k.Delayed, &k.Paused)
			if k.Paused {
				k.Ready = 0
			}
			keys = append(keys, k)
			return err
		})
		return nil
	})
	return keys, until, err
}

// Stats implements [queue.Inspector]. Leased jobs are counted one by one, as
// there are few at a time. Ages are to a microsecond. When very many delayed rows
// have become ready at the same time, those that no lease would look at yet count
// as ready, but not for the HeadAge of their keys.
func (s *Store) Stats(ctx context.Context) (queue.Stats, error) {
	var c counter
	if err := s.read(ctx, func(_ context.Context, t *tx) error {
		c = counter{byKey: make(map[string]*queue.KeyStats)}
		c.stats.Reasons, c.stats.Classes = make(map[string]int), make(map[string]int)
		c.read(t)
		return nil
	}); err != nil {
		return queue.Stats{}, fmt.Errorf("count the jobs: %w", err)
	}
	return c.sum(), nil
}

// counter gathers the parts of a Stats.
type counter struct {
	stats queue.Stats
	byKey map[string]*queue.KeyStats
}

const (
	waitingQuery = `
	SELECT key, sum(ready)::bigint, sum(delayed)::bigint FROM quire.waiting GROUP BY key HAVING sum(ready) <> 0 OR sum(delayed) <> 0`
	// For how many microseconds the job of each key that would be leased next has been
	// ready: the first of those that are marked ready, or one of those that a lease
	// would mark before it looks.
	headsQuery = `
	SELECT DISTINCT ON (h.key) h.key, (extract(epoch FROM clock_timestamp() - h.available_at) * 1000000)::bigint
	FROM (
		SELECT first.* FROM (SELECT key FROM quire.waiting GROUP BY key HAVING sum(ready) > 0) AS k CROSS JOIN LATERAL (
			SELECT w.key, w.available_at, w.priority, w.rank, w.id FROM quire.queued w WHERE w.key = k.key AND NOT w.delayed
			ORDER BY w.priority DESC, w.rank, w.id LIMIT 1) AS first
		UNION ALL (SELECT w.key, w.available_at, w.priority, w.rank, w.id FROM quire.queued w
		WHERE w.delayed AND w.available_at <= (SELECT clock_timestamp()) ORDER BY w.available_at LIMIT $1::bigint)
	) AS h ORDER BY h.key, h.priority DESC, h.rank, h.id`
	leasedQuery = `SELECT key, count(*) FROM quire.leased GROUP BY key`
	endedQuery  = `
	SELECT state::text, reason, class, sum(n)::bigint FROM quire.ended GROUP BY state, reason, class HAVING sum(n) <> 0`
	pausesQuery = `SELECT key FROM quire.pauses`
)

// read reads all counts at the next flush.
func (c *counter) read(t *tx) {
	t.queue(sinceQuery, func(rows pgx.Rows) error { return c.oldest(rows.Scan) })
	t.queue(waitingQuery, func(rows pgx.Rows) error {
		return c.scan(rows, func(k *queue.KeyStats, n, m int) { k.Ready, k.Delayed = k.Ready+n, k.Delayed+m })
	})
	t.queue(headsQuery, func(rows pgx.Rows) error { // before the clock has more rows due, so that they are counted
		return c.scan(rows, func(k *queue.KeyStats, age, _ int) { k.HeadAge = max(time.Duration(age)*time.Microsecond, 0) })
	}, int64(promoteLease))
	t.queue(dueQuery, func(rows pgx.Rows) error {
		var first int
		err := c.scan(rows, func(k *queue.KeyStats, n, since int) {
			k.Ready, k.Delayed, first = k.Ready+n, k.Delayed-n, since
		})
		c.stats.OldestReady = max(c.stats.OldestReady, -time.Duration(first)*time.Microsecond)
		return err
	})
	t.queue(leasedQuery, func(rows pgx.Rows) error {
		return c.scan(rows, func(k *queue.KeyStats, n, _ int) { k.InFlight = n })
	})
	t.queue(endedQuery, c.ended)
	t.queue(pausesQuery, func(rows pgx.Rows) error {
		var key string
		err := rows.Scan(&key)
		if key == "" {
			c.stats.Paused = true
		} else {
			c.key(key).Paused = true
		}
		return err
	})
}

func (c *counter) oldest(scan func(...any) error) error {
	var first int64
	err := scan(&first)
	c.stats.OldestReady = max(c.stats.OldestReady, -time.Duration(first)*time.Microsecond)
	return err
}

// scan reads a row with a key and one or two numbers of it.
func (c *counter) scan(rows pgx.Rows, add func(k *queue.KeyStats, n, m int)) error {
	var key string
	var n, m int
	dest := []any{&key, &n, &m}
	err := rows.Scan(dest[:len(rows.FieldDescriptions())]...)
	if err == nil {
		add(c.key(key), n, m)
	}
	return err
}

func (c *counter) key(name string) *queue.KeyStats {
	if c.byKey[name] == nil {
		c.byKey[name] = &queue.KeyStats{Key: name}
	}
	return c.byKey[name]
}

func (c *counter) ended(rows pgx.Rows) error {
	var state, reason, class string
	var n int
	err := rows.Scan(&state, &reason, &class, &n)
	switch queue.State(state) {
	case queue.Done:
		c.stats.Done += n
	case queue.Skipped:
		c.stats.Skipped += n
	default:
		c.stats.Error += n
	}
	c.stats.Reasons[reason] += n
	if class != "" {
		c.stats.Classes[class] += n
	}
	return err
}

func (c *counter) sum() queue.Stats {
	for _, k := range c.byKey {
		c.stats.Ready += k.Ready
		c.stats.Delayed += k.Delayed
		c.stats.InProgress += k.InFlight
		c.stats.Keys = append(c.stats.Keys, *k)
	}
	c.stats.Queued = c.stats.Ready + c.stats.Delayed
	slices.SortFunc(c.stats.Keys, func(a, b queue.KeyStats) int { return cmp.Compare(a.Key, b.Key) })
	return c.stats
}
