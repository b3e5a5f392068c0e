package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// maxBatch bounds how many operations share a transaction, and so how long the
// first of them waits for the others.
const maxBatch = 256

// writer owns the one connection that writes. Its loop takes an operation and
// those that wait behind it, runs them in one transaction and answers their
// callers after the commit.
type writer struct {
	conn    *sql.Conn
	stmts   map[string]statement // of the loop alone, as is all that follows
	args    []driver.NamedValue
	keys    *names
	runs    *names
	inserts []inserts // the long ones first
	memory  memory
	log     *syncer
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
	enqueue *enqueueing // instead of run: many are done as one
	outside bool        // needs no transaction
	soon    bool        // answered after the commit, without waiting for the sync
	answer  chan error
}

func newWriter(conn *sql.Conn, path string) *writer {
	return &writer{
		conn:    conn,
		log:     newSyncer(path),
		stmts:   make(map[string]statement),
		keys:    newNames("keys"),
		runs:    newNames("runs"),
		memory:  memory{version: -1, shares: make(map[share]int64)},
		inserts: []inserts{newInserts(64), newInserts(8), newInserts(1)},
		ops:     make(chan *op),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// do has the writer run f in a transaction and returns when it is durable. If ctx
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
	return writeOp(ctx, w, op{}, f)
}

// writeSoon is write for what need not survive a loss of power by the time it
// returns. It soon will.
func writeSoon[T any](ctx context.Context, w *writer, f func(*tx) (T, error)) (T, error) {
	return writeOp(ctx, w, op{soon: true}, f)
}

func writeOp[T any](ctx context.Context, w *writer, o op, f func(*tx) (T, error)) (T, error) {
	var result T
	o.run = func(t *tx) (err error) {
		result, err = f(t)
		return err
	}
	err := w.do(ctx, o)
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
	t := newTx(w)
	ops := []*op{first}
	err := w.recall()
	for more := ops; err == nil && len(more) > 0; {
		if err = t.run(more); err == nil {
			more = w.waiting(maxBatch - len(ops))
			ops = append(ops, more...)
		}
	}
	if err != nil && len(ops) > 1 {
		w.rollback()
		w.eachAlone(ops)
		return
	}
	t.end(ops, err)
}

// waiting returns the operations that are there, up to most. A caller whose
// answer has just come needs a moment to be back, which is well spent: an fsync
// costs as much as many operations.
func (w *writer) waiting(most int) (ops []*op) {
	for patience := 2; len(ops) < most; {
		select {
		case o := <-w.ops:
			if o.ctx.Err() != nil {
				o.answer <- o.ctx.Err()
				continue
			}
			ops = append(ops, o)
		default:
			if patience--; patience < 0 {
				return ops
			}
			runtime.Gosched()
		}
	}
	return ops
}

func (w *writer) eachAlone(ops []*op) {
	for _, o := range ops {
		if err := w.begin(o.ctx); err != nil {
			o.answer <- err
			continue
		}
		t := newTx(w)
		err := w.recall()
		if err == nil {
			err = t.run([]*op{o})
		}
		t.end([]*op{o}, err)
	}
}

// begin begins a transaction, unless the log is not to be trusted.
func (w *writer) begin(ctx context.Context) error {
	if err := w.log.failure(); err != nil {
		if w.mend() != nil {
			return err
		}
	}
	return untilFree(ctx, func() error { return w.exec("BEGIN IMMEDIATE") })
}

// mend brings what was committed into the database, which makes it durable
// without the log. After a sync that has failed nothing else does: the next one
// may succeed, and say nothing of the pages that were lost.
func (w *writer) mend() error {
	busy, err := (&tx{w: w}).integer("PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && busy != 0 {
		err = errors.New("database is busy")
	}
	if err == nil {
		w.log.mended()
	}
	return err
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
	w.forget()
}

// close ends the loop and leaves the file tidy: with fresh statistics, and
// everything in it rather than in its log. Other processes may be in the way
// of that, which does no harm.
func (w *writer) close() error {
	close(w.stop)
	<-w.done
	close(w.log.work)
	<-w.log.done
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
}

func newTx(w *writer) *tx {
	return &tx{w: w, ranks: newRanks(), counts: newCounts()}
}

// run runs operations, those of Enqueue as one.
func (t *tx) run(ops []*op) error {
	t.now = time.Now().UnixMilli()
	var adding []*enqueueing
	for _, o := range ops {
		if o.enqueue != nil {
			adding = append(adding, o.enqueue)
		} else if err := o.run(t); err != nil {
			return err
		}
	}
	if len(adding) == 0 {
		return nil
	}
	return t.enqueue(adding)
}

// end commits, unless err is why it should not, and has the syncer tell the
// callers of ops what came of it.
func (t *tx) end(ops []*op, err error) {
	if err == nil {
		err = t.keepShares()
	}
	if err == nil {
		err = t.keepCounts()
	}
	t.w.log.begin()
	if err == nil {
		err = t.w.commit()
	} else {
		t.w.rollback()
	}
	if err == nil {
		ops = slices.DeleteFunc(ops, func(o *op) bool {
			if o.soon {
				o.answer <- nil
			}
			return o.soon
		})
	}
	t.w.log.work <- committed{ops, err}
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
