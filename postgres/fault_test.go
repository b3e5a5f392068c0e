package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
)

// leaseOne leases a job at the key of newJobs.
func leaseOne(t *testing.T, s *postgres.Store) queue.Lease {
	t.Helper()
	leases, err := s.Lease(t.Context(), "me", []queue.Want{{Key: newJobs(0, 1)[0].Key, N: 1}}, time.Minute)
	if err != nil || len(leases) != 1 {
		t.Fatalf("Lease: got %v, %v", leases, err)
	}
	return leases[0]
}

func enqueue(t *testing.T, s *postgres.Store, jobs ...queue.NewJob) {
	t.Helper()
	got, err := s.Enqueue(t.Context(), jobs)
	if want := (queue.Enqueued{Added: len(jobs)}); err != nil || got != want {
		t.Fatalf("Enqueue: got %+v, %v; want %+v", got, err, want)
	}
}

// A connection that dies at the commit leaves open what happened. Each method
// answers as if nothing had: what was committed is not done again, what was not is.
func TestStore_cutAtCommit(t *testing.T) {
	t.Parallel()
	tests := map[string]func(p *proxy){
		"before":       func(p *proxy) { p.cutAfter.Store(0); p.cutBefore.Store(1) },
		"after":        func(p *proxy) { p.cutBefore.Store(0); p.cutAfter.Store(1) },
		"before twice": func(p *proxy) { p.cutAfter.Store(0); p.cutBefore.Store(2) },
		"both":         func(p *proxy) { p.cutBefore.Store(1); p.cutAfter.Store(1) },
	}
	for name, arm := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, server.Server(t).Open(t))
			s := open(t, p.dsn+"&pool_max_conns=1") // with no other to ask on
			arm(p)
			enqueue(t, s, newJobs(0, 3)...)
			arm(p)
			l := leaseOne(t, s)
			if l.Job.Attempts != 1 || l.Token != 1 {
				t.Errorf("leased for the %d. time, token %d", l.Job.Attempts, l.Token)
			}
			arm(p)
			if lost, err := s.Heartbeat(t.Context(), time.Minute, l); err != nil || len(lost) > 0 {
				t.Errorf("Heartbeat: lost %v, %v", lost, err)
			}
			arm(p)
			errs, err := s.Settle(t.Context(), done([]queue.Lease{l})...)
			if err := errors.Join(append(errs, err)...); err != nil {
				t.Errorf("Settle: %v", err)
			}
			arm(p)
			if n, err := s.Cancel(t.Context(), queue.Filter{}); err != nil || n != 2 {
				t.Errorf("Cancel: %d, %v", n, err)
			}
			arm(p)
			if n, err := s.Prune(t.Context(), queue.Filter{States: []queue.State{queue.Skipped}}); err != nil || n != 2 {
				t.Errorf("Prune: %d, %v", n, err)
			}
			p.cutBefore.Store(0)
			p.cutAfter.Store(0)
			st, err := s.Stats(t.Context())
			if err != nil || st.Done != 1 || st.Total() != 1 {
				t.Errorf("Stats: %+v, %v", st, err)
			}
		})
	}
}

// Cut connections are replaced, and nobody notices.
func TestStore_cut(t *testing.T) {
	t.Parallel()
	p := newProxy(t, server.Server(t).Open(t))
	s := open(t, p.dsn)
	for i := range 20 {
		enqueue(t, s, newJobs(i, 1)...)
		p.cut()
		if st, err := s.Stats(t.Context()); err != nil || st.Ready != i+1 {
			t.Fatalf("Stats: %+v, %v", st, err)
		}
		p.cut()
	}
}

// With no server there, an operation ends with its context.
func TestStore_noServer(t *testing.T) {
	t.Parallel()
	p := newProxy(t, server.Server(t).Open(t))
	s := open(t, p.dsn)
	p.listener.Close()
	p.cut()
	for name, f := range map[string]func(context.Context) error{
		"Stats": func(ctx context.Context) error { _, err := s.Stats(ctx); return err },
		"Enqueue": func(ctx context.Context) error {
			_, err := s.Enqueue(ctx, newJobs(0, 1))
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if err := f(ctx); err == nil {
			t.Errorf("%s: no error", name)
		}
		if ctx.Err() == nil {
			t.Errorf("%s gave up before its context ended", name)
		}
		cancel()
	}
}
