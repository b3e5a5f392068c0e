package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named pgx

	"github.com/quire-dev/quire/postgres"
)

// postgresPlace is a database. The queue's schema is "quire", the bare loop's
// is "quire_bench".
type postgresPlace struct {
	dsn string
	db  *sql.DB
}

func openPostgres(ctx context.Context, dsn string) (place, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the database: %w", err), db.Close())
	}
	return postgresPlace{dsn, db}, nil
}

func (p postgresPlace) check(ctx context.Context) error {
	const query = `SELECT count(*) FROM pg_namespace WHERE nspname IN ('quire', 'quire_bench')`
	var found int
	if err := p.db.QueryRowContext(ctx, query).Scan(&found); err != nil {
		return err
	}
	if found > 0 {
		return fmt.Errorf("the database has a queue, or the rest of a bench (schema quire or quire_bench): %w", ErrTaken)
	}
	return nil
}

func (p postgresPlace) durability(ctx context.Context) (text string, err error) {
	const query = `
		SELECT format('PostgreSQL %s, fsync=%s, synchronous_commit=%s',
			current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'))`
	err = p.db.QueryRowContext(ctx, query).Scan(&text)
	return text, err
}

func (p postgresPlace) open(ctx context.Context) (store, error) {
	return postgres.Open(ctx, p.dsn, postgres.Options{Create: true})
}

func (p postgresPlace) size(ctx context.Context) (n int64, err error) {
	const query = `
		SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
		FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = 'quire' AND c.relkind = 'r'`
	err = p.db.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

func (p postgresPlace) clear(ctx context.Context) error {
	_, err := p.db.ExecContext(ctx, `DROP SCHEMA IF EXISTS quire CASCADE`)
	return err
}

func (p postgresPlace) close() error { return p.db.Close() }

func (p postgresPlace) reference(ctx context.Context) (bareLoop, error) {
	l := bareLoop{
		db:     p.db,
		insert: `INSERT INTO quire_bench.bare (state, payload) VALUES (0, $1)`,
		lease: `UPDATE quire_bench.bare SET state = 1 WHERE id IN (
				SELECT id FROM quire_bench.bare WHERE state = 0 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
			RETURNING id, payload`,
		ack: `UPDATE quire_bench.bare SET state = 2 WHERE id = ANY($1)`,
		arg: func(ids []int64) any { return ids },
		close: func() error {
			_, err := p.db.ExecContext(context.WithoutCancel(ctx), `DROP SCHEMA quire_bench CASCADE`)
			return err
		},
	}
	for _, query := range []string{
		`CREATE SCHEMA quire_bench`,
		`CREATE TABLE quire_bench.bare (
			id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state smallint NOT NULL, payload text NOT NULL) WITH (fillfactor = 50)`,
		`CREATE INDEX ON quire_bench.bare (id) WHERE state = 0`,
	} {
		if _, err := p.db.ExecContext(ctx, query); err != nil {
			return bareLoop{}, err
		}
	}
	return l, nil
}
