// Package s3test starts an S3 server for tests: versitygw, which keeps objects in a
// directory, on a port of this machine. `make servers` builds it.
package s3test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// ErrMissing says that the server is not installed.
var ErrMissing = errors.New("no S3 server: `make servers` builds versitygw")

// The keys that the server knows.
const (
	AccessKey = "quiretester"
	SecretKey = "a+secret/that-no-log-shows"
)

// Region is the server's.
const Region = "eu-test-1"

// Server is a running server, or one that was stopped to be started again.
type Server struct {
	// Roots is what a client must trust to reach a server with TLS.
	Roots *x509.CertPool

	program, dir, address string
	tls                   bool
	made                  atomic.Int64 // buckets
	process, sweeper      *exec.Cmd
	input, sweeperInput   io.Closer // of these
}

// Start starts a server without TLS, or with it. Who calls it must call Stop. It
// returns [ErrMissing] where none is installed.
func Start(ctx context.Context, withTLS bool) (*Server, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "s3")
	if err != nil {
		return nil, err
	}
	s := &Server{program: program, dir: dir, tls: withTLS}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.sweep(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Up(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// find returns the program: bin/versitygw of this module, or one in PATH.
func find() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		program := filepath.Join(dir, "bin", "versitygw")
		if _, err := os.Stat(program); err == nil {
			return program, nil
		}
		break
	}
	program, err := exec.LookPath("versitygw")
	if err != nil {
		return "", ErrMissing
	}
	return program, nil
}

// prepare makes everything but the server.
func (s *Server) prepare() error {
	for _, dir := range []string{s.data(), s.meta()} {
		if err := os.Mkdir(dir, 0o750); err != nil {
			return err
		}
	}
	// The port is another program's if that is quicker, and then the server says so.
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		return err
	}
	s.address = l.Addr().String()
	if err := l.Close(); err != nil || !s.tls {
		return err
	}
	return s.certify()
}

// certify writes the certificate that net/http has for tests, with its key.
func (s *Server) certify() error {
	web := httptest.NewTLSServer(http.NotFoundHandler())
	defer web.Close()
	key, err := x509.MarshalPKCS8PrivateKey(web.TLS.Certificates[0].PrivateKey)
	if err != nil {
		return err
	}
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(web.Certificate())
	return errors.Join(
		os.WriteFile(s.path("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600),
		os.WriteFile(s.path("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }
func (s *Server) data() string            { return s.path("data") }
func (s *Server) meta() string            { return s.path("meta") }

// Two shells wait for the end of their input, which comes with ours, however we end:
// keeper then kills the program that it runs, and sweeper removes the data.
const (
	keeper  = `"$@" < /dev/null & cat; kill -9 $!; wait $!`
	sweeper = `cat; rm -rf "$1"`
)

// sweep starts the sweeper.
func (s *Server) sweep() (err error) {
	cmd := exec.Command("sh", "-c", sweeper, "sh", s.dir) //nolint:noctx // outlives us
	aside(cmd)
	if s.sweeperInput, err = cmd.StdinPipe(); err != nil {
		return err
	}
	s.sweeper = cmd
	return cmd.Start()
}

// Up starts a server that is down, on the data that it had.
func (s *Server) Up(ctx context.Context) error {
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-c", keeper, "sh", s.program, "--port", s.address, "--region", Region, "--keep-alive", "--quiet"}
	if s.tls {
		args = append(args, "--cert", s.path("cert.pem"), "--key", s.path("key.pem"))
	}
	s.process = exec.Command("sh", append(args, "posix", "--sidecar", s.meta(), s.data())...) //nolint:noctx // Down ends it
	s.process.Env = append(os.Environ(), "ROOT_ACCESS_KEY_ID="+AccessKey, "ROOT_SECRET_ACCESS_KEY="+SecretKey)
	s.process.Stdout, s.process.Stderr = log, log
	aside(s.process)
	if s.input, err = s.process.StdinPipe(); err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	return s.await(ctx)
}

// patience is how long a server may take to start.
const patience = 20 * time.Second

// await returns when the server takes connections.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", s.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(s.path("log"))
			return fmt.Errorf("S3 server on %s: %w: %s", s.address, err, log)
		}
	}
}

// Down stops the server, which Up starts again. Connections to it are cut.
func (s *Server) Down() error {
	if s.process == nil {
		return nil
	}
	err := s.input.Close()
	var exit *exec.ExitError
	if waitErr := s.process.Wait(); !errors.As(waitErr, &exit) { // it was told to go, and says so
		err = errors.Join(err, waitErr)
	}
	s.process = nil
	return err
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	return errors.Join(s.Down(), s.sweeperInput.Close(), s.sweeper.Wait())
}

// Endpoint is the server's URL.
func (s *Server) Endpoint() string {
	if s.tls {
		return "https://" + s.address
	}
	return "http://" + s.address
}

// Bucket makes an empty bucket for a test and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.made.Add(1))
	if err := os.Mkdir(filepath.Join(s.data(), name), 0o750); err != nil {
		t.Fatal(err)
	}
	return name
}

// URL is that of a store with a prefix in a bucket, as --artifacts takes it.
func (s *Server) URL(bucket string) string {
	return "s3://" + bucket + "/papers?endpoint=" + s.Endpoint() + "&region=" + Region
}

// Files lists what a bucket holds as the server keeps it, by key, with the paths of
// the files. Uploads that were not completed are among it.
func (s *Server) Files(t testing.TB, bucket string) map[string]string {
	t.Helper()
	files, root := make(map[string]string), filepath.Join(s.data(), bucket)
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			files[strings.TrimPrefix(path, root+"/")] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
