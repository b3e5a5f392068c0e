package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/quire-dev/quire/queue"
)

// pollEvery is how often Watch looks whether another connection has committed.
// A look costs about 20 µs.
const pollEvery = 40 * time.Millisecond

// Watch implements [queue.Store]. It wakes for this Store's Enqueue and Requeue
// at once, for any commit of others within 40 ms, and when it begins. It returns
// nil when ctx ends.
func (s *Store) Watch(ctx context.Context, wake func([]queue.KeyBacklog)) error {
	woken := make(chan struct{}, 1)
	s.mu.Lock()
	s.watchers[woken] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.watchers, woken)
		s.mu.Unlock()
	}()

	version, done, err := s.versions(ctx)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer done()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	wake(nil) // for what was committed before the first look
	for seen := int64(-1); ; {
		now, err := version()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch: %w", explained(err))
		}
		if seen >= 0 && now != seen {
			wake(nil)
		}
		seen = now
		select {
		case <-ticker.C:
		case <-woken:
			wake(nil)
		case <-ctx.Done():
			return nil
		}
	}
}

// versions returns a function that reads a number which changes when another
// connection has committed. The writing connection is the one to ask: to it,
// this Store's own commits are no change.
func (s *Store) versions(ctx context.Context) (version func() (int64, error), done func(), err error) {
	const query = `PRAGMA data_version`
	if s.w != nil {
		return func() (v int64, err error) {
			err = s.w.do(ctx, op{outside: true, run: func(t *tx) (err error) {
				v, err = t.number(query)
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
		err = conn.QueryRowContext(ctx, query).Scan(&v)
		return v, err
	}, func() { closeConn(conn) }, nil
}

// closeConn gives a connection back to its pool.
func closeConn(conn *sql.Conn) { _ = conn.Close() }

// wake tells the watchers of this Store that there may be ready jobs.
func (s *Store) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for woken := range s.watchers {
		select {
		case woken <- struct{}{}:
		default: // it has not yet seen the last one
		}
	}
}
