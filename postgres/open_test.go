package postgres_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
)

func TestOpen_missing(t *testing.T) {
	t.Parallel()
	dsn := server.Server(t).Open(t)
	for _, opt := range []postgres.Options{{}, {ReadOnly: true}} {
		if _, err := postgres.Open(t.Context(), dsn, opt); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Open(%+v) of a database without a queue: got %v, want ErrNotExist", opt, err)
		}
	}
	open(t, dsn)
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatalf("Open of one that was created: %v", err)
	}
	s.Close()
}

func TestOpen_refused(t *testing.T) {
	t.Parallel()
	srv := server.Server(t)
	newer := srv.Open(t)
	open(t, newer)
	execute(t, newer, "INSERT INTO quire.schema (version) VALUES (1000)")
	foreign, named := srv.Open(t), srv.Open(t)
	execute(t, foreign, "CREATE SCHEMA quire; CREATE TABLE quire.jobs (n int)")
	execute(t, named, "CREATE SCHEMA quire; CREATE TABLE quire.schema (n int)")
	tests := map[string]struct {
		dsn  string
		want error
	}{
		"a newer program's":    {newer, queue.ErrNewer},
		"tables of others":     {foreign, queue.ErrDamaged},
		"a schema of others":   {named, queue.ErrDamaged},
		"no DSN":               {"postgres://%", queue.ErrInvalid},
		"no server":            {"postgres:///x?host=/nonexistent", nil},
		"no such database":     {srv.DSN("nonexistent"), nil},
		"both kinds of option": {newer, nil},
	}
	for name, tt := range tests {
		start := time.Now()
		for _, opt := range []postgres.Options{{Create: true}, {ReadOnly: true}} {
			_, err := postgres.Open(t.Context(), tt.dsn, opt)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%s, %+v: got %v, want %v", name, opt, err, tt.want)
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %v to refuse", name, took)
		}
	}
	_, err := postgres.Open(t.Context(), newer, postgres.Options{Create: true, ReadOnly: true})
	if !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("Create and ReadOnly: got %v", err)
	}
	_, err = postgres.Open(t.Context(), "postgres://me:secret@/x?host=/nonexistent", postgres.Options{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an error must not tell the password: %v", err)
	}
}

// Of processes that migrate at once each finds the schema whole.
func TestOpen_together(t *testing.T) {
	t.Parallel()
	for range 5 {
		dsn := server.Server(t).Open(t)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				s, err := postgres.Open(t.Context(), dsn, postgres.Options{Create: true})
				if err != nil {
					t.Errorf("Open: %v", err)
					return
				}
				defer s.Close()
				if _, err := s.Enqueue(t.Context(), newJobs(0, 1)); err != nil {
					t.Errorf("Enqueue: %v", err)
				}
			})
		}
		all.Wait()
	}
}

func TestOpen_readOnly(t *testing.T) {
	t.Parallel()
	dsn := server.Server(t).Open(t)
	w := open(t, dsn)
	enqueue(t, w, newJobs(0, 2)...)
	later := queue.NewJob{ArtifactID: "later", Key: "k", Delay: time.Minute}
	enqueue(t, w, later)
	l := leaseOne(t, w)
	age(t, dsn, time.Hour)
	if err := w.SaveKeyNotes(t.Context(), queue.KeyNote{Key: "k", Doc: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	r, err := postgres.Open(t.Context(), dsn, postgres.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before, err := w.Jobs(t.Context(), queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"Enqueue": func() error { _, err := r.Enqueue(t.Context(), newJobs(9, 1)); return err },
		"Lease": func() error {
			_, err := r.Lease(t.Context(), "me", []queue.Want{{Key: "k", N: 1}}, time.Minute)
			return err
		},
		"Heartbeat":    func() error { _, err := r.Heartbeat(t.Context(), time.Minute, l); return err },
		"Settle":       func() error { _, err := r.Settle(t.Context(), done([]queue.Lease{l})...); return err },
		"Reap":         func() error { _, err := r.Reap(t.Context(), 1); return err },
		"Requeue":      func() error { _, err := r.Requeue(t.Context(), queue.Filter{}); return err },
		"Cancel":       func() error { _, err := r.Cancel(t.Context(), queue.Filter{}); return err },
		"Prune":        func() error { _, err := r.Prune(t.Context(), queue.Filter{}); return err },
		"Pause":        func() error { return r.Pause(t.Context(), "") },
		"Resume":       func() error { return r.Resume(t.Context(), "") },
		"SaveKeyNotes": func() error { return r.SaveKeyNotes(t.Context(), queue.KeyNote{Key: "k"}) },
		"LockRunner":   func() error { _, _, err := r.LockRunner(t.Context()); return err },
	} {
		if err := f(); err == nil {
			t.Errorf("%s changed a store that is open for reading", name)
		}
	}
	if _, until, err := r.Backlog(t.Context()); err != nil || until != 0 {
		t.Errorf("Backlog: until %v, %v; want 0, as something is due that it may not mark", until, err)
	}
	if notes, err := r.KeyNotes(t.Context()); err != nil || len(notes) != 1 {
		t.Errorf("KeyNotes: %v, %v; want the one that was there", notes, err)
	}
	after, err := r.Jobs(t.Context(), queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" || len(after) != 3 {
		t.Errorf("jobs changed:\n%s", diff)
	}
}

// With many jobs due at once Backlog marks some at a time and says so.
func TestBacklog_manyAtOnce(t *testing.T) {
	t.Parallel()
	const n = 12_000
	dsn := server.Server(t).Open(t)
	s := open(t, dsn)
	jobs := newJobs(0, n)
	for i := range jobs {
		jobs[i].Delay = time.Hour
	}
	enqueue(t, s, jobs...)
	age(t, dsn, time.Hour)
	if st, err := s.Stats(t.Context()); err != nil || st.Ready != n || st.Delayed != 0 {
		t.Errorf("Stats: %d ready, %d delayed, %v", st.Ready, st.Delayed, err)
	}
	keys, until, err := s.Backlog(t.Context())
	if err != nil || until != 0 || keys[0].Ready+keys[0].Delayed != n || keys[0].Ready == 0 {
		t.Errorf("Backlog: %+v, %v, %v", keys, until, err)
	}
	keys, until, err = s.Backlog(t.Context())
	if err != nil || until >= 0 || keys[0].Ready != n {
		t.Errorf("second Backlog: %+v, %v, %v", keys, until, err)
	}
}
