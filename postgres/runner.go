package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

const (
	// The right to run is a lease of runnerTTL by the server's clock, extended
	// every runnerBeat; who waits for it looks every runnerPoll.
	runnerTTL  = 15 * time.Second
	runnerBeat = 5 * time.Second
	runnerPoll = 500 * time.Millisecond
)

// errTaken is the cause by which a runner's context ends when its right has.
var errTaken = errors.New("another process runs this queue now")

// LockRunner waits until this Store may run jobs. One Store at a time has the
// right, among all processes that use the database, so that a cap or pace kept in
// memory holds for all of them. held is derived from ctx and ends, with a cause,
// when the right is lost: when this process was frozen or cut off for 15 s, and
// another took over. release gives the right up; it must be called, and calling
// it again does nothing.
//
// Leases that the runner before has left behind end at once. Should it live on
// somewhere, the fences of its leases keep it from doing harm.
func (s *Store) LockRunner(ctx context.Context) (held context.Context, release func(), err error) {
	if s.readOnly {
		return nil, nil, fmt.Errorf("lock for running: %w", errReadOnly)
	}
	token, asked, err := s.waitForRight(ctx)
	if err != nil {
		return nil, nil, err
	}
	held, release = s.hold(ctx, token, asked)
	return held, release, nil
}

// waitForRight returns the token of the right, and when it was asked for.
func (s *Store) waitForRight(ctx context.Context) (token int64, asked time.Time, err error) {
	for {
		asked = time.Now()
		token, err = s.takeRight(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			return 0, asked, fmt.Errorf("lock for running: %w", err)
		case token > 0:
			return token, asked, nil
		}
		if !sleep(ctx, runnerPoll) {
			return 0, asked, fmt.Errorf("wait for the process that runs this queue: %w", ctx.Err())
		}
	}
}

const (
	takeQuery = `
	INSERT INTO quire.runner AS r (token, owner, expires_at)
	VALUES (1, $1::text, clock_timestamp() + $2::bigint * interval '1 microsecond')
	ON CONFLICT (one) DO UPDATE SET token = r.token + 1, owner = excluded.owner, expires_at = excluded.expires_at
	WHERE r.expires_at <= clock_timestamp() RETURNING token`
	// With the right taken over, whoever took these leases has gone.
	endLeasesQuery = `
	UPDATE quire.leased SET lease_expires_at = (SELECT clock_timestamp()) WHERE lease_expires_at > (SELECT clock_timestamp())`
	renewQuery = `
	UPDATE quire.runner SET expires_at = clock_timestamp() + $2::bigint * interval '1 microsecond' WHERE token = $1::bigint RETURNING token`
	releaseQuery = `UPDATE quire.runner SET expires_at = '-infinity' WHERE token = $1::bigint`
)

// takeRight takes the right if it is free, and returns its token, 0 if not.
func (s *Store) takeRight(ctx context.Context) (token int64, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		token = 0
		t.queue(takeQuery, func(rows pgx.Rows) error { return rows.Scan(&token) }, process(), micros(runnerTTL))
		if err := t.flush(ctx); err != nil || token == 0 {
			return err
		}
		t.queue(endLeasesQuery, nil)
		return nil
	})
	return token, err
}

// process names this process, to people who want to know who runs the queue.
func process() string {
	host, err := os.Hostname()
	if err != nil || !utf8.ValidString(host) || strings.ContainsRune(host, 0) {
		host = "an unknown machine"
	}
	return fmt.Sprintf("process %d of %s", os.Getpid(), host)
}

// hold keeps the right until release is called or it is lost.
func (s *Store) hold(ctx context.Context, token int64, asked time.Time) (held context.Context, release func()) {
	held, lose := context.WithCancelCause(ctx)
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.renew(renewing, token, asked, lose)
	}()
	return held, sync.OnceFunc(func() {
		stop()
		<-ended
		lose(context.Canceled)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), runnerBeat)
		defer cancel()
		_ = s.write(ctx, func(_ context.Context, t *tx) error { // if it fails, the right runs out
			t.queue(releaseQuery, nil, token)
			return nil
		})
	})
}

// renew extends the right until ctx ends. It counts from when it asked for the
// right, so by our clock it is lost before it is by the server's.
func (s *Store) renew(ctx context.Context, token int64, asked time.Time, lose func(error)) {
	tick := time.NewTicker(runnerBeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		mine, err := s.renewOnce(ctx, token, asked.Add(runnerTTL))
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && mine:
			asked = now
		case err == nil:
			lose(errTaken)
			return
		case time.Since(asked) >= runnerTTL:
			lose(fmt.Errorf("the right to run this queue ran out: %w", err))
			return
		}
	}
}

// renewOnce extends the right, if it is still ours, trying until deadline.
func (s *Store) renewOnce(ctx context.Context, token int64, deadline time.Time) (mine bool, err error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	err = s.write(ctx, func(_ context.Context, t *tx) error {
		mine = false
		t.queue(renewQuery, func(pgx.Rows) error {
			mine = true
			return nil
		}, token, micros(runnerTTL))
		return nil
	})
	return mine, err
}
