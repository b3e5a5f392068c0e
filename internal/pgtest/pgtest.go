// Package pgtest starts a PostgreSQL server for tests, from programs that are
// installed: its own data in a fresh directory, reached by a socket there.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// ErrMissing says that no PostgreSQL is installed here.
var ErrMissing = errors.New("PostgreSQL is not installed: no initdb in PATH or /usr/lib/postgresql")

const port = 5432 // of the socket's name alone

// Server is a running server. Its methods are not for concurrent use, but Open is.
type Server struct {
	bin, dir string
	account  *account // nil to run as who we are
	options  []string
	made     atomic.Int64 // databases
	keeper   *exec.Cmd
	input    io.Closer // of the keeper
}

// Start starts a server with settings such as "fsync=off". Who calls it must call
// Stop. It returns [ErrMissing] where there is no PostgreSQL.
func Start(ctx context.Context, settings ...string) (*Server, error) {
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
	s := &Server{bin: bin, dir: dir, account: account}
	if err := s.prepare(ctx, settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// prepare makes everything but the server.
func (s *Server) prepare(ctx context.Context, settings []string) error {
	if s.account != nil {
		if err := os.Chown(s.dir, s.account.uid, s.account.gid); err != nil {
			return err
		}
	}
	err := s.run(ctx, "initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	s.options = slices.Concat([]string{
		"listen_addresses=", "unix_socket_directories=" + s.dir, "port=" + strconv.Itoa(port), "max_connections=100",
		"shared_buffers=128MB", "max_wal_size=4GB", "logging_collector=off",
	}, settings)
	return s.keep()
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

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// run runs one of the server's programs to its end.
func (s *Server) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	s.account.runs(cmd)
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

// keeper is a process that waits for the end of its input, which comes with ours
// however we end, and then stops the server and removes its data.
const keeper = `cat; "$0" stop -m immediate -s -D "$1/data"; rm -rf "$1"`

// keep starts the keeper.
func (s *Server) keep() (err error) {
	cmd := exec.Command("sh", "-c", keeper, filepath.Join(s.bin, "pg_ctl"), s.dir) //nolint:noctx // outlives us
	cmd.Dir = os.TempDir()
	s.account.runs(cmd)
	aside(cmd)
	if s.input, err = cmd.StdinPipe(); err != nil {
		return err
	}
	s.keeper = cmd
	return cmd.Start()
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	return errors.Join(s.input.Close(), s.keeper.Wait())
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
	if err := s.tool(t.Context(), "createdb", name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.tool(context.Background(), "dropdb", "--force", name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return s.DSN(name)
}

// tool runs a program that talks to the server.
func (s *Server) tool(ctx context.Context, program string, args ...string) error {
	return s.run(ctx, program, slices.Concat([]string{"-h", s.dir, "-p", strconv.Itoa(port), "-U", "postgres"}, args)...)
}
