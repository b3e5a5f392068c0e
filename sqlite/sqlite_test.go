package sqlite_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/internal/storetest"
	"github.com/quire-dev/quire/sqlite"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, check storetest.Check) {
		path := filepath.Join(t.TempDir(), "quire.db")
		synctest.Test(t, func(t *testing.T) { // the store's clock is the bubble's
			check(t, open(t, path), time.Sleep)
		})
	})
	storetest.RunPair(t, func(t *testing.T, check storetest.PairCheck) {
		path := filepath.Join(t.TempDir(), "quire.db")
		synctest.Test(t, func(t *testing.T) {
			check(t, open(t, path), open(t, path), time.Sleep)
		})
	})
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
