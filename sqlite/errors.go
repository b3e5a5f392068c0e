package sqlite

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	driver "modernc.org/sqlite"

	"github.com/quire-dev/quire/queue"
)

var (
	errClosed   = errors.New("store is closed")
	errReadOnly = errors.New("store is open for reading only")
)

// Primary result codes, https://www.sqlite.org/rescode.html.
const (
	codeBusy    = 5
	codeIO      = 10
	codeCorrupt = 11
	codeFull    = 13
	codeNotADB  = 26

	// codeShmSize, of those of codeIO, says that there is no room for what readers and
	// writers share.
	codeShmSize = codeIO | 19<<8
)

// busyLimit is how long a writer waits for other processes' transactions.
const busyLimit = 30 * time.Second

// code is the primary result code of an error of SQLite, 0 if it is none.
func code(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// explained marks the errors by which SQLite says that the file is broken, that
// another process has it, or that there is no room.
func explained(err error) error {
	switch code(err) {
	case codeCorrupt, codeNotADB:
		return fmt.Errorf("%w: %w", queue.ErrDamaged, err)
	case codeBusy:
		return fmt.Errorf("%w: %w", queue.ErrLocked, err)
	case codeFull:
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	case codeIO:
		if e, ok := errors.AsType[*driver.Error](err); ok && e.Code() == codeShmSize {
			return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
		}
		return fmt.Errorf("%w: %w", syscall.EIO, err)
	}
	return err
}

// untilFree calls f again while another process holds the lock it needs, until
// ctx ends or busyLimit is over. SQLite itself pauses between tries, for at
// most busyTimeout; starting its pauses anew keeps them short.
func untilFree(ctx context.Context, f func() error) error {
	start := time.Now()
	for {
		err := f()
		if code(err) != codeBusy || time.Since(start) > busyLimit {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
