package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	"github.com/quire-dev/quire/queue"
)

// How often Watch looks at the bell, the time of a file that every process sets
// after a commit that others should know of: often while it rings, seldom while
// all is quiet. A look costs about 2 µs.
const (
	lookBusy   = time.Millisecond
	lookIdle   = 40 * time.Millisecond
	busyFor    = time.Second // how long after a ring looks are frequent
	lookDeeper = time.Second // how often it asks SQLite for commits by those who do not ring
)

// Watch implements [queue.Store]. It wakes at once, and with what arrived, for
// this Store; for others within a millisecond while there is traffic and within
// 40 ms when there was none for a second; and when it begins. It returns nil when
// ctx ends.
func (s *Store) Watch(ctx context.Context, wake func([]queue.KeyBacklog)) error {
	version, done, err := s.versions(ctx)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer done()
	if s.w != nil {
		if f, err := os.OpenFile(s.runFile(), os.O_CREATE|os.O_RDWR, fileMode); err == nil {
			_ = f.Close() // without it nobody rings, and commits show at the deeper looks
		}
	}
	w := &watcher{wake: wake}
	s.mu.Lock()
	s.watchers[w] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.watchers, w)
		s.mu.Unlock()
	}()
	seen, err := version()
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("watch: %w", explained(err))
	}
	wake(nil) // for what was committed before the first look
	rung, deep := s.bell(), time.Now()
	for every := lookIdle; ; {
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return nil
		}
		now := time.Now()
		if at := s.bell(); !at.Equal(rung) {
			rung, every = at, lookBusy
		} else if every = pace(now, rung); now.Sub(deep) < lookDeeper {
			continue
		}
		deep = now
		v, err := version()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch: %w", explained(err))
		}
		if v != seen {
			seen = v
			wake(nil)
		}
	}
}

// pace is how soon to look again at a bell that rang last at some time.
func pace(now, rung time.Time) time.Duration {
	if now.Sub(rung) < busyFor {
		return lookBusy
	}
	return lookIdle
}

// versions returns a function that reads a number which changes when another
// connection has committed. The writing connection is the one to ask: to it,
// this Store's own commits are no change.
func (s *Store) versions(ctx context.Context) (version func() (int64, error), done func(), err error) {
	if s.w != nil {
		return func() (v int64, err error) {
			err = s.w.do(ctx, op{outside: true, run: func(t *tx) (err error) {
				v, err = t.integer(versionQuery)
				return err
			}})
			return v, err
		}, func() {}, nil
	}
	conn, err := s.rdb.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	return func() (v int64, err error) {
		err = conn.QueryRowContext(ctx, versionQuery).Scan(&v)
		return v, err
	}, func() { closeConn(conn) }, nil
}

// closeConn gives a connection back to its pool.
func closeConn(conn *sql.Conn) { _ = conn.Close() }

// A watcher is a call of Watch.
type watcher struct{ wake func([]queue.KeyBacklog) }

// arrivals are rows that a transaction made ready.
type arrivals struct {
	rows  int
	other bool // something else has changed, too
	keys  []queue.KeyBacklog
	index map[string]int // of keys, once there are several
}

// changed stands for anything that others should know of.
func changed() *arrivals { return &arrivals{rows: 1, other: true} }

// add notes a row.
func (a *arrivals) add(key string, ready bool) {
	a.rows++
	if !ready {
		a.other = true // the time when it becomes ready matters
		return
	}
	i, ok := a.find(key)
	if !ok {
		i = len(a.keys)
		a.keys = append(a.keys, queue.KeyBacklog{Key: key})
		if a.index != nil {
			a.index[key] = i
		}
	}
	a.keys[i].Ready++
}

// find returns where key is. Most calls are for one key: they need no map.
func (a *arrivals) find(key string) (int, bool) {
	switch {
	case len(a.keys) == 0:
		return 0, false
	case a.keys[len(a.keys)-1].Key == key:
		return len(a.keys) - 1, true
	case a.index == nil:
		a.index = make(map[string]int)
		for i, k := range a.keys {
			a.index[k.Key] = i
		}
	}
	i, ok := a.index[key]
	return i, ok
}

// tell wakes the watchers of this Store and rings for those of others.
func (s *Store) tell(a *arrivals) {
	if a.rows > 0 {
		s.wake(a)
		ring(s.runFile())
	}
}

// wake wakes the watchers of this Store.
func (s *Store) wake(a *arrivals) {
	arrived := a.keys
	if a.other {
		arrived = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		w.wake(arrived)
	}
}

// ring sets the time of the bell.
func ring(path string) {
	now := time.Now()
	_ = os.Chtimes(path, now, now) // if it is missing, nobody has ever run this queue
}

// runFile is the file whose lock is the right to run and whose time is the bell.
func (s *Store) runFile() string { return runFile(s.path) }

func runFile(path string) string { return path + ".run" }

// bell is when somebody rang last.
func (s *Store) bell() time.Time {
	info, err := os.Stat(s.runFile())
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
