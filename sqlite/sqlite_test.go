package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/internal/storetest"
	"github.com/quire-dev/quire/sqlite"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, inBubble)
}

// inBubble calls check with a new database, in fake time: the stores' clock is
// the bubble's.
func inBubble(t *testing.T, check storetest.Check) {
	db := storetest.Database{Open: opener(filepath.Join(t.TempDir(), "quire.db")), Advance: time.Sleep}
	synctest.Test(t, func(t *testing.T) { check(t, db) })
}

// opener opens the database at path, made if need be.
func opener(path string) func(context.Context) (storetest.Store, error) {
	return func(ctx context.Context) (storetest.Store, error) {
		return sqlite.Open(ctx, path, sqlite.Options{Create: true})
	}
}

// open opens the database at path, made if need be, until the test ends.
func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}
