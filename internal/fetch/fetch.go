// Package fetch is the only way out to the network. A [Client] makes exactly one
// HTTP exchange per call and never follows a redirect by itself: the target may
// be another host, whose limits the caller has to obey first. It keeps no
// cookies but sends those that it is given ([Cookies]), sends no credentials of its
// own, takes no proxy from the environment and refuses private addresses at the
// moment of dialling. Whatever a server sends, time and memory stay bounded.
//
// [Classify] turns what came of an exchange into a failure class, and [Robots]
// tells which URLs the Robots Exclusion Protocol (RFC 9309) leaves open.
//
// It speaks HTTP/1.1 only, unless told otherwise. One connection then carries one
// request at a time, so what a host sees is what its in-flight cap says, and a
// connection that a server breaks takes one request with it. Downloads of a few per
// host gain nothing from HTTP/2.
package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// Timeouts bound one exchange. A zero field means the default.
type Timeouts struct {
	Connect time.Duration // TCP, and as long again for TLS; 10 s
	Header  time.Duration // from the request sent to the last header line; 30 s
	Idle    time.Duration // wait for body bytes; as a whole window also at least 1 KiB/s; 30 s
	Total   time.Duration // from the call to the last body byte; 15 min, and at most 2 min for APIs
}

func (t Timeouts) withDefaults() Timeouts {
	for _, f := range []struct {
		to    *time.Duration
		value time.Duration
	}{
		{&t.Connect, 10 * time.Second},
		{&t.Header, 30 * time.Second},
		{&t.Idle, 30 * time.Second},
		{&t.Total, 15 * time.Minute},
	} {
		if *f.to <= 0 {
			*f.to = f.value
		}
	}
	return t
}

// Config says who asks and how far a Client may go. Zero fields mean the default.
type Config struct {
	Contact   string   // e-mail address of who runs this; required
	Version   string   // of quire, for the User-Agent; "dev"
	UserAgent string   // quire/VERSION (+https://github.com/quire-dev/quire; mailto:CONTACT)
	Timeouts  Timeouts // of each exchange
	MaxBytes  int64    // of a decoded file or page; 256 MiB

	// ConnectTo are curl's --connect-to rules, HOST1:PORT1:HOST2:PORT2: a request
	// to HOST1:PORT1 goes to HOST2:PORT2, and Host and TLS name stay those of the
	// URL. An empty HOST1 or PORT1 matches all, an empty HOST2 or PORT2 keeps the
	// URL's; IPv6 addresses stand in brackets. The first match counts. The target
	// is judged by the address guard like any other.
	ConnectTo []string
	CAFile    string // PEM file with trust roots besides the system's

	// AllowNetworks are exempt from the guard against private addresses.
	AllowNetworks []netip.Prefix

	// Proxy is the URL of an HTTP proxy that lets everything pass by CONNECT,
	// http://HOST:PORT; empty for none. HTTP_PROXY and its like are never read. Names
	// are looked up here and not by the proxy, so that the guard judges what is
	// connected to.
	Proxy string

	HTTP2 bool // speak it to servers that want to, over TLS
}

// Client makes HTTP exchanges. It is safe for concurrent use.
type Client struct {
	transport *http.Transport
	guard     *guard
	routes    routes
	proxy     string // host:port; empty for none
	timeouts  Timeouts
	maxBytes  int64
	agent     []string // the User-Agent header's value
	from      []string // the From header's value
	rootless  bool     // no trust roots at all: TLS failures are our fault
	requests  atomic.Int64
}

// New returns a Client, or an error that says which field of cfg is wrong. It
// opens no connection.
func New(cfg Config) (*Client, error) {
	if err := checkContact(cfg.Contact); err != nil {
		return nil, err
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = fmt.Sprintf("quire/%s (+https://github.com/quire-dev/quire; mailto:%s)", cfg.Version, cfg.Contact)
	}
	if !printable(cfg.UserAgent) {
		return nil, fmt.Errorf("user agent %+q: only printable ASCII can be sent", cfg.UserAgent)
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	routes, err := parseRoutes(cfg.ConnectTo)
	if err != nil {
		return nil, err
	}
	proxy, err := parseProxy(cfg.Proxy)
	if err != nil {
		return nil, err
	}
	roots, rootless, err := trustRoots(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	c := &Client{
		guard:    newGuard(cfg.AllowNetworks),
		routes:   routes,
		proxy:    proxy,
		timeouts: cfg.Timeouts.withDefaults(),
		maxBytes: cfg.MaxBytes,
		agent:    []string{cfg.UserAgent},
		from:     []string{cfg.Contact},
		rootless: rootless,
	}
	c.transport = c.newTransport(roots, cfg.HTTP2)
	return c, nil
}

// Close closes idle connections. Exchanges under way go on.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Requests returns how many exchanges were started.
func (c *Client) Requests() int64 { return c.requests.Load() }

// checkContact accepts plain addresses only: no display name, no quoting, no
// comment, nothing that could end a header line or the User-Agent's comment.
func checkContact(contact string) error {
	if contact == "" {
		return errors.New("contact: no e-mail address given; hosts and services must be able to reach you")
	}
	address, err := mail.ParseAddress(contact)
	if err != nil || address.Address != contact || !printable(contact) || strings.ContainsAny(contact, `()<>"\,; `) {
		return fmt.Errorf("contact %+q: not a plain e-mail address", contact)
	}
	return nil
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
