package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// postgresServer is a PostgreSQL server of ours, on a Unix socket only.
type postgresServer struct {
	dir     string // data and socket
	socket  string
	process *process
	last    int // number of the last database made
}

// findPostgres returns the directory of PostgreSQL's programs.
func findPostgres() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	// Debian keeps them off the path: one directory for each major version.
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errors.New("initdb is neither on the path nor under /usr/lib/postgresql")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// startPostgres makes a cluster under dir and starts a server on it.
func startPostgres(ctx context.Context, dir string) (*postgresServer, error) {
	bin, err := findPostgres()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	s := &postgresServer{}
	if s.dir, err = ownedDir(dir, "peers-pg-", who); err != nil {
		return nil, err
	}
	if s.socket, err = ownedDir("", "pg", who); err != nil { // a socket's path must be short
		return nil, errors.Join(err, s.stop())
	}
	if err := s.start(ctx, bin, who); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *postgresServer) start(ctx context.Context, bin string, who *syscall.Credential) error {
	data := filepath.Join(s.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data,
		"-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: who}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("make PostgreSQL cluster: %w: %s", err, out)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", s.socket, "-c", "listen_addresses=", //nolint:noctx // stop ends it
		"-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB", "-c", "max_connections=200", "-c", "logging_collector=on")
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: who}
	var err error
	if s.process, err = startProcess("PostgreSQL", cmd); err != nil {
		return err
	}
	return s.process.ready(ctx, func(ctx context.Context) error { return s.exec(ctx, "select 1") })
}

// ownedDir makes a directory that belongs to who.
func ownedDir(parent, name string, who *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp(parent, name)
	if err != nil {
		return "", fmt.Errorf("make directory for PostgreSQL: %w", err)
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return "", fmt.Errorf("give directory to PostgreSQL: %w", err)
		}
	}
	return dir, nil
}

// settings are those of a connection to a database.
func (s *postgresServer) settings(database string) string {
	return fmt.Sprintf("host=%s user=bench dbname=%s", s.socket, database)
}

// exec runs statements, each in a transaction of its own.
func (s *postgresServer) exec(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.settings("postgres"))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// fresh makes an empty database and returns its settings. remove drops it. What
// was written before is on disk then, so that it does not cost the next run.
func (s *postgresServer) fresh(ctx context.Context, full bool) (store string, remove func() error, err error) {
	s.last++
	name := fmt.Sprintf("bench%d", s.last)
	if err := s.exec(ctx, "create database "+name, "checkpoint"); err != nil {
		return "", nil, err
	}
	commit := " synchronous_commit=off"
	if full {
		commit = " synchronous_commit=on"
	}
	return s.settings(name) + commit, func() error {
		return s.exec(context.WithoutCancel(ctx), "drop database "+name+" with (force)")
	}, nil
}

// stop ends the server and removes its data.
func (s *postgresServer) stop() error {
	var errs []error
	if s.process != nil {
		errs = append(errs, s.process.stop())
	}
	for _, dir := range []string{s.dir, s.socket} {
		if dir != "" {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	return errors.Join(errs...)
}
