package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/quire-dev/quire/paper"
)

// maxURL is what servers commonly accept; RFC 9110 section 4.1 asks for 8,000.
const maxURL = 8 << 10

// errMalformed marks texts that are no URL of a web resource.
var errMalformed = errors.New("malformed URL")

// CheckURL tells whether raw may be requested, before anything is looked up or
// dialled. A nil error does not promise that the address behind the name passes
// the guard at dial time. Otherwise the error is a [*paper.Failure]:
//
//   - Gone for what is no URL: over 8 KiB, control characters or spaces, bad
//     escapes, bad host names, a numeric last label that is no IPv4 address;
//   - PolicySkipped for schemes other than http and https, user names, private
//     addresses, and the names localhost, *.localhost, *.local, *.internal and
//     those of a single label;
//   - PolicySkipped for ports other than 80, 443, 8080 and 8443.
//
// A connect-to rule that names the host lifts the last two. An exempt network
// lifts them for its own addresses, for localhost if it covers loopback, and for
// any port from 1024 up, which the guard then judges at dial time.
func (c *Client) CheckURL(raw string) error {
	if _, err := c.parse(raw); err != nil {
		return refusal(0, err)
	}
	return nil
}

// parse returns the canonical form of raw if it may be requested; else its error
// wraps errMalformed or errPolicy.
func (c *Client) parse(raw string) (*url.URL, error) {
	u, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	return u, c.checkTarget(u)
}

// refusal is the failure of a URL that parse refused.
func refusal(status int, err error) *paper.Failure {
	class := paper.Gone
	if errors.Is(err, errPolicy) {
		class = paper.PolicySkipped
	}
	return &paper.Failure{Class: class, Status: status, Err: err}
}

// checkTarget applies our rules to the host and port of a canonical URL.
func (c *Client) checkTarget(u *url.URL) error {
	host, port := u.Hostname(), portOf(u)
	rule, ok := c.routes.find(host, port)
	if ok && rule.host != "" {
		return nil // the operator named it
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if err := c.guard.check(addr); err != nil {
			return err
		}
	} else if privateName(host) && (!localhost(host) || !c.guard.allowsLoopback()) {
		return fmt.Errorf("private address %s: %w", host, errPolicy)
	}
	n, _ := strconv.ParseUint(port, 10, 16) // parseURL has checked it
	if webPort(uint16(n)) || (ok && rule.port != "") || (n >= 1024 && len(c.guard.allow) > 0) {
		return nil
	}
	return fmt.Errorf("port %d: %w", n, errPolicy)
}

// parseURL returns raw in canonical form: lower-case scheme and host, punycode,
// no trailing dot, no default port, no fragment, and a path. Path and query stay
// as given.
func parseURL(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, fmt.Errorf("%w: %d bytes long, at most %d", errMalformed, len(raw), maxURL)
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }) || strings.Contains(raw, "%00") {
		return nil, fmt.Errorf("%w: space or control character in it", errMalformed)
	}
	u, err := url.Parse(raw)
	if err != nil {
		// The reason alone: the whole URL may be long, or hold a secret.
		if parse, ok := errors.AsType[*url.Error](err); ok {
			err = parse.Err
		}
		return nil, fmt.Errorf("%w: %w", errMalformed, clip(err))
	}
	return u, canonical(u)
}

func canonical(u *url.URL) error {
	switch {
	case u.Scheme == "":
		return fmt.Errorf("%w: no scheme", errMalformed)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("scheme %.20q: only http and https: %w", u.Scheme, errPolicy)
	case u.User != nil:
		return fmt.Errorf("user name in URL: %w", errPolicy)
	}
	host, err := canonicalHost(u.Hostname())
	if err != nil {
		return err
	}
	port, err := canonicalPort(u)
	if err != nil {
		return err
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	u.Host = host + port
	u.Fragment, u.RawFragment = "", ""
	u.RawQuery = escapeNonASCII(u.RawQuery)
	if u.Path == "" {
		u.Path = "/"
	}
	return nil
}

func canonicalHost(host string) (string, error) {
	if strings.Contains(host, ":") {
		addr, err := netip.ParseAddr(host)
		if err != nil || addr.Zone() != "" {
			return "", fmt.Errorf("%w: bad IPv6 address", errMalformed)
		}
		return addr.String(), nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !printable(host) || strings.Contains(host, "xn--") {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", fmt.Errorf("%w: bad international host name", errMalformed)
		}
		host = ascii
	}
	return host, checkName(host)
}

// escapeNonASCII percent-encodes what net/url leaves raw in a query.
func escapeNonASCII(s string) string {
	if printable(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] < 0x80 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

// canonicalPort returns ":port", or nothing for the scheme's own.
func canonicalPort(u *url.URL) (string, error) {
	port := u.Port()
	if port == "" {
		return "", nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%w: bad port", errMalformed)
	}
	if (u.Scheme == "http" && n == 80) || (u.Scheme == "https" && n == 443) {
		return "", nil
	}
	return ":" + strconv.FormatUint(n, 10), nil
}

func portOf(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// checkName checks a lower-case host name against RFC 1123, with underscores
// allowed. As in browsers a name whose last label is a number must be an IPv4
// address in its one plain form: 127.1 or 0x7f.1 mean different things to
// different resolvers.
func checkName(host string) error {
	if len(host) == 0 || len(host) > 253 {
		return fmt.Errorf("%w: host name of %d bytes", errMalformed, len(host))
	}
	label := ""
	for label = range strings.SplitSeq(host, ".") {
		if len(label) == 0 || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return fmt.Errorf("%w: bad label in host name", errMalformed)
		}
	}
	if _, err := netip.ParseAddr(host); err != nil && numeric(label) {
		return fmt.Errorf("%w: numeric host name that is no IPv4 address", errMalformed)
	}
	return nil
}

func numeric(label string) bool {
	digits := "0123456789"
	if rest, hex := strings.CutPrefix(label, "0x"); hex {
		label, digits = rest, digits+"abcdef"
	}
	return strings.Trim(label, digits) == ""
}

// privateName tells names that only mean something inside a network. They are
// refused early; the address guard is what makes it safe.
func privateName(host string) bool {
	return localhost(host) || !strings.Contains(host, ".") ||
		strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")
}

// localhost names always mean loopback (RFC 6761 section 6.3).
func localhost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
