package orchestrator_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// A laptop that slept for an hour, or a clock that was set, must not make the
// run take its own live leases for those of the dead.
func TestRun_keepsItsLeasesWhenTheClockJumps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		enqueue(t, s, "host:a", 1)
		var jump atomic.Int64
		h := newCounter(func(context.Context, string, queue.Job) queue.Outcome {
			time.Sleep(30*time.Second + 500*time.Millisecond)
			// The fake clock cannot jump, but to the store this is the same.
			if _, err := db.ExecContext(t.Context(), `UPDATE jobs SET due = due - 3600000 WHERE state = 2`); err != nil {
				t.Error(err)
			}
			jump.Store(int64(time.Hour))
			time.Sleep(time.Minute)
			return done
		})
		sum := run(t.Context(), t, s, h, orchestrator.Config{Drain: true, LeaseTTL: 10 * time.Minute, Heartbeat: time.Minute}.
			WithWall(func() time.Time { return time.Now().Add(time.Duration(jump.Load())) }))
		if n := h.perJob["host:a/0"]; sum.Done != 1 || n != 1 {
			t.Errorf("Run = %+v after %d tries, want one done after one", sum, n)
		}
	})
}
