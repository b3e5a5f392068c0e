package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
)

// schemaVersion is the number of the last migration, kept in user_version.
const schemaVersion = 3

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
	var mode string
	err := untilFree(ctx, func() error {
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
	if version == 2 {
		if err := w.copyJobs(ctx); err != nil {
			return err
		}
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

// copyJobs is the part of migration 2 that SQL can't do: it moves the jobs of
// version 1, which are in jobs_v1, to the table of version 2.
func (w *writer) copyJobs(ctx context.Context) error {
	const (
		fill = `
		INSERT INTO keys (name) SELECT key FROM jobs_v1 UNION SELECT first_key FROM jobs_v1;
		INSERT INTO runs (name) SELECT DISTINCT run FROM jobs_v1`
		read  = `SELECT id, artifact_id FROM jobs_v1 WHERE id > ? ORDER BY id LIMIT 1000`
		write = `INSERT INTO docs (id, place, created_at, artifact_id, last_error, result, progress, payload)
		SELECT id, ?, created_at, artifact_id, last_error, result, progress, payload FROM jobs_v1 WHERE id = ?`
		finish = `
		INSERT INTO jobs (id, state, key, priority, rank, due, run, first_key, attempts, token, finish_seq, updated_at, owner, reason, class)
		SELECT id, CASE state WHEN 'queued' THEN delayed WHEN 'in_progress' THEN 2 WHEN 'done' THEN 3 WHEN 'skipped' THEN 4 ELSE 5 END,
			(SELECT id FROM keys WHERE name = key), priority, id, CASE state WHEN 'queued' THEN available_at ELSE lease_expires_at END,
			(SELECT id FROM runs WHERE name = run), (SELECT id FROM keys WHERE name = first_key), attempts, token, finish_seq,
			updated_at, lease_owner, reason, class
		FROM jobs_v1;
		INSERT INTO shares (key, run, rank) SELECT key, run, max(rank) FROM jobs WHERE state < 3 GROUP BY key, run;
		UPDATE keys SET (ready, delayed, in_flight) = (
			SELECT coalesce(sum(state = 0), 0), coalesce(sum(state = 1), 0), coalesce(sum(state = 2), 0) FROM jobs WHERE key = keys.id AND state < 3);
		INSERT INTO ready_since (second, n) SELECT due / 1000, count(*) FROM jobs WHERE state = 0 GROUP BY 1;
		INSERT INTO outcomes (state, reason, class, n) SELECT state, reason, class, count(*) FROM jobs WHERE state > 2 GROUP BY 1, 2, 3;
		DROP TABLE jobs_v1`
	)
	if _, err := w.conn.ExecContext(ctx, fill); err != nil {
		return err
	}
	t := newTx(w)
	for after := int64(0); ; {
		ids, artifacts, err := t.page(read, after)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if _, err := t.exec(write, place(artifacts[i]), id); err != nil {
				return err
			}
			after = id
		}
		if len(ids) == 0 {
			break
		}
	}
	_, err := w.conn.ExecContext(ctx, finish)
	return err
}

// page reads a number and a text of each row that query selects.
func (t *tx) page(query string, args ...any) (numbers []int64, texts []string, err error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		numbers, texts = append(numbers, rows.integer(0)), append(texts, rows.text(1))
	}
	return numbers, texts, rows.Err()
}
