package dump

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Report says what came of an import.
type Report struct {
	Lines   int64 // that were read, without empty ones
	Records int64 // that are in the index
	Bad     int64 // lines that are no record, or too long

	// First tells of the first bad lines, by number: at most maxTold of them.
	First []BadLine
}

// BadLine is a line that is not in the index.
type BadLine struct {
	Number int64 // from 1
	Err    error
}

// Reduce makes of a line of a dump the key under which it is found and what is
// kept of it. Its error says why the line is no record. It must not keep line.
type Reduce func(line []byte) (key string, value []byte, err error)

const (
	// MaxLine is how long a line may be, in bytes: 40 times the longest of the 1,100
	// recorded answers of Unpaywall.
	MaxLine = 1 << 20
	// perCommit rows are written at once: enough that the commits cost little, few
	// enough for the cache.
	perCommit = 20_000
	maxTold   = 5
)

// ErrEmpty says that a dump has no record at all.
var ErrEmpty = errors.New("no line of it is a record")

// ErrBusy says that another process imports to the same place.
var ErrBusy = errors.New("another import is at work there")

// Import reads a dump, plain or gzip, whatever its name, and makes the index at
// path of it, in place of the one that is there. Lines that are no records are
// left out and counted. It takes memory for one line and the cache of a
// database, and the space of the index twice for a while. told is called after
// every ten thousand lines; it may be nil.
//
// If it fails, or ends with ctx, what was at path is still there, and the next
// import starts from the beginning. Its error wraps [ErrEmpty] or [ErrBusy], or
// is that of the file or the database.
func Import(ctx context.Context, from io.Reader, path string, reduce Reduce, told func(Report)) (Report, error) {
	rep, err := importTo(ctx, from, path, reduce, told)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // whatever the database made of it
	}
	if err != nil {
		return rep, fmt.Errorf("import dump to %s: %w", path, err)
	}
	return rep, nil
}

func importTo(ctx context.Context, from io.Reader, path string, reduce Reduce, told func(Report)) (rep Report, err error) {
	lock := flock.New(path + ".lock")
	ok, err := lock.TryLock()
	switch {
	case err != nil:
		return rep, err
	case !ok:
		return rep, ErrBusy
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := replaceable(path); err != nil {
		return rep, err
	}
	lines, err := newLines(from)
	if err != nil {
		return rep, err
	}
	fresh := path + ".new"
	if err := discard(fresh); err != nil { // of an import that was broken off
		return rep, err
	}
	if rep, err = build(ctx, lines, fresh, reduce, told); err == nil {
		err = install(fresh, path)
	}
	if err != nil {
		return rep, errors.Join(err, discard(fresh))
	}
	return rep, nil
}

// replaceable refuses to replace a file that is no index.
func replaceable(path string) error {
	err := check(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func discard(path string) error {
	var errs []error
	for _, name := range []string{path, path + "-journal"} {
		if err := os.Remove(name); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// install puts a whole index in its place, durably.
func install(fresh, path string) error {
	f, err := os.OpenFile(fresh, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// build writes the index. Nobody sees it before it is whole, so that it needs
// neither a journal nor syncs on the way.
func build(ctx context.Context, lines *lines, path string, reduce Reduce, told func(Report)) (rep Report, err error) {
	db, err := sql.Open("sqlite", dsn(path, "_pragma=journal_mode(off)", "_pragma=synchronous(off)", "_pragma=cache_size(-65536)"))
	if err != nil {
		return rep, err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return rep, err
	}
	for more := true; more; {
		if more, err = commit(ctx, db, lines, reduce, &rep, told); err != nil {
			return rep, err
		}
	}
	if rep.Records == 0 {
		return rep, ErrEmpty
	}
	for _, last := range []string{order, fmt.Sprintf("PRAGMA application_id = %d", appID), fmt.Sprintf("PRAGMA user_version = %d", version)} {
		if _, err := db.ExecContext(ctx, last); err != nil {
			return rep, err
		}
	}
	return rep, nil
}

// commit takes over some lines in one transaction and reports whether there may
// be more.
func commit(ctx context.Context, db *sql.DB, lines *lines, reduce Reduce, rep *Report, told func(Report)) (more bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	insert, err := tx.PrepareContext(ctx, "INSERT INTO record (key, value) VALUES (?, ?)")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	for range perCommit {
		line, bad, err := lines.next()
		if errors.Is(err, io.EOF) {
			return false, tx.Commit()
		}
		if err != nil {
			return false, fmt.Errorf("line %d: %w", lines.number+1, err)
		}
		rep.Lines++
		var key string
		var value []byte
		if bad == nil {
			key, value, bad = reduce(line)
		}
		if bad != nil {
			rep.reject(lines.number, bad)
		} else if _, err := insert.ExecContext(ctx, key, value); err != nil {
			return false, err
		} else {
			rep.Records++
		}
		if told != nil && rep.Lines%10_000 == 0 {
			told(*rep)
		}
	}
	return true, tx.Commit()
}

func (r *Report) reject(number int64, why error) {
	r.Bad++
	if len(r.First) < maxTold {
		r.First = append(r.First, BadLine{number, why})
	}
}
