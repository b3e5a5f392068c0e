// Package testweb is an internet in a box. It serves any number of host names
// over real sockets on loopback, with certificates of its own, in whatever good
// or bad manner a test asks for, and keeps exact accounts of what its clients
// did: the client's own counters are not evidence.
//
// A program under test reaches it by configuration alone: connect-to rules that
// send every host to the box's listeners, the box's CA as a trust root, and
// loopback exempted from the private-address guard.
//
// The package also makes the miniature scholarly web of "quire demo", so
// nothing in it depends on package testing. It speaks HTTP/1.1 only: its faults
// need the connection itself.
package testweb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Web is a running box. Its methods are safe for concurrent use.
type Web struct {
	authority     *authority
	secure, plain net.Listener
	servers       []*http.Server
	cancel        context.CancelFunc
	listening     sync.WaitGroup

	mu       sync.RWMutex
	hosts    map[string]site
	suffixes map[string]http.Handler
	fallback http.Handler
	ledgers  map[string]*ledger
	dialled  map[string]int // connections by the address of ours that they came to
	closed   bool
	serving  sync.WaitGroup // requests; grows only under mu and before closed
}

// site is what one host serves.
type site struct {
	handler http.Handler
	robots  http.Handler // nil: 404
}

// Start opens the box on two free loopback ports. It runs until [Web.Close];
// the end of ctx only lets go the requests it keeps waiting.
func Start(ctx context.Context) (*Web, error) { return StartAt(ctx, "127.0.0.1:0", "127.0.0.1:0") }

// StartAt opens the box at addresses of the caller's choice, the first without TLS
// and the second with, and is otherwise as Start.
func StartAt(ctx context.Context, plain, secure string) (*Web, error) {
	authority, err := newAuthority()
	if err != nil {
		return nil, fmt.Errorf("make certificate authority: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &Web{
		authority: authority,
		cancel:    cancel,
		hosts:     map[string]site{},
		suffixes:  map[string]http.Handler{},
		fallback:  http.NotFoundHandler(),
		ledgers:   map[string]*ledger{},
		dialled:   map[string]int{},
	}
	var lc net.ListenConfig
	if w.plain, err = lc.Listen(ctx, "tcp", plain); err != nil {
		cancel()
		return nil, err
	}
	if w.secure, err = lc.Listen(ctx, "tcp", secure); err != nil {
		cancel()
		return nil, errors.Join(err, w.plain.Close())
	}
	w.serve(ctx, w.plain)
	w.serve(ctx, tls.NewListener(w.secure, &tls.Config{
		GetCertificate:   authority.certificate,
		CurvePreferences: []tls.CurveID{tls.X25519}, // the cheapest: clients of the box are on its own processors
		NextProtos:       []string{"http/1.1"},
	}))
	return w, nil
}

func (w *Web) serve(ctx context.Context, l net.Listener) {
	server := &http.Server{
		Handler:           http.HandlerFunc(w.answer),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // clients that hang up are part of the show
		ReadHeaderTimeout: time.Minute,
		ConnState: func(conn net.Conn, state http.ConnState) {
			if state == http.StateNew {
				w.reached(conn.LocalAddr())
			}
		},
	}
	w.servers = append(w.servers, server)
	w.listening.Go(func() { _ = server.Serve(l) })
}

func (w *Web) reached(addr net.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dialled[addr.String()]++
}

// Dialled returns how many connections came to which address of the box: one, or as
// many as it has if it was started at all of the machine's.
func (w *Web) Dialled() map[string]int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return maps.Clone(w.dialled)
}

// Close hangs up on everybody and returns when the last request has ended.
func (w *Web) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()

	w.cancel()
	var errs []error
	for _, server := range w.servers {
		errs = append(errs, server.Close())
	}
	w.serving.Wait()
	w.listening.Wait()
	return errors.Join(errs...)
}

// ConnectTo returns rules in the form of curl's --connect-to that send every
// host to the box: ports 443 and 8443 speak TLS, 80 and 8080 do not.
func (w *Web) ConnectTo() []string {
	secure, plain := w.secure.Addr().String(), w.plain.Addr().String()
	return []string{":443:" + secure, ":80:" + plain, ":8443:" + secure, ":8080:" + plain}
}

// CA returns the certificate of the box's authority in PEM.
func (w *Web) CA() []byte { return w.authority.pem }

// WriteCA writes the certificate of the box's authority, in PEM, to a file.
func (w *Web) WriteCA(path string) error { return os.WriteFile(path, w.CA(), 0o600) }

// Client returns a plain client that takes every host to be in the box. It
// follows no redirects. The caller should close its idle connections.
func (w *Web) Client() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.CA())
	var dialer net.Dialer
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		to := w.plain
		if port == "443" || port == "8443" {
			to = w.secure
		}
		return dialer.DialContext(ctx, network, to.Addr().String())
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         dial,
			TLSClientConfig:     &tls.Config{RootCAs: roots},
			MaxIdleConnsPerHost: 64,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// hostName is the name a host is registered and accounted under: lower case,
// without port and final dot.
func hostName(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
