package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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

// connections is how many the pool has at most, unless the DSN says otherwise:
// one for each kind of operation that is folded, and some to look at the queue.
const connections = 8

// Options says how to open a database. The zero Options opens an existing queue
// for reading and writing.
type Options struct {
	Create   bool // make the schema if there is none; the database must exist
	ReadOnly bool // change nothing; methods that write return an error
}

// Store keeps jobs and records in a PostgreSQL database. Its methods are safe
// for concurrent use.
//
// An operation that loses its connection, or finds none, tries again for half a
// minute or until its context ends. One that lost it while it committed first
// finds out whether it did.
type Store struct {
	id       string // tells our announcements from those of others
	readOnly bool
	pool     *pgxpool.Pool
	unnamed  atomic.Bool // prepared statements do not work here
	close    func()
	closed   atomic.Bool
	slots    chan int32   // free ones of the rows for marks; nil if read only
	marks    atomic.Int64 // the last number of a mark

	work     sync.WaitGroup // goroutines of the batchers and the announcer
	enqueues *batcher[[]queue.NewJob, queue.Enqueued]
	leases   *batcher[leaseCall, []queue.Lease]
	settles  *batcher[[]queue.Settlement, []error]
	beats    *batcher[beatCall, []queue.Lease]
	announce announcer

	opened      time.Time
	compacted   atomic.Int64 // nanoseconds after opened
	uncompacted atomic.Int64 // rows of changes that were left then

	mu       sync.Mutex
	watchers map[*watcher]bool
}

// Open connects to the database that dsn names and brings the queue's schema in
// it up to date. dsn is a URL or a list of keywords as libpq takes them, with the
// parameters of [pgxpool.ParseConfig] and [pgx.ParseConfig] besides.
//
// A database without a queue gives an error that wraps [os.ErrNotExist], unless
// opt says to create one. A schema that is not ours gives [queue.ErrDamaged], one
// of a newer program [queue.ErrNewer]. A server that does not answer is an error
// at once; one that is starting is waited for.
//
// The Store must be closed: it owns connections.
func Open(ctx context.Context, dsn string, opt Options) (*Store, error) {
	s, err := open(ctx, dsn, opt)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL queue: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, dsn string, opt Options) (*Store, error) {
	if opt.Create && opt.ReadOnly {
		return nil, fmt.Errorf("%w: Create and ReadOnly exclude each other", queue.ErrInvalid)
	}
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("%w DSN: %w", queue.ErrInvalid, err) // pgx hides the password
	}
	s := &Store{id: uuid.NewString(), opened: time.Now(), readOnly: opt.ReadOnly, watchers: make(map[*watcher]bool)}
	if s.pool, err = pgxpool.NewWithConfig(ctx, s.configure(cfg, dsn)); err != nil {
		return nil, err
	}
	s.close = sync.OnceFunc(s.shut)
	s.enqueues = newBatcher(&s.work, maxBatch, s.enqueue)
	s.leases = newBatcher(&s.work, maxBatch, s.lease)
	s.settles = newBatcher(&s.work, maxBatch, s.settle)
	s.beats = newBatcher(&s.work, maxBatch, s.heartbeat)
	err = s.migrate(ctx, opt)
	if err == nil {
		err = s.addMarks(ctx)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *Store) configure(cfg *pgxpool.Config, dsn string) *pgxpool.Config {
	if !strings.Contains(dsn, "pool_max_conns") {
		cfg.MaxConns = connections
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "quire"
	}
	s.unnamed.Store(cfg.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement)
	cfg.BeforeConnect = func(_ context.Context, cc *pgx.ConnConfig) error {
		if s.unnamed.Load() && cc.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
			cc.DefaultQueryExecMode = pgx.QueryExecModeExec
		}
		return nil
	}
	// A connection that died in the pool is noticed by its use, and replaced.
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	return cfg
}

// Close waits for the operations under way and closes the connections.
// Operations that begin later return an error. Closing again does nothing.
func (s *Store) Close() error {
	s.close()
	return nil
}

func (s *Store) shut() {
	s.enqueues.close()
	s.leases.close()
	s.settles.close()
	s.beats.close()
	s.announce.close()
	s.work.Wait()
	s.dropMarks()
	s.closed.Store(true)
	s.pool.Close()
}

var (
	errClosed   = errors.New("store is closed")
	errReadOnly = errors.New("store is open for reading only")
	errNoMarks  = errors.New("the rows of this store in quire.marks are gone: open it again")
)
