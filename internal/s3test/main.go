package s3test

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
	once sync.Once
	s    *Server
	err  error
}

// Server returns the server. Where there is none the test is skipped, or fails if
// QUIRE_TEST_REQUIRE names s3.
func (sh *Shared) Server(t testing.TB) *Server {
	t.Helper()
	s, err := sh.Get()
	Need(t, err)
	return s
}

// Get returns the server, or [ErrMissing] where there is none.
func (sh *Shared) Get() (*Server, error) {
	sh.once.Do(func() { sh.s, sh.err = Start(context.Background(), false) })
	return sh.s, sh.err
}

// Need skips a test if err says that the server is missing, and fails it for other
// errors, or if QUIRE_TEST_REQUIRE names s3.
func Need(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrMissing) {
		need.Or(t, "s3", err)
	}
	if err != nil {
		t.Fatalf("start S3 server: %v", err)
	}
}

// Stop stops the server if it was started, and returns the exit code that this
// gives.
func (sh *Shared) Stop() int {
	if sh.s == nil {
		return 0
	}
	if err := sh.s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop S3 server:", err)
		return 1
	}
	return 0
}

// SetKeys puts the server's keys into this process's environment, where programs
// that are started find them, too.
func SetKeys() error {
	var errs []error
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": AccessKey, "AWS_SECRET_ACCESS_KEY": SecretKey, "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "",
	} {
		errs = append(errs, os.Setenv(name, value))
	}
	return errors.Join(errs...)
}
