// Package pgtest starts a PostgreSQL server for tests, from programs that are
// installed: its own data in a fresh directory, reached by a socket there.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing says that no PostgreSQL is installed here.
var ErrMissing = errors.New("PostgreSQL is not installed: no initdb in PATH or /usr/lib/postgresql")

const port = 5432 // of the socket's name alone

// Server is a running server. Its methods are not for concurrent use, but Open is.
type Server struct {
	bin, dir string
	account  *syscall.Credential // nil to run as who we are
	options  []string
	made     atomic.Int64 // databases
}

// Start starts a server with settings such as "fsync=off". Who calls it must call
// Stop. It returns [ErrMissing] where there is no PostgreSQL.
func Start(ctx context.Context, settings ...string) (s *Server, err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// Not below a test's own directory: a socket's name is short, and the server
	// must be able to reach it.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	s = &Server{bin: bin, dir: dir, account: account}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if account != nil {
		if err := os.Chown(dir, int(account.Uid), int(account.Gid)); err != nil {
			return nil, err
		}
	}
	err = s.run(ctx, "initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err != nil {
		return nil, err
	}
	s.options = slices.Concat([]string{
		"listen_addresses=", "unix_socket_directories=" + dir, "port=" + strconv.Itoa(port), "max_connections=100",
		"shared_buffers=128MB", "max_wal_size=4GB", "logging_collector=off",
	}, settings)
	return s, s.start(ctx)
}

// programs is the directory of the newest server that is installed.
func programs() (dir string, err error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", ErrMissing
	}
	return filepath.Dir(found[0]), nil
}

func version(initdb string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged is whom the server runs as if we are root, which it refuses.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nobody else
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(account.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("no account to run PostgreSQL as: it refuses to run as root")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// run runs one of the server's programs to its end.
func (s *Server) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second // the server inherits the pipe where there is no log
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("%s: %w: %s", program, err, out.Bytes())
	}
	return nil
}

func (s *Server) start(ctx context.Context) error {
	var options bytes.Buffer
	for _, option := range s.options {
		fmt.Fprintf(&options, " -c '%s'", option)
	}
	return s.run(ctx, "pg_ctl", "start", "-w", "-t", "60", "-s", "-D", s.data(), "-l", filepath.Join(s.dir, "log"), "-o", options.String())
}

// Restart restarts the server. An immediate one is a crash: connections are cut,
// and the server recovers what was committed.
func (s *Server) Restart(ctx context.Context, immediate bool) error {
	if err := s.end(ctx, immediate); err != nil {
		return err
	}
	return s.start(ctx)
}

func (s *Server) end(ctx context.Context, immediate bool) error {
	mode := "fast"
	if immediate {
		mode = "immediate"
	}
	return s.run(ctx, "pg_ctl", "stop", "-w", "-t", "60", "-s", "-D", s.data(), "-m", mode)
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return errors.Join(s.end(ctx, true), os.RemoveAll(s.dir))
}

// DSN is that of a database.
func (s *Server) DSN(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.dir}, "port": {strconv.Itoa(port)}}.Encode()
	return u.String()
}

// Socket is the path of the server's socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL."+strconv.Itoa(port)) }

// Log is what the server has logged.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Open makes an empty database for a test and returns its DSN. The database is
// dropped when the test ends.
func (s *Server) Open(t testing.TB) (dsn string) {
	t.Helper()
	name := fmt.Sprintf("test%d", s.made.Add(1))
	if err := s.exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return s.DSN(name)
}

func (s *Server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}
