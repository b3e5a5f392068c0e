package postgres_test

import (
	"bytes"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy passes connections on to a server, and cuts them when told to.
type proxy struct {
	dsn      string
	target   string
	listener net.Listener
	running  sync.WaitGroup

	// What to do at the next commits: each is counted down to 0 when set.
	cutBefore, cutAfter atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// newProxy is a proxy before a server, until the test ends.
func newProxy(t *testing.T, dsn string) *proxy {
	t.Helper()
	p := listenFor(t, dsn)
	p.running.Go(p.accept)
	t.Cleanup(func() {
		p.listener.Close()
		p.cut()
		p.running.Wait()
	})
	return p
}

// listenFor is a proxy that does not accept connections.
func listenFor(t *testing.T, dsn string) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgp") //nolint:usetesting // that one may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	name := ".s.PGSQL." + query.Get("port")
	p := &proxy{target: filepath.Join(query.Get("host"), name), conns: make(map[net.Conn]bool)}
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	p.dsn = u.String()
	if p.listener, err = net.Listen("unix", filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.listener.Close()
		os.RemoveAll(dir)
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		var deaf atomic.Bool // what the server says does not arrive
		p.running.Go(func() { p.copy(server, client, func(b []byte) bool { return p.commits(b, &deaf) }) })
		p.running.Go(func() { p.copy(client, server, func([]byte) bool { return !deaf.Load() }) })
	}
}

// commits reports whether what a client sends may pass.
func (p *proxy) commits(sent []byte, deaf *atomic.Bool) bool {
	if !bytes.Contains(sent, []byte("COMMIT\x00")) || sent[0] != 'Q' {
		return true
	}
	if p.cutBefore.Add(-1) >= 0 {
		return false
	}
	if p.cutAfter.Add(-1) >= 0 {
		deaf.Store(true)
	}
	return true
}

// copy passes bytes on until either side ends or pass forbids it.
func (p *proxy) copy(to, from net.Conn, pass func([]byte) bool) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil || !pass(buffer[:n]) {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// cut cuts all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		conn.Close()
	}
	clear(p.conns)
}
