package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/quire-dev/quire/internal/need"
)

// Shared is one server for the tests of a package, started by the first that asks
// for it. The zero value is ready.
type Shared struct {
	Settings []string

	once sync.Once
	s    *Server
	err  error
}

// Server returns the server. Where there is none the test is skipped, or fails if
// QUIRE_TEST_REQUIRE names postgres.
func (sh *Shared) Server(t testing.TB) *Server {
	t.Helper()
	s, err := sh.Get()
	Need(t, err)
	return s
}

// Get returns the server, or [ErrMissing] where there is none.
func (sh *Shared) Get() (*Server, error) {
	sh.once.Do(func() { sh.s, sh.err = Start(context.Background(), sh.Settings...) })
	return sh.s, sh.err
}

// Need skips a test if err says that PostgreSQL is missing, and fails it for
// other errors, or if QUIRE_TEST_REQUIRE names postgres.
func Need(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrMissing) {
		need.Or(t, "postgres", err)
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
}

// Main runs the tests of a package and then stops the server. It returns the exit
// code, for TestMain.
func (sh *Shared) Main(m *testing.M) int {
	code := m.Run()
	return max(code, sh.Stop())
}

// Stop stops the server if it was started, and returns the exit code that this
// gives.
func (sh *Shared) Stop() int {
	if sh.s == nil {
		return 0
	}
	if err := sh.s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		return 1
	}
	return 0
}
