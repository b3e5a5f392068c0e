package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// settingsQuery begins each transaction, because nothing else of a session can be
// counted on. Plans are made once for all values and must not depend on how full
// the tables were then: rows are found by an index, one after the other. Plans
// that have no index look absurdly dear by that, which is no reason to compile
// them. A server that does not hear from us any more frees our locks soon.
const settingsQuery = `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
	set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
	set_config('jit', 'off', true), set_config('idle_in_transaction_session_timeout', '15s', true)`

// rollbackWait is for how long we try to save the connection of a transaction
// that went wrong.
const rollbackWait = time.Second

// tx is a transaction under way. Statements are queued, and sent together by
// flush: a trip to the server takes longer than most of them.
type tx struct {
	conn  *pgxpool.Conn
	batch *pgx.Batch
	lost  bool // the connection broke and was given back
}

// queue adds a statement to the next flush. each is called for every row of its
// result and may be nil.
func (t *tx) queue(query string, each func(pgx.Rows) error, args ...any) {
	q := t.batch.Queue(query, args...)
	if each == nil {
		return
	}
	q.Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// flush sends what is queued and reads all results, to the end.
func (t *tx) flush(ctx context.Context) error {
	batch := t.batch
	t.batch = new(pgx.Batch)
	if batch.Len() == 0 {
		return nil
	}
	return t.conn.SendBatch(ctx, batch).Close()
}

// write calls f in a transaction and returns after its commit; f may be called
// again. What it has queued at its end is flushed.
func (s *Store) write(ctx context.Context, f func(context.Context, *tx) error) error {
	if s.readOnly {
		return errReadOnly
	}
	return s.retry(ctx, func(ctx context.Context) error {
		return s.within(ctx, "BEGIN", func(ctx context.Context, t *tx) error {
			if err := f(ctx, t); err != nil {
				return err
			}
			return s.commit(ctx, t)
		})
	})
}

// read calls f in a transaction that sees one moment of the database and changes
// nothing; f may be called again. What it has queued at its end is flushed.
func (s *Store) read(ctx context.Context, f func(context.Context, *tx) error) error {
	return s.retry(ctx, func(ctx context.Context) error {
		return s.within(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", func(ctx context.Context, t *tx) error {
			if err := f(ctx, t); err != nil {
				return err
			}
			t.queue("COMMIT", nil)
			return t.flush(ctx)
		})
	})
}

// within gives f a connection and a transaction, which f must end. If it does
// not, the transaction is rolled back.
func (s *Store) within(ctx context.Context, begin string, f func(context.Context, *tx) error) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	t := &tx{conn: conn, batch: new(pgx.Batch)}
	t.queue(begin, nil)
	t.queue(settingsQuery, nil)
	err = f(ctx, t)
	if err == nil {
		return nil
	}
	if t.lost || conn.Conn().IsClosed() {
		return &lostError{err}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWait)
	defer cancel()
	_, _ = conn.Exec(ctx, "ROLLBACK") // if that fails, Release drops the connection
	return err
}

func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := s.pool.Acquire(ctx)
	switch {
	case err == nil:
		return conn, nil
	case s.closed.Load():
		return nil, errClosed
	}
	return nil, &lostError{fmt.Errorf("connect: %w", err)}
}

// Each transaction that writes leaves a mark in a row that nobody else uses at
// the time, with a number that this store has never used.
const markQuery = `
	WITH so_far AS MATERIALIZED (SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS wrote), marked AS (
		UPDATE quire.marks SET number = $3::bigint, at = clock_timestamp() FROM so_far
		WHERE wrote AND store = $1::text AND slot = $2::integer RETURNING number
	)
	SELECT wrote, EXISTS (SELECT FROM marked) FROM so_far`

// commit flushes and commits. If the connection breaks at the commit, nobody
// has told us whether the server did it; then we look for the mark.
func (s *Store) commit(ctx context.Context, t *tx) error {
	slot := <-s.slots // there are as many as connections
	defer func() { s.slots <- slot }()
	number := s.marks.Add(1)
	var wrote, marked bool
	t.queue(markQuery, func(rows pgx.Rows) error { return rows.Scan(&wrote, &marked) }, s.id, slot, number)
	if err := t.flush(ctx); err != nil {
		return err
	}
	if wrote && !marked {
		return errNoMarks
	}
	_, err := t.conn.Exec(ctx, "COMMIT")
	if err == nil || !wrote || !t.conn.Conn().IsClosed() {
		return err
	}
	t.lost = true
	t.conn.Release() // to make room for another
	committed, unknown := s.committed(ctx, slot, number)
	switch {
	case unknown != nil:
		return &unknownError{errors.Join(err, unknown)}
	case committed:
		return nil
	}
	return err // and not committed: it may be done again
}

// committed looks whether a transaction left its mark. The lock makes it wait for
// one that is still under way.
func (s *Store) committed(ctx context.Context, slot int32, number int64) (yes bool, err error) {
	const query = `SELECT number = $3::bigint FROM quire.marks WHERE store = $1::text AND slot = $2::integer FOR UPDATE`
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := s.pool.QueryRow(ctx, query, s.id, slot, number).Scan(&yes)
		if err == nil {
			return yes, nil
		}
		if code(err) != "" && !s.passes(err) || !sleep(ctx, pause) {
			return false, err
		}
	}
}

// addMarks makes the rows for this store's marks, and drops those of stores that
// have not been used for long.
func (s *Store) addMarks(ctx context.Context) error {
	const (
		addQuery  = `INSERT INTO quire.marks (store, slot) SELECT $1::text, generate_series(1, $2::integer) ON CONFLICT DO NOTHING`
		dropQuery = `DELETE FROM quire.marks WHERE at < clock_timestamp() - interval '30 days'`
	)
	if s.readOnly {
		return nil
	}
	n := s.pool.Config().MaxConns
	s.slots = make(chan int32, n)
	for slot := range n {
		s.slots <- slot + 1
	}
	for _, err := range []error{s.exec(ctx, addQuery, s.id, n), s.exec(ctx, dropQuery)} {
		if err != nil {
			return err
		}
	}
	return nil
}

// dropMarks removes this store's rows. If that fails another store does it.
func (s *Store) dropMarks() {
	const query = `DELETE FROM quire.marks WHERE store = $1::text`
	if s.slots == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackWait)
	defer cancel()
	_ = s.exec(ctx, query, s.id)
}

// exec runs one statement by itself, perhaps twice.
func (s *Store) exec(ctx context.Context, query string, args ...any) error {
	return s.retry(ctx, func(ctx context.Context) error {
		conn, err := s.acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		if _, err = conn.Exec(ctx, query, args...); err != nil && conn.Conn().IsClosed() {
			return &lostError{err}
		}
		return err
	})
}

// unknownError says that a transaction may have been committed.
type unknownError struct{ err error }

func (e *unknownError) Error() string {
	return "connection lost while committing, outcome unknown: " + e.err.Error()
}
func (e *unknownError) Unwrap() error { return e.err }
