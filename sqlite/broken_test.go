package sqlite_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// A database with a page overwritten may open. Whatever is asked of it then, and
// whatever is written, gives an answer or an error that says that the file is
// damaged; it never ends the program.
func TestStore_pageOverwritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.db")
	s, err := sqlite.Open(t.Context(), whole, sqlite.Options{Create: true})
	check(t, err)
	_, err = s.Enqueue(t.Context(), newJobs(0, 150))
	check(t, err)
	check(t, s.Close())
	content, err := os.ReadFile(whole)
	check(t, err)
	const page = 4096
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	damaged := 0
	for n := 1; n < len(content)/page; n++ {
		broken := append([]byte(nil), content...)
		for i := range page {
			broken[n*page+i] = byte(random.Uint32())
		}
		path := filepath.Join(dir, "broken.db")
		write(t, path, broken)
		for name, err := range useAll(t.Context(), path) {
			if err == nil {
				continue
			}
			damaged++
			if !errors.Is(err, queue.ErrDamaged) {
				t.Errorf("page %d, %s: got %v, want ErrDamaged", n, name, err)
			}
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(path + suffix)
		}
	}
	if damaged == 0 {
		t.Error("no damage was noticed at all")
	}
}

// useAll opens a database, and reads and writes in it.
func useAll(ctx context.Context, path string) map[string]error {
	errs := make(map[string]error)
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	errs["Open"] = err
	if err != nil {
		return errs
	}
	_, errs["Stats"] = s.Stats(ctx)
	_, errs["Jobs"] = s.Jobs(ctx, queue.Filter{})
	_, _, errs["Backlog"] = s.Backlog(ctx)
	_, errs["Enqueue"] = s.Enqueue(ctx, newJobs(145, 10))
	leases, err := s.Lease(ctx, "me", []queue.Want{{Key: newJob(0).Key, N: 5}}, time.Minute)
	errs["Lease"] = err
	if len(leases) > 0 {
		_, errs["Settle"] = s.Settle(ctx, queue.Settlement{Lease: leases[0], Verb: queue.Finish, State: queue.Done})
	}
	_, errs["Cancel"] = s.Cancel(ctx, queue.Filter{Limit: 100})
	_, errs["Prune"] = s.Prune(ctx, queue.Filter{})
	errs["Close"] = s.Close()
	return errs
}

// A database that another process has locked is waited for, and who can't wait
// that long is told what was in the way.
func TestOpen_locked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quire.db")
	filled(t, path)
	release := hold(t, outside(t, path))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if s, err := sqlite.Open(ctx, path, sqlite.Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Open of a locked database: got %v, %v", s, err)
	}
	reader, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true})
	check(t, err)
	if n := total(t, reader); n != 3 {
		t.Errorf("a reader sees %d jobs, want 3: writers do not lock it out", n)
	}
	check(t, reader.Close())

	opened := make(chan error, 1)
	go func() {
		s, err := sqlite.Open(context.WithoutCancel(t.Context()), path, sqlite.Options{})
		if err == nil {
			_, err = s.Enqueue(context.WithoutCancel(t.Context()), newJobs(3, 1))
			err = errors.Join(err, s.Close())
		}
		opened <- err
	}()
	release()
	if err := <-opened; err != nil {
		t.Errorf("once the lock was free: %v", err)
	}
}
