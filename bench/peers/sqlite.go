package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver of every system here that takes a *sql.DB
)

// sqlitePath is where a system keeps its database in its directory.
func sqlitePath(store string) string { return filepath.Join(store, "jobs.db") }

// openSQLite opens the database of a peer. conns bounds its connections, as the
// peer's documentation asks for; 0 is no bound. A fast peer gets the page cache
// and the rarer checkpoints that Quire gives itself.
func openSQLite(o options, conns int) (*sql.DB, error) {
	pragmas := []string{"journal_mode(WAL)", "busy_timeout(5000)", "foreign_keys(1)", "synchronous(NORMAL)"}
	if o.full {
		pragmas[3] = "synchronous(FULL)"
	}
	if o.fast {
		pragmas = append(pragmas, "wal_autocheckpoint(4000)", "cache_size(-16384)", "temp_store(memory)")
	}
	db, err := sql.Open("sqlite", "file:"+sqlitePath(o.store)+"?_pragma="+strings.Join(pragmas, "&_pragma="))
	if err != nil {
		return nil, fmt.Errorf("open SQLite database: %w", err)
	}
	db.SetMaxOpenConns(conns)
	if conns == 0 {
		db.SetMaxIdleConns(100) // opening one is dear
	}
	return db, nil
}

// sqliteSize is the size of the database after a checkpoint.
func sqliteSize(ctx context.Context, store string) (int64, error) {
	db, err := sql.Open("sqlite", "file:"+sqlitePath(store)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return 0, fmt.Errorf("open SQLite database to measure it: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return 0, fmt.Errorf("checkpoint SQLite database: %w", err)
	}
	var bytes int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(sqlitePath(store) + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("measure SQLite database: %w", err)
		}
		bytes += info.Size()
	}
	return bytes, nil
}

// count runs a query for one number.
func count(ctx context.Context, db *sql.DB, query string) (n int, err error) {
	if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("count pending jobs: %w", err)
	}
	return n, nil
}
