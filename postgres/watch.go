package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/quire-dev/quire/queue"
)

const (
	// pollEvery is how often Watch looks for announcements that it can't hear.
	pollEvery = time.Second
	// probeWait is for how long Watch waits to hear itself.
	probeWait = 2 * time.Second
	// listenAgain is how long Watch polls before it tries again to listen.
	listenAgain = 30 * time.Second
	// quietFor is for how long a connection may be silent before it is tested.
	quietFor = 30 * time.Second
)

// watcher is a Watch under way.
type watcher struct{ wake func([]queue.KeyBacklog) }

// Watch implements [queue.Store]. It wakes for this Store's Enqueue, Requeue,
// Cancel, Pause and Resume at once, and for what other processes do when the
// server passes on their announcement, within some 15 ms. For that it listens on a
// connection of its own. Where that does not work, as behind a transaction pooler,
// it looks every second. It also wakes when it begins, and when it may have missed
// something. It returns nil when ctx ends.
func (s *Store) Watch(ctx context.Context, wake func([]queue.KeyBacklog)) error {
	if s.closed.Load() {
		return fmt.Errorf("watch: %w", errClosed)
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
	for ctx.Err() == nil && !s.closed.Load() {
		s.listen(ctx, wake)
		s.poll(ctx, wake)
	}
	return nil
}

// wake wakes the watchers of this store.
func (s *Store) wake(came []queue.KeyBacklog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		w.wake(came)
	}
}

// listen passes on announcements until it cannot hear them any more.
func (s *Store) listen(ctx context.Context, wake func([]queue.KeyBacklog)) {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil || !s.hears(ctx, conn) {
		return
	}
	wake(nil)
	for {
		n, err := next(ctx, conn, quietFor)
		if quiet(ctx, err) {
			if n, err = nil, conn.Ping(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return
		}
		var said notice
		switch json.Unmarshal([]byte(n.Payload), &said) {
		case nil:
			if said.By != s.id {
				wake(said.list())
			}
		default:
			wake(nil)
		}
	}
}

// hears reports whether conn gets what another connection announces.
func (s *Store) hears(ctx context.Context, conn *pgx.Conn) bool {
	probe := notice{By: s.id}
	text, _ := json.Marshal(probe) // a string
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	if err := s.exec(ctx, `SELECT pg_notify($1::text, $2::text)`, channel, string(text)); err != nil {
		return false
	}
	for end := time.Now().Add(probeWait); ; {
		n, err := next(ctx, conn, time.Until(end))
		if err != nil {
			return false
		}
		if n.Payload == string(text) {
			return true
		}
	}
}

// next waits for an announcement.
func next(ctx context.Context, conn *pgx.Conn, most time.Duration) (*pgconn.Notification, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return conn.WaitForNotification(ctx)
}

// quiet reports whether err of next says only that nothing came.
func quiet(ctx context.Context, err error) bool {
	return ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded)
}

func (n notice) list() (keys []queue.KeyBacklog) {
	for _, c := range n.Came {
		keys = append(keys, queue.KeyBacklog{Key: c.Key, Ready: c.N})
	}
	return keys
}

// poll looks for announcements for a while.
func (s *Store) poll(ctx context.Context, wake func([]queue.KeyBacklog)) {
	ctx, cancel := context.WithTimeout(ctx, listenAgain)
	defer cancel()
	wake(nil)
	for seen := int64(-1); !s.closed.Load(); {
		now, err := s.announced(ctx)
		if err == nil && now != seen {
			wake(nil) // also after the first look, for what was announced before it
			seen = now
		}
		if !sleep(ctx, pollEvery) {
			return
		}
	}
}

// announced is how often something was announced, in any process.
func (s *Store) announced(ctx context.Context) (n int64, err error) {
	const query = `SELECT last_value + is_called::integer FROM quire.announced`
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	err = s.read(ctx, func(_ context.Context, t *tx) error {
		t.queue(query, func(rows pgx.Rows) error { return rows.Scan(&n) })
		return nil
	})
	return n, err
}
