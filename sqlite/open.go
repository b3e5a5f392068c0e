package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

var (
	_ queue.Store      = (*Store)(nil)
	_ queue.Inspector  = (*Store)(nil)
	_ queue.Controller = (*Store)(nil)
	_ queue.Examiner   = (*Store)(nil)
	_ paper.Catalog    = (*Store)(nil)
)

const (
	readers  = 4
	fileMode = 0o640 // of a new database, under the umask

	// How long SQLite itself waits for a lock. Writers try again, see untilFree;
	// readers wait only while another process opens or closes the database.
	writerWait = 100 * time.Millisecond
	readerWait = 30 * time.Second
)

// Options says how to open a database. The zero Options opens an existing one
// for reading and writing.
type Options struct {
	Create   bool // make the database if there is none; its directory must exist
	ReadOnly bool // change nothing; methods that write return an error

	// Still, with ReadOnly, leaves no trace beside the file either: SQLite makes the
	// log and its index there when it opens a database at rest, even for reading. One
	// that is at rest is then read as if it never changed: a Store that is open while
	// somebody begins to write may see a mixture of before and after.
	Still bool
}

// Store keeps jobs and records in one SQLite file. Its methods are safe for
// concurrent use.
type Store struct {
	path  string
	w     *writer // nil if read only
	wdb   *sql.DB
	rdb   *sql.DB
	close func() error
	still bool // the file is read as if it never changed

	mu       sync.Mutex
	watchers map[*watcher]bool // the calls of Watch
}

// Open opens the database at path and brings its schema up to date. A missing
// file is an error that wraps [os.ErrNotExist], unless opt says to create it.
// What is no database of ours, or is cut short or damaged, is left untouched and
// gives [queue.ErrDamaged]; one of a newer program gives [queue.ErrNewer]. An
// empty file counts as missing when creating and as damaged otherwise.
//
// The Store must be closed: it owns a goroutine.
func Open(ctx context.Context, path string, opt Options) (*Store, error) {
	s, err := open(ctx, path, opt)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, explained(err))
	}
	return s, nil
}

func open(ctx context.Context, path string, opt Options) (s *Store, err error) {
	if opt.Create && opt.ReadOnly {
		return nil, fmt.Errorf("%w: Create and ReadOnly exclude each other", queue.ErrInvalid)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	fresh, err := checkFile(path, opt)
	if err != nil {
		return nil, err
	}
	if fresh {
		if err := createFile(path); err != nil {
			return nil, err
		}
	}
	s = &Store{path: path, watchers: make(map[*watcher]bool)}
	s.close = sync.OnceValue(s.shut)
	if opt.ReadOnly {
		err = s.openReadOnly(ctx, opt.Still)
	} else {
		err = s.openBoth(ctx, opt)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// createFile makes the empty file with our permissions; SQLite gives the files
// beside it the same. That another process was quicker is fine.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *Store) openBoth(ctx context.Context, opt Options) (err error) {
	s.wdb, err = sql.Open("sqlite", dsn(s.path, writerWait, "mode=rw", "_pragma=synchronous(NORMAL)", // see syncer
		// Ids in random order change a page of their index each. A log of 64 MB, and a
		// cache that holds the index of some millions, let many changes of a page be
		// written to the database as one.
		"_pragma=cache_size(-65536)", "_pragma=wal_autocheckpoint(16000)", "_pragma=journal_size_limit(67108864)"))
	if err != nil {
		return err
	}
	s.wdb.SetMaxOpenConns(1)
	var conn *sql.Conn
	err = untilFree(ctx, func() (err error) {
		conn, err = s.wdb.Conn(ctx)
		return err
	})
	if err != nil {
		return err
	}
	w := newWriter(conn, s.path)
	if err := w.migrate(ctx, opt); err != nil {
		return errors.Join(err, w.conn.Close())
	}
	s.w = w
	go w.log.loop()
	go w.loop()
	if err := w.do(ctx, op{run: func(*tx) error { return nil }}); err != nil { // syncs what the migrations committed
		return err
	}
	return s.openReaders("mode=rw")
}

// openReadOnly opens the readers alone. A database at rest in a directory that
// cannot be written has no shared memory and cannot get any: as nobody else
// can write there either, it is read as a file that never changes.
func (s *Store) openReadOnly(ctx context.Context, still bool) error {
	if still && !s.inUse() {
		return s.openStill(ctx)
	}
	if err := s.openReaders("mode=ro"); err != nil {
		return err
	}
	err := s.checkMarks(ctx)
	if err == nil || code(err) == 0 || walSize(s.path) > 0 || errors.Is(explained(err), queue.ErrDamaged) {
		return err
	}
	if err := s.rdb.Close(); err != nil {
		return err
	}
	return s.openStill(ctx)
}

// openStill opens the readers on a file that never changes.
func (s *Store) openStill(ctx context.Context) error {
	s.still = true
	if err := s.openReaders("mode=ro", "immutable=1"); err != nil {
		return err
	}
	return s.checkMarks(ctx)
}

// inUse reports whether there is a log beside the file, which each process that has
// the database open makes and the last one removes.
func (s *Store) inUse() bool {
	_, err := os.Stat(s.path + "-wal")
	return !errors.Is(err, os.ErrNotExist)
}

func (s *Store) openReaders(params ...string) (err error) {
	s.rdb, err = sql.Open("sqlite", dsn(s.path, readerWait, append(params, "_query_only=1", "_pragma=cache_size(-4096)")...))
	if err != nil {
		return err
	}
	s.rdb.SetMaxOpenConns(readers)
	s.rdb.SetMaxIdleConns(readers)
	return nil
}

func (s *Store) checkMarks(ctx context.Context) error {
	conn, err := s.rdb.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	appID, version, _, err := marks(ctx, conn)
	if err != nil {
		return err
	}
	if err := checkVersion(appID, version); err != nil || version == schemaVersion {
		return err
	}
	return fmt.Errorf("%w: schema version %d, this program's is %d: whatever writes brings it up to date", queue.ErrOlder, version, schemaVersion)
}

// dsn is the URI of path, https://www.sqlite.org/uri.html, with the settings of
// every connection.
func dsn(path string, wait time.Duration, params ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	params = append(params, fmt.Sprintf("_pragma=busy_timeout(%d)", wait.Milliseconds()),
		"_pragma=temp_store(memory)", "_pragma=foreign_keys(1)", "_txlock=deferred")
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(params, "&")}
	return u.String()
}

// Close waits for the operations under way and closes the database. Operations
// that begin later return an error. Closing again does nothing.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	var errs []error
	if s.rdb != nil {
		errs = append(errs, s.rdb.Close())
	}
	if s.w != nil {
		errs = append(errs, s.w.close())
	}
	if s.wdb != nil {
		errs = append(errs, s.wdb.Close())
	}
	return errors.Join(errs...)
}
