package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"
)

// maxBatch bounds how many operations share a transaction, and so how long the
// first of them waits for the others.
const maxBatch = 128

// writer owns the one connection that writes. Its loop takes an operation and
// those that wait behind it, runs them in one transaction and answers their
// callers after the commit.
type writer struct {
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt // of the loop alone, as are keys and runs
	keys    *names
	runs    *names
	inserts map[int]string // insertQuery of so many rows
	ops     chan *op
	stop    chan struct{} // closed to end the loop
	done    chan struct{} // closed by the loop at its end

	commits atomic.Int64
}

// op is an operation on its way to the writer. run may be called again after
// its transaction was rolled back.
type op struct {
	ctx     context.Context //nolint:containedctx // of the caller, who waits for answer
	run     func(*tx) error
	outside bool // needs no transaction
	answer  chan error
}

func newWriter(conn *sql.Conn) *writer {
	return &writer{
		conn:    conn,
		stmts:   make(map[string]*sql.Stmt),
		keys:    newNames("keys"),
		runs:    newNames("runs"),
		inserts: map[int]string{1: insertQuery(1), 8: insertQuery(8), 64: insertQuery(64)},
		ops:     make(chan *op),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// do has the writer run f in a transaction and returns after the commit. If ctx
// ends before the transaction has begun, f does not run; later it completes.
func (w *writer) do(ctx context.Context, o op) error {
	if w == nil {
		return errReadOnly
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	o.ctx, o.answer = ctx, make(chan error, 1)
	select {
	case w.ops <- &o:
		return explained(<-o.answer)
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stop:
		return errClosed
	}
}

// write is do for an f with a result.
func write[T any](ctx context.Context, w *writer, f func(*tx) (T, error)) (T, error) {
	var result T
	err := w.do(ctx, op{run: func(t *tx) (err error) {
		result, err = f(t)
		return err
	}})
	return result, err
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case o := <-w.ops:
			if o.outside {
				o.answer <- o.run(newTx(w))
				continue
			}
			w.batch(o)
		case <-w.stop:
			return
		}
	}
}

// batch runs first, and what waits behind it, in one transaction. If one of
// them fails, all start over, each in a transaction of its own: so none suffers
// from a neighbour, and the common case needs no savepoints.
func (w *writer) batch(first *op) {
	if err := w.begin(first.ctx); err != nil {
		first.answer <- err
		return
	}
	ops := []*op{first}
	t := newTx(w)
	err := t.run(first)
	for more := true; more && err == nil && len(ops) < maxBatch; {
		select {
		case o := <-w.ops:
			if o.ctx.Err() != nil {
				o.answer <- o.ctx.Err()
				continue
			}
			ops = append(ops, o)
			err = t.run(o)
		default:
			more = false
		}
	}
	if err == nil {
		err = t.end()
	} else {
		w.rollback()
		if len(ops) > 1 {
			w.eachAlone(ops)
			return
		}
	}
	for _, o := range ops {
		o.answer <- err
	}
}

func (w *writer) eachAlone(ops []*op) {
	for _, o := range ops {
		err := w.begin(o.ctx)
		if err == nil {
			t := newTx(w)
			if err = t.run(o); err == nil {
				err = t.end()
			} else {
				w.rollback()
			}
		}
		o.answer <- err
	}
}

func (w *writer) begin(ctx context.Context) error {
	return untilFree(ctx, func() error { return w.exec("BEGIN IMMEDIATE") })
}

func (w *writer) commit() error {
	if err := w.exec("COMMIT"); err != nil {
		w.rollback()
		return err
	}
	w.commits.Add(1)
	return nil
}

// rollback ends the transaction. Its only error is that SQLite has ended it
// already, as it does when the disk is full or broken.
func (w *writer) rollback() {
	_ = w.exec("ROLLBACK")
	w.keys.forget()
	w.runs.forget()
}

func (w *writer) exec(query string) error {
	stmt, err := w.stmt(query)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(context.Background())
	return err
}

// stmt returns the prepared statement of query, which must be one of few.
func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if stmt := w.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(context.Background(), query)
	if err == nil {
		w.stmts[query] = stmt
	}
	return stmt, err
}

// close ends the loop and leaves the file tidy: with fresh statistics, and
// everything in it rather than in its log. Other processes may be in the way
// of that, which does no harm.
func (w *writer) close() error {
	close(w.stop)
	<-w.done
	for _, stmt := range w.stmts {
		_ = stmt.Close()
	}
	_, _ = w.conn.ExecContext(context.Background(), "PRAGMA optimize")
	_, _ = w.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	return w.conn.Close()
}

// tx is a transaction under way. Its statements never stop half way because a
// caller has gone: its neighbours need the connection.
type tx struct {
	w        *writer
	now      int64 // milliseconds, when the current operation began
	promoted bool
	ranks    ranks
	counts   counts
	last     numbers
}

func newTx(w *writer) *tx {
	return &tx{w: w, ranks: newRanks(), counts: newCounts()}
}

func (t *tx) run(o *op) error {
	t.now = time.Now().UnixMilli()
	return o.run(t)
}

// end commits, or rolls back and says why.
func (t *tx) end() error {
	err := t.keepShares()
	if err == nil {
		err = t.keepCounts()
	}
	if err != nil {
		t.w.rollback()
		return err
	}
	return t.w.commit()
}

// exec returns how many rows the statement changed.
func (t *tx) exec(query string, args ...any) (int, error) {
	stmt, err := t.w.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	stmt, err := t.w.stmt(query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(context.Background(), args...)
}

// integer returns the one integer that query selects.
func (t *tx) integer(query string, args ...any) (n int64, err error) {
	stmt, err := t.w.stmt(query)
	if err != nil {
		return 0, err
	}
	err = stmt.QueryRowContext(context.Background(), args...).Scan(&n)
	return n, err
}

// integerOr is integer, or otherwise where query selects nothing.
func (t *tx) integerOr(otherwise int64, query string, args ...any) (int64, error) {
	n, err := t.integer(query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return otherwise, nil
	}
	return n, err
}

// texts returns the one text of each row that query selects.
func (t *tx) texts(query string, args ...any) (texts []string, err error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}

// millis is d in milliseconds, rounded up so that nothing comes too early;
// 0 if d is negative.
func millis(d time.Duration) int64 {
	n := d / time.Millisecond
	if d%time.Millisecond > 0 {
		n++
	}
	return int64(max(n, 0))
}
