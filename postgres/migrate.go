package postgres

import (
	"context"
	"embed"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// schemaVersion is the number of the last migration, kept in quire.schema.
const schemaVersion = 2

//go:embed migrations/*.sql
var migrations embed.FS

// startWait is for how long Open waits for a server that is starting.
const startWait = 30 * time.Second

// migrate brings the schema to schemaVersion, each migration in a transaction of
// its own. Of two processes that migrate at once one waits for the other.
func (s *Store) migrate(ctx context.Context, opt Options) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for pause := firstPause; ; {
		done, err := s.migrateOnce(ctx, opt)
		switch {
		case done:
			return nil
		case err == nil:
			continue
		case code(err) == "" || !s.passes(err) || !sleep(ctx, pause):
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

// migrateOnce applies the next migration, if there is one.
func (s *Store) migrateOnce(ctx context.Context, opt Options) (done bool, err error) {
	conn, err := s.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release() // drops the connection if the transaction is still open
	mode := pgx.ReadWrite
	if opt.ReadOnly {
		mode = pgx.ReadOnly
	}
	t, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: mode})
	if err != nil {
		return false, err
	}
	defer func() { _ = t.Rollback(context.WithoutCancel(ctx)) }() // nothing is left to do after a commit
	version, err := versionOf(ctx, t)
	if err != nil || version == schemaVersion {
		return err == nil, err
	}
	if version == 0 && !opt.Create {
		return false, fmt.Errorf("%w: the database %q has no queue", os.ErrNotExist, conn.Conn().Config().Database)
	}
	if opt.ReadOnly {
		return false, fmt.Errorf("%w: schema version %d, this program's is %d: whatever writes brings it up to date", queue.ErrOlder, version, schemaVersion)
	}
	if _, err := t.Exec(ctx, lockMigrate); err != nil {
		return false, err
	}
	// Another process may have been faster.
	if now, err := versionOf(ctx, t); err != nil || now != version {
		return false, err
	}
	if err := apply(ctx, t, version+1); err != nil {
		return false, fmt.Errorf("migrate to version %d: %w", version+1, err)
	}
	return false, t.Commit(ctx)
}

// versionOf is the version of the schema, 0 if there is none. A schema "quire"
// that is not ours is an error, and so is one that is newer than this program.
func versionOf(ctx context.Context, t pgx.Tx) (version int, err error) {
	const (
		tablesQuery = `
		SELECT to_regclass('quire.schema') IS NOT NULL, EXISTS (
			SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'quire')`
		versionQuery = `SELECT max(version) FROM quire.schema WHERE program = 'quire'`
	)
	var ours, used bool
	err = t.QueryRow(ctx, tablesQuery, pgx.QueryExecModeExec).Scan(&ours, &used)
	switch {
	case err != nil:
		return 0, err
	case !used:
		return 0, nil
	case !ours:
		return 0, fmt.Errorf("%w: the schema \"quire\" has tables of something else", queue.ErrDamaged)
	}
	var found *int
	err = t.QueryRow(ctx, versionQuery, pgx.QueryExecModeExec).Scan(&found)
	switch {
	case code(err) == codeNoColumn, err == nil && found == nil:
		return 0, fmt.Errorf("%w: the table quire.schema is of something else", queue.ErrDamaged)
	case err != nil:
		return 0, err
	case *found > schemaVersion:
		return 0, fmt.Errorf("%w: schema version %d, this program knows %d", queue.ErrNewer, *found, schemaVersion)
	}
	return *found, nil
}

// apply runs one migration.
func apply(ctx context.Context, t pgx.Tx, version int) error {
	const (
		create = `
		CREATE SCHEMA IF NOT EXISTS quire;
		CREATE TABLE IF NOT EXISTS quire.schema (
			version integer PRIMARY KEY,
			program text NOT NULL DEFAULT 'quire',
			at timestamptz NOT NULL DEFAULT clock_timestamp()
		)`
		note = `INSERT INTO quire.schema (version) VALUES ($1::integer)`
	)
	names, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	script, err := migrations.ReadFile("migrations/" + names[version-1].Name())
	if err != nil {
		return err
	}
	for _, sql := range []string{create, string(script)} {
		if _, err := t.Exec(ctx, sql); err != nil {
			return err
		}
	}
	_, err = t.Exec(ctx, note, pgx.QueryExecModeExec, version)
	return err
}
