// Package dump keeps what a service publishes of all its records at once, a JSON
// object a line, in a file in which one of them is found without a request.
//
// The file is made by [Import] from beginning to end, beside its place, and takes
// its place in one step: there is a whole one, the one before, or none.
package dump

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// ErrNotIndex says that a file was not made by [Import], or by a later program.
var ErrNotIndex = errors.New("not an index of a dump")

const (
	appID   = 0x51444d50 // "QDMP", the application_id of an index
	version = 1          // of its schema

	schema = `CREATE TABLE record (key TEXT NOT NULL, value BLOB NOT NULL)`
	// What is sorted once takes a fraction of the time of what is put in its place
	// row by row, so the keys get their order last.
	order = `CREATE INDEX record_key ON record (key)`
)

// Index finds records by key. It is safe for concurrent use.
type Index struct {
	path string
	db   *sql.DB
	find *sql.Stmt
}

// Open opens the index at path, which must not change while it is open: Import
// replaces it. Its error wraps [os.ErrNotExist] or [ErrNotIndex], or is the
// database's. The caller must Close the Index.
func Open(ctx context.Context, path string) (*Index, error) {
	if err := check(path); err != nil {
		return nil, fmt.Errorf("open dump: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path, "mode=ro", "immutable=1", "_pragma=cache_size(-16384)"))
	if err != nil {
		return nil, fmt.Errorf("open dump %s: %w", path, err)
	}
	x := &Index{path: path, db: db}
	if err := x.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open dump %s: %w", path, err), x.Close())
	}
	return x, nil
}

func (x *Index) prepare(ctx context.Context) error {
	var id, of int
	if err := x.db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return fmt.Errorf("%w: %w", ErrNotIndex, err)
	}
	if err := x.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&of); err != nil {
		return err
	}
	if id != appID || of != version {
		return ErrNotIndex
	}
	var err error
	// Of several records of a key the last one in the dump counts.
	x.find, err = x.db.PrepareContext(ctx, "SELECT value FROM record WHERE key = ? ORDER BY rowid DESC LIMIT 1")
	return err
}

// Get returns the record of a key, or nil if there is none.
func (x *Index) Get(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	err := x.find.QueryRowContext(ctx, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up %s in dump %s: %w", key, x.path, err)
	}
	return value, nil
}

// Close ends the use of the index.
func (x *Index) Close() error {
	var err error
	if x.find != nil {
		err = x.find.Close()
	}
	return errors.Join(err, x.db.Close())
}

// check says whether the file at path may be an index: the header of an SQLite
// file holds its application_id at byte 68 (https://www.sqlite.org/fileformat2.html).
func check(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 72)
	if _, err := io.ReadFull(f, head); err != nil {
		return fmt.Errorf("%s: %w", path, ErrNotIndex)
	}
	id := uint32(head[68])<<24 | uint32(head[69])<<16 | uint32(head[70])<<8 | uint32(head[71])
	if !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) || id != appID {
		return fmt.Errorf("%s: %w", path, ErrNotIndex)
	}
	return nil
}

// dsn is the URI of path, https://www.sqlite.org/uri.html, with settings.
func dsn(path string, params ...string) string {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(params, "&")}
	return u.String()
}
