package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// fastConns is how many connections a fast peer has to PostgreSQL. The default
// is that of the pool: the number of CPUs, at least 4.
const fastConns = 32

// riverPostgres is River on PostgreSQL.
type riverPostgres struct {
	*riverQueue[pgx.Tx]
	pool *pgxpool.Pool
}

func openRiverPostgres(ctx context.Context, o options) (system, error) {
	cfg, err := pgxpool.ParseConfig(o.store)
	if err != nil {
		return nil, fmt.Errorf("read settings of PostgreSQL: %w", err)
	}
	if o.fast {
		cfg.MaxConns = fastConns
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	r, err := openRiver(ctx, riverpgxv5.New(pool), o)
	if err != nil {
		return nil, err
	}
	return &riverPostgres{r, pool}, nil
}

func (r *riverPostgres) pending(ctx context.Context) (n int, err error) {
	if err := r.pool.QueryRow(ctx, riverUnfinished).Scan(&n); err != nil {
		return 0, fmt.Errorf("count pending jobs: %w", err)
	}
	return n, nil
}

func (r *riverPostgres) size(ctx context.Context) (int64, error) {
	return postgresSize(ctx, r.o.store)
}

func (r *riverPostgres) close() error {
	r.pool.Close()
	return nil
}

// postgresSize is the size of all tables, with their indexes, of a database.
func postgresSize(ctx context.Context, settings string) (bytes int64, err error) {
	conn, err := pgx.Connect(ctx, settings)
	if err != nil {
		return 0, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	const query = `select sum(pg_total_relation_size(relid)) from pg_stat_user_tables`
	if err := conn.QueryRow(ctx, query).Scan(&bytes); err != nil {
		return 0, fmt.Errorf("measure PostgreSQL database: %w", err)
	}
	return bytes, nil
}
