package main

import (
	"context"
	"database/sql"

	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// riverSQLite is River on SQLite, by one connection as it advises.
type riverSQLite struct {
	*riverQueue[*sql.Tx]
	db *sql.DB
}

func openRiverSQLite(ctx context.Context, o options) (system, error) {
	db, err := openSQLite(o, 1)
	if err != nil {
		return nil, err
	}
	r, err := openRiver(ctx, riversqlite.New(db), o)
	if err != nil {
		return nil, err
	}
	return &riverSQLite{r, db}, nil
}

func (r *riverSQLite) pending(ctx context.Context) (int, error) {
	return count(ctx, r.db, riverUnfinished)
}

func (r *riverSQLite) size(ctx context.Context) (int64, error) { return sqliteSize(ctx, r.o.store) }

func (r *riverSQLite) close() error { return r.db.Close() }
