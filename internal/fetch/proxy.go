package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// maxProxyAnswer is how much a proxy may answer to CONNECT: a status line and a few
// header fields.
const maxProxyAnswer = 16 << 10

// proxyError is a proxy's refusal to connect.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("proxy refused to connect: status %d %s", e.status, http.StatusText(e.status))
}

// parseProxy returns the host:port of a proxy's URL, "" for no URL.
func parseProxy(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.New("proxy: not a URL")
	case u.User != nil:
		return "", errors.New("proxy: one that wants a password is not supported")
	case u.Scheme != "http", u.Hostname() == "", !routePort(u.Port()), u.Port() == "",
		u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return "", fmt.Errorf("proxy %.100q: want http://HOST:PORT", text)
	}
	return u.Host, nil
}

// tunnel connects to addr by way of the proxy. The proxy is told an address that
// the guard has judged and not a name: it would look that up again, and could find
// another one. So everything goes through CONNECT, also what is not encrypted.
func (c *Client) tunnel(ctx context.Context, addr string, anyPort bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeouts.Connect)
	defer cancel()
	target, err := c.lookUp(ctx, addr, anyPort)
	if err != nil {
		return nil, err
	}
	var plain net.Dialer // the operator chose the proxy: it may well be a private address
	conn, err := plain.DialContext(ctx, "tcp", c.proxy)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = connect(conn, target)
	if !stop() && err == nil {
		err = ctx.Err() // it has ended, and the deadline with it is set or about to be
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// lookUp returns the address of addr that is to be connected to: the first that
// the guard lets pass, IPv4 before IPv6.
func (c *Client) lookUp(ctx context.Context, addr string, anyPort bool) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	for _, ip := range found {
		target := netip.AddrPortFrom(ip, uint16(number))
		if err = c.guard.permit(target, anyPort); err == nil {
			return target, nil
		}
	}
	return netip.AddrPort{}, err
}

// connect asks the proxy on conn for a tunnel (RFC 9110 section 9.3.6).
func connect(conn net.Conn, target netip.AddrPort) error {
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	from := bufio.NewReader(io.LimitReader(conn, maxProxyAnswer))
	resp, err := http.ReadResponse(from, &http.Request{Method: http.MethodConnect}) //nolint:bodyclose // it ends with the connection
	switch {
	case err != nil:
		return fmt.Errorf("proxy: %w", err)
	case resp.StatusCode/100 != 2:
		return &proxyError{resp.StatusCode}
	case from.Buffered() > 0: // nobody on the other side can have spoken yet
		return errors.New("proxy: bytes before the tunnel")
	}
	return nil
}

// CheckProxy returns an error unless text may be Config.Proxy.
func CheckProxy(text string) error {
	_, err := parseProxy(text)
	return err
}
