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
	if conn.Conn().IsClosed() {
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

// commit flushes and commits. If the connection breaks at the commit, nobody
// has told us whether the server did it; then we ask.
func (s *Store) commit(ctx context.Context, t *tx) error {
	var xid *string // of no type that pgx knows without asking
	t.queue(`SELECT pg_current_xact_id_if_assigned()::text`, func(rows pgx.Rows) error { return rows.Scan(&xid) })
	if err := t.flush(ctx); err != nil {
		return err
	}
	_, err := t.conn.Exec(ctx, "COMMIT")
	if err == nil || xid == nil || !t.conn.Conn().IsClosed() {
		return err
	}
	committed, unknown := s.outcome(ctx, *xid)
	switch {
	case unknown != nil:
		return &unknownError{errors.Join(err, unknown)}
	case committed:
		return nil
	}
	return err // and not committed: it may be done again
}

// outcome asks what became of a transaction, until it is over.
func (s *Store) outcome(ctx context.Context, xid string) (committed bool, err error) {
	const query = `SELECT pg_xact_status($1::text::xid8)`
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		var status *string // NULL for what is long ago
		err := s.pool.QueryRow(ctx, query, xid).Scan(&status)
		switch {
		case err == nil && status != nil && *status == "committed":
			return true, nil
		case err == nil && status != nil && *status == "aborted",
			code(err) == codeInvalidParameter: // in the future: a new primary has never heard of it
			return false, nil
		case err == nil:
			err = errors.New("still in progress")
		case !s.passes(err) && ctx.Err() == nil && code(err) != "":
			return false, err
		}
		if !sleep(ctx, pause) {
			return false, err
		}
	}
}

// unknownError says that a transaction may have been committed.
type unknownError struct{ err error }

func (e *unknownError) Error() string {
	return "connection lost while committing, outcome unknown: " + e.err.Error()
}
func (e *unknownError) Unwrap() error { return e.err }
