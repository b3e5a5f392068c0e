package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/quire-dev/quire/sqlite"
)

// sqlitePlace is the path of a file, and of those beside it.
type sqlitePlace struct{ path string }

// files are all that can be there.
func (p sqlitePlace) files() []string {
	var all []string
	for _, base := range []string{p.path, p.bare()} {
		for _, end := range []string{"", "-wal", "-shm", "-journal", ".run"} {
			all = append(all, base+end)
		}
	}
	return all
}

// bare is the file of the bare loop.
func (p sqlitePlace) bare() string { return p.path + ".bare" }

func (p sqlitePlace) check(context.Context) error {
	for _, file := range p.files() {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already: %w", file, ErrTaken)
		}
	}
	return nil
}

// durability is what package sqlite promises, and what bareLoop asks for, too.
func (sqlitePlace) durability(context.Context) (string, error) {
	return "journal_mode=WAL, its log synced before the answer", nil
}

func (p sqlitePlace) open(ctx context.Context) (store, error) {
	return sqlite.Open(ctx, p.path, sqlite.Options{Create: true})
}

func (p sqlitePlace) size(context.Context) (int64, error) {
	about, err := os.Stat(p.path) // the last to close it has moved the log into it
	if err != nil {
		return 0, err
	}
	return about.Size(), nil
}

func (p sqlitePlace) clear(context.Context) error {
	var errs []error
	for _, file := range p.files() {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (sqlitePlace) close() error { return nil }

func (p sqlitePlace) reference(ctx context.Context) (bareLoop, error) {
	path, err := filepath.Abs(p.bare())
	if err != nil {
		return bareLoop{}, err
	}
	// The driver comes with package sqlite; the settings are those it uses.
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=wal_autocheckpoint(4000)&_pragma=cache_size(-16384)&_txlock=immediate"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return bareLoop{}, err
	}
	db.SetMaxOpenConns(1)
	l := bareLoop{
		db:     db,
		insert: `INSERT INTO bare (state, payload) VALUES (0, ?)`,
		lease: `UPDATE bare SET state = 1 WHERE id IN (SELECT id FROM bare WHERE state = 0 ORDER BY id LIMIT ?)
			RETURNING id, payload`,
		ack: `UPDATE bare SET state = 2 WHERE id IN (SELECT value FROM json_each(?))`,
		arg: func(ids []int64) any {
			list, _ := json.Marshal(ids) //nolint:errchkjson // numbers
			return string(list)
		},
		close: func() error { return errors.Join(db.Close(), p.clear(context.WithoutCancel(ctx))) },
	}
	const schema = `
		CREATE TABLE bare (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, payload TEXT NOT NULL) STRICT;
		CREATE INDEX bare_ready ON bare (id) WHERE state = 0`
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return bareLoop{}, errors.Join(err, l.close())
	}
	return l, nil
}
