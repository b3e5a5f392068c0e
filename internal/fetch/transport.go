package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	maxHeaderBytes = 64 << 10 // of a response; net/http's default of 10 MiB invites bombs
	maxConfigBytes = 4 << 20  // of a CA file

	defaultMaxBytes = 256 << 20 // of a file or a page

	idlePerHost = 64               // as many as a resolver may be allowed in flight; fewer would cost it handshakes
	idleInAll   = 512              // bounds file descriptors when there are thousands of hosts
	idleTimeout = 90 * time.Second // spans the pauses of a polite pace
)

func (c *Client) newTransport(roots *x509.CertPool, http2 bool) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	return &http.Transport{
		DialContext: c.newDial(),
		TLSClientConfig: &tls.Config{
			RootCAs:            roots,
			MinVersion:         tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(idleInAll),
		},
		TLSHandshakeTimeout:    c.timeouts.Connect,
		ResponseHeaderTimeout:  c.timeouts.Header,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // we decode ourselves, under a cap
		MaxIdleConns:           idleInAll,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		Protocols:              &protocols,
		Proxy:                  nil, // neither HTTP_PROXY and its like; Config.Proxy is for newDial
		// MaxConnsPerHost stays 0: it would be a second queue, and one that blocks.
	}
}

// newDial returns the transport's dial function: it obeys the connect-to rules
// and lets the guard judge each address before a packet is sent to it, or its
// name to a proxy.
func (c *Client) newDial() func(ctx context.Context, network, addr string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: c.timeouts.Connect, Control: c.guard.control(false)}
	anyPort := &net.Dialer{Timeout: c.timeouts.Connect, Control: c.guard.control(true)}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		rule, ok := c.routes.find(host, port)
		if ok {
			addr = rule.target(host, port)
		}
		switch chosen := ok && rule.setsPort(); {
		case c.proxy != "":
			return c.tunnel(ctx, addr, chosen)
		case chosen:
			return anyPort.DialContext(ctx, network, addr)
		default:
			return plain.DialContext(ctx, network, addr)
		}
	}
}

// trustRoots returns the system's roots and those of file, and whether that is
// none at all. Without a file the system's own verifier does the work.
func trustRoots(file string) (roots *x509.CertPool, none bool, err error) {
	roots, err = x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if file == "" {
		return nil, roots.Equal(x509.NewCertPool()), nil
	}
	pem, err := readFile(file, maxConfigBytes)
	if err != nil {
		return nil, false, fmt.Errorf("read CA file: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, false, fmt.Errorf("read CA file: %s: no PEM certificate in it", file)
	}
	return roots, false, nil
}

func readFile(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s: not a regular file of at most %d bytes", name, limit)
	}
	return os.ReadFile(name)
}
