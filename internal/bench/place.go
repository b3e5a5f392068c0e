package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// openPlace opens the place that a DSN names.
func openPlace(ctx context.Context, dsn string) (at place, kind string, err error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return sqlitePlace{path}, "sqlite", nil
	}
	at, err = openPostgres(ctx, dsn)
	return at, "postgres", err
}

// bareLoop is the least that a queue in SQL can do: a table of a number, a state
// and a payload, rows leased and acked some at a time, no keys, by one caller.
type bareLoop struct {
	db                 *sql.DB
	insert, lease, ack string
	arg                func(ids []int64) any // the ids as ack takes them
	close              func() error
}

// bareRows is how many rows the loop takes at a time: as many as a run with 64
// workers has at once.
const bareRows = 64

// bareLoop measures the loop.
func (b *bench) bareLoop(ctx context.Context) (err error) {
	loop, err := b.place.reference(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loop.close()) }()
	if err := loop.fill(ctx, b.Jobs); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	begin := time.Now()
	n, err := loop.drain(ctx)
	if err != nil {
		return err
	}
	b.add("bare_loop", perSecond(n, time.Since(begin)), "jobs/s",
		fmt.Sprintf("a bare table in the same database, %d rows leased and acked at a time, no keys: for ratios", bareRows))
	return nil
}

// fill inserts n rows in transactions of a batch each.
func (l bareLoop) fill(ctx context.Context, n int) error {
	with := string(payload())
	numbers := make([]int, n)
	for some := range slices.Chunk(numbers, batch) {
		tx, err := l.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for range some {
			if _, err := tx.ExecContext(ctx, l.insert, with); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// drain leases and acks rows until there are none, and returns how many there were.
func (l bareLoop) drain(ctx context.Context) (n int, err error) {
	lease, err := l.db.PrepareContext(ctx, l.lease)
	if err != nil {
		return 0, err
	}
	defer lease.Close()
	ack, err := l.db.PrepareContext(ctx, l.ack)
	if err != nil {
		return 0, err
	}
	defer ack.Close()
	for {
		ids, err := leased(ctx, lease)
		if len(ids) == 0 || err != nil {
			return n, err
		}
		if _, err := ack.ExecContext(ctx, l.arg(ids)); err != nil {
			return n, err
		}
		n += len(ids)
	}
}

func leased(ctx context.Context, lease *sql.Stmt) (ids []int64, err error) {
	rows, err := lease.QueryContext(ctx, bareRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var with string
		if err := rows.Scan(&id, &with); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
