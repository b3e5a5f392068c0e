package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
)

// schemaVersion is the number of the last migration, kept in user_version.
const schemaVersion = 1

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database to schemaVersion, each migration in a transaction
// of its own. Of two processes that migrate at once one waits for the other.
func (w *writer) migrate(ctx context.Context, opt Options) error {
	if err := w.setWAL(ctx); err != nil {
		return err
	}
	for {
		done, err := w.migrateOnce(ctx, opt)
		if done || err != nil {
			return err
		}
	}
}

// setWAL puts the file in WAL mode, which it then stays in.
func (w *writer) setWAL(ctx context.Context) error {
	// Both must come before the first table; on a database that has one the
	// first does nothing.
	var mode string
	err := untilFree(ctx, func() error {
		if _, err := w.conn.ExecContext(ctx, "PRAGMA auto_vacuum = incremental"); err != nil {
			return err
		}
		return w.conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
	})
	if err == nil && mode != "wal" {
		return fmt.Errorf("set WAL mode: the file system allows only %q", mode)
	}
	return err
}

// migrateOnce applies the next migration, if there is one.
func (w *writer) migrateOnce(ctx context.Context, opt Options) (done bool, err error) {
	if err := w.begin(ctx); err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			w.rollback()
		}
	}()
	appID, version, tables, err := marks(ctx, w.conn)
	if err != nil {
		return false, err
	}
	if !opt.Create || tables > 0 {
		if err := checkVersion(appID, version); err != nil {
			return false, err
		}
	}
	if version == schemaVersion {
		w.rollback()
		return true, nil
	}
	if err := w.apply(ctx, version+1); err != nil {
		return false, fmt.Errorf("migrate to version %d: %w", version+1, err)
	}
	return false, nil
}

// apply runs one migration and commits it.
func (w *writer) apply(ctx context.Context, version int64) error {
	names, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	script, err := migrations.ReadFile("migrations/" + names[version-1].Name())
	if err != nil {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, string(script)); err != nil {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return w.commit()
}

// marks reads what tells whose database it is, and how new.
func marks(ctx context.Context, conn *sql.Conn) (appID, version int64, tables int, err error) {
	const query = `
		SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id a, pragma_user_version v`
	err = conn.QueryRowContext(ctx, query).Scan(&appID, &version, &tables)
	return appID, version, tables, err
}
