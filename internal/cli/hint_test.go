package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/queue"
)

func TestExitCode(t *testing.T) {
	path := func(op string, err error) error { return &fs.PathError{Op: op, Path: "d/x", Err: err} }
	tests := map[string]struct {
		err  error
		code int
		want string
	}{
		"disk full":          {path("write", syscall.ENOSPC), 1, "write d/x: no space left on device; what is recorded is safe: make room, then run it again"},
		"quota":              {path("write", syscall.EDQUOT), 1, "write d/x: disk quota exceeded; what is recorded is safe: make room, then run it again"},
		"read-only":          {path("open", syscall.EROFS), 1, "open d/x: read-only file system; the file system can't be written to: name another place with --data"},
		"permission":         {path("open", syscall.EACCES), 1, "open d/x: permission denied; check who owns it and who may read or write it"},
		"open files":         {path("open", syscall.EMFILE), 1, "open d/x: too many open files; allow more open files with `ulimit -n`, or use fewer --max-workers"},
		"broken disk":        {path("read", syscall.EIO), 1, "read d/x: input/output error; look what the system's log says of the disk"},
		"newer":              {fmt.Errorf("open: %w: version 9", queue.ErrNewer), 1, "open: database is newer than this program: version 9; update quire: `quire version` tells which this is"},
		"damaged":            {fmt.Errorf("open: %w", queue.ErrDamaged), 1, "open: not a usable quire database; nothing in it was changed: bring back a copy, or name another place with --data or --store"},
		"damaged, then full": {errors.Join(queue.ErrDamaged, syscall.ENOSPC), 1, "not a usable quire database; no space left on device; nothing in it was changed: bring back a copy, or name another place with --data or --store"},
		"locked":             {fmt.Errorf("open: %w", queue.ErrLocked), 1, "open: locked by another process; end what has it open, then try again"},
		"another run":        {quire.ErrBusy, 1, "another process runs this queue; let it end, or stop it, then try again"},
		"no job":             {queue.ErrNotFound, 1, "no such job; quire --data elsewhere queue list tells which there are"},
		"password":           {fmt.Errorf("%w: %w", quire.ErrConfig, &pgconn.PgError{Code: "28P01", Severity: "FATAL", Message: "password authentication failed"}), 4, "configuration: FATAL: password authentication failed (SQLSTATE 28P01); check the user and password in --store or QUIRE_STORE"},
		"keys":               {fmt.Errorf("%w: %w", quire.ErrConfig, blob.ErrRefused), 4, "configuration: refused; check the keys, the bucket and the endpoint in --artifacts"},
		"no keys":            {fmt.Errorf("%w: %w: set AWS_…", blob.ErrRefused, blob.ErrNoKeys), 1, "refused: no keys: set AWS_…"},
		"refused":            {&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, 1, "dial tcp: connect: connection refused; is the server up, and are its name and port right?"},
		"no host":            {&net.DNSError{Err: "no such host", Name: "db", IsNotFound: true}, 1, "lookup db: no such host; is the name right, and is the network up?"},
		"no answer":          {fmt.Errorf("connect: %w", context.DeadlineExceeded), 1, "connect: context deadline exceeded; is it up and reachable? Try again"},
		"part is a file":     {path("mkdir", syscall.ENOTDIR), 1, "mkdir d/x: not a directory; part of that path is a file: name a directory with --data"},
		"usage":              {usage("--x: %w", fs.ErrPermission), 2, "--x: permission denied"},
		"several lines":      {errors.New("connect to:\n\thost one\n\thost one\n\n\thost two\n"), 1, "connect to: host one; host two"},
		"control characters": {errors.New("red \x1b[31m"), 1, `red \x1b[31m`},
		"nothing to say":     {errors.New("what"), 1, "what"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			a := &app{data: "elsewhere", env: Env{Stderr: &stderr, Signal: func() os.Signal { return nil }}}
			code := a.exitCode(tt.err)
			if got := stderr.String(); code != tt.code || got != "quire: "+tt.want+"\n" {
				t.Errorf("exit code %d, want %d\n got %s\nwant %s", code, tt.code, got, "quire: "+tt.want)
			}
		})
	}
}

// A fault of the program is a line too; the trace is for those who ask for it.
func TestGuarded(t *testing.T) {
	for level, traced := range map[string]bool{"info": false, "debug": true} {
		var stderr bytes.Buffer
		a := &app{logLevel: level, env: Env{Stderr: &stderr, Signal: func() os.Signal { return nil }}}
		code := a.exitCode(a.guarded(func() error { panic("index \x1b out\nof range") }))
		got := stderr.String()
		if want := `quire: internal error: index \x1b out; of range: please report it`; code != exitFailed || !strings.Contains(got, want) {
			t.Errorf("at %s: exit code %d, %s", level, code, got)
		}
		if strings.Contains(got, "goroutine ") != traced {
			t.Errorf("at %s: %s", level, got)
		}
	}
}
