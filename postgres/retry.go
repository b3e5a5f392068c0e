package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// patience is for how long an operation looks for a server that works.
	patience = 30 * time.Second
	// Waits between tries grow from the first to the second, and vary.
	firstPause, longestPause = 20 * time.Millisecond, time.Second
)

// retry calls f again while its error is one that may pass, until ctx or our
// patience ends.
func (s *Store) retry(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pause := firstPause
	for {
		err := f(ctx)
		if err == nil || !s.passes(err) {
			return err
		}
		if !sleep(ctx, pause/2+rand.N(pause)) {
			return err // says more than ctx's
		}
		pause = min(2*pause, longestPause)
	}
}

// Codes of errors, https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	codeSerialization    = "40001"
	codeDeadlock         = "40P01"
	codeUnique           = "23505"
	codeReadOnly         = "25006" // a standby, until the name leads to the new primary
	codeIdle             = "25P03" // we were too slow
	codeTooMany          = "53300"
	codeAdminShutdown    = "57P01"
	codeCrashShutdown    = "57P02"
	codeCannotConnect    = "57P03"
	codeUnknownStatement = "26000"
	codeStatementTwice   = "42P05"
	codePlanChanged      = "0A000"
	codeNoSchema         = "3F000"
	codeNoTable          = "42P01"
	codeInvalidParameter = "22023"
	codeNoColumn         = "42703"
)

// code is that of an error of the server, empty if it is none.
func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// passes reports whether doing the same again may help.
func (s *Store) passes(err error) bool {
	switch c := code(err); c {
	case "":
		_, lost := errors.AsType[*lostError](err)
		_, unknown := errors.AsType[*unknownError](err)
		return lost && !unknown
	case codeSerialization, codeDeadlock, codeUnique, codeReadOnly, codeIdle,
		codeTooMany, codeAdminShutdown, codeCrashShutdown, codeCannotConnect:
		return true
	case codeUnknownStatement, codeStatementTwice:
		// A transaction pooler gave us connections on which others prepared other
		// statements than we did. Statements without names work there.
		if s.unnamed.CompareAndSwap(false, true) {
			s.pool.Reset()
		}
		return true
	default:
		return len(c) == 5 && c[:2] == "08"
	}
}

// lostError says that a connection broke, or that none could be made.
type lostError struct{ err error }

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// refused reports whether the server understood and said no.
func refused(err error) bool {
	_, lost := errors.AsType[*lostError](err)
	return code(err) != "" && !lost
}

// sleep waits and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
