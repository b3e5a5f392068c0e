package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// leastServer is the oldest version that has all the functions which this package
// calls: pg_current_xact_id_if_assigned is new in 13
// (https://www.postgresql.org/docs/13/release-13.html).
const leastServer = 13

const (
	serverQuery = `
	SELECT current_setting('server_version'), current_setting('server_version_num')::integer / 10000,
		(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
	// Sums of pages are checked by the server whenever it reads one; what it has found
	// since its statistics were reset is counted.
	stateQuery = `
	SELECT (SELECT max(version) FROM quire.schema WHERE program = 'quire'),
		(SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'quire' AND c.relkind = 'r'),
		current_setting('data_checksums') = 'on',
		coalesce((SELECT checksum_failures FROM pg_catalog.pg_stat_database WHERE datname = current_database()), 0)`
	runnerQuery = `SELECT owner FROM quire.runner WHERE expires_at > clock_timestamp()`
	tablesQuery = `
	SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'quire' AND c.relkind = 'r' ORDER BY 1`
)

// Codes of a server that has found damage, as in retry.go.
const (
	codeDataCorrupted  = "XX001"
	codeIndexCorrupted = "XX002"
)

// Examine implements [queue.Examiner]. The server looks after its files itself: what
// its checksums have found is a fault. Deep has it read all rows.
func (s *Store) Examine(ctx context.Context, deep bool) (queue.Examination, error) {
	e, err := s.examine(ctx, deep)
	if err != nil {
		return e, fmt.Errorf("examine PostgreSQL queue: %w", err)
	}
	return e, nil
}

func (s *Store) examine(ctx context.Context, deep bool) (e queue.Examination, err error) {
	conn, err := s.acquire(ctx)
	if err != nil {
		return e, err
	}
	defer conn.Release()
	one := func(query string, to ...any) error {
		return conn.QueryRow(ctx, query, pgx.QueryExecModeExec).Scan(to...)
	}
	var version string
	var major int
	var clock, failures int64
	var sums bool
	asked := time.Now()
	if err := one(serverQuery, &version, &major, &clock); err != nil {
		return e, err
	}
	e.RoundTrip = time.Since(asked)
	e.Ahead = time.UnixMicro(clock).Sub(asked.Add(e.RoundTrip / 2))
	e.Engine = "PostgreSQL " + version
	if major < leastServer {
		e.Needs = fmt.Sprintf("PostgreSQL %d", leastServer)
	}
	if err := one(stateQuery, &e.Schema, &e.Bytes, &sums, &failures); err != nil {
		return e, err
	}
	switch err := one(runnerQuery, &e.Runner); {
	case err == nil:
		e.Running = true
	case !errors.Is(err, pgx.ErrNoRows):
		return e, err
	}
	if failures > 0 {
		e.Faults = append(e.Faults, fmt.Sprintf("the server has counted %d pages of this database with a wrong checksum", failures))
	}
	if !sums {
		e.Unchecked = "the server keeps no checksums (data_checksums is off)"
	}
	if deep {
		return e, readAll(ctx, conn.Conn(), &e)
	}
	return e, nil
}

// readAll reads all rows of all tables. What can't be read is a fault.
func readAll(ctx context.Context, conn *pgx.Conn, e *queue.Examination) error {
	rows, err := conn.Query(ctx, tablesQuery, pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, table := range tables {
		// As text, so that long values, which lie elsewhere, are read too.
		query := "SELECT coalesce(sum(length(t::text)), 0)::text FROM " + pgx.Identifier{"quire", table}.Sanitize() + " AS t"
		var length string
		err := conn.QueryRow(ctx, query, pgx.QueryExecModeExec).Scan(&length)
		if ctx.Err() != nil {
			e.Unchecked = "there was no time to read all of it"
			break
		}
		switch c := code(err); {
		case c == codeDataCorrupted || c == codeIndexCorrupted:
			e.Faults = append(e.Faults, fmt.Sprintf("table quire.%s: %v", table, err))
		case err != nil:
			return err
		}
	}
	return nil
}
