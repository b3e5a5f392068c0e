package blob

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

const (
	connectTime = 10 * time.Second
	// idleTime is how long a connection may move no byte, in either direction, while
	// an answer is waited for. Services put an object of many parts together within
	// it, or send spaces meanwhile
	// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html).
	idleTime = time.Minute
)

// closer is what is left to do with a transport.
type closer interface{ CloseIdleConnections() }

// newTransport makes the way to an S3 service. There is no address guard on it: the
// endpoint is the operator's word, as that of the database is, and may well be
// private. Nothing that was read from elsewhere names an address here, and
// redirects are not followed.
func newTransport(roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTime}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return idleConn{conn}, nil
		},
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTime,
		IdleConnTimeout:        idleTime / 2, // under that of the connection
		MaxIdleConnsPerHost:    64,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // bytes come as they were stored
	}
}

// idleConn is a connection that breaks when nothing moves for idleTime. Reading and
// writing put off the end of each other: an answer is awaited while a body is sent.
type idleConn struct{ net.Conn }

func (c idleConn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(idleTime)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c idleConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(idleTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
