package paper

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// maxURL is how long a URL may be, in bytes, as given and in normal form.
// RFC 9110 §4.1 asks servers to take 8,000 octets; few take more.
const maxURL = 8 << 10

// NormalizeURL returns the one form of an http or https URL that is compared,
// stored and requested: spaces around it trimmed, scheme and host in lower case,
// the host in punycode and without a trailing dot, and no user, no fragment and
// no default port. An empty path becomes "/", and bytes that RFC 3986 does not
// allow are percent-encoded; path and query are otherwise left as given, since
// only their server knows which of them are the same.
//
// It refuses what is no web address or may be read as more than one: other
// schemes, spaces and control characters, also as %00, malformed
// percent-encoding, bad host names, IPv6 zones, hosts that end in a number but
// are not four decimal numbers, ports outside 1-65535, and more than 8 KiB. It
// does not judge whether the host may be visited. The error names the fault and
// never repeats the user part.
func NormalizeURL(raw string) (string, error) {
	u, err := parseURL(raw)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// HostKey returns the unit of politeness of a URL: "host:" and the host in the
// form of [NormalizeURL], with the port if it is not the default of the URL's
// scheme. So http and https on their default ports share a key.
func HostKey(rawURL string) (string, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return "", err
	}
	return "host:" + u.hostPort(), nil
}

// webURL is a URL in normal form.
type webURL struct {
	scheme string
	host   string // IPv6 addresses in brackets
	port   string // empty: the default of the scheme
	path   string // escaped, begins with "/"
	query  string // escaped, with its "?" if there is one
}

func (u webURL) String() string { return u.scheme + "://" + u.hostPort() + u.path + u.query }

func (u webURL) hostPort() string {
	if u.port == "" {
		return u.host
	}
	return u.host + ":" + u.port
}

func parseURL(raw string) (webURL, error) {
	raw = strings.TrimSpace(raw)
	if len(raw) > maxURL {
		return webURL{}, fmt.Errorf("URL has %d bytes, more than %d", len(raw), maxURL)
	}
	for _, c := range []byte(raw) {
		if c == ' ' {
			return webURL{}, errors.New("URL has a space in it")
		}
		if c < ' ' || c == 0x7f {
			return webURL{}, fmt.Errorf("URL has the control character %q in it", c)
		}
	}
	u, rest, err := cutScheme(raw)
	if err != nil {
		return webURL{}, err
	}
	rest, _, _ = strings.Cut(rest, "#")
	authority, path := rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if u.host, u.port, err = parseAuthority(authority, u.scheme); err != nil {
		return webURL{}, err
	}
	path, query, hasQuery := strings.Cut(path, "?")
	if u.path, err = escape(path, inPath); err != nil {
		return webURL{}, fmt.Errorf("path of the URL: %w", err)
	}
	if u.path == "" {
		u.path = "/"
	}
	if hasQuery {
		if u.query, err = escape("?"+query, inQuery); err != nil {
			return webURL{}, fmt.Errorf("query of the URL: %w", err)
		}
	}
	if n := len(u.String()); n > maxURL {
		return webURL{}, fmt.Errorf("URL has %d bytes once encoded, more than %d", n, maxURL)
	}
	return u, nil
}

func cutScheme(raw string) (u webURL, rest string, err error) {
	scheme, rest, found := strings.Cut(raw, ":")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return u, "", errors.New("URL is not absolute: it has no scheme")
	}
	u.scheme = asciiLower(scheme)
	if u.scheme != "http" && u.scheme != "https" {
		return u, "", fmt.Errorf("URL scheme %.20q is not http or https", scheme)
	}
	rest, found = strings.CutPrefix(rest, "//")
	if !found {
		return u, "", errors.New("URL has no host: // is missing")
	}
	return u, rest, nil
}

func parseAuthority(authority, scheme string) (host, port string, err error) {
	if strings.Contains(authority, `\`) {
		return "", "", errors.New("URL has a backslash before its path")
	}
	hostPort := authority[strings.LastIndexByte(authority, '@')+1:]
	if v6, ok := strings.CutPrefix(hostPort, "["); ok {
		v6, port, ok = strings.Cut(v6, "]")
		if !ok || port != "" && port[0] != ':' {
			return "", "", fmt.Errorf("URL host %.60q: bracket is not closed", hostPort)
		}
		host, err = normalIPv6(v6)
	} else {
		v4, _, _ := strings.Cut(hostPort, ":")
		port = hostPort[len(v4):]
		host, err = normalHost(v4)
	}
	if err != nil {
		return "", "", err
	}
	port, err = normalPort(strings.TrimPrefix(port, ":"), scheme)
	return host, port, err
}

func normalPort(port, scheme string) (string, error) {
	if port == "" {
		return "", nil
	}
	n, err := strconv.ParseUint(port, 10, 64)
	if err != nil || n == 0 || n > 65535 {
		return "", fmt.Errorf("URL port %.20q is not a number from 1 to 65535", port)
	}
	if scheme == "http" && n == 80 || scheme == "https" && n == 443 {
		return "", nil
	}
	return strconv.FormatUint(n, 10), nil
}

func normalIPv6(text string) (string, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil || !addr.Is6():
		return "", fmt.Errorf("URL host %.60q is not an IPv6 address", text)
	case addr.Zone() != "":
		return "", fmt.Errorf("URL host %.60q has a zone, which holds on one machine only", text)
	}
	return "[" + addr.String() + "]", nil
}

// normalHost checks lengths and labels as RFC 1035 §2.3.4 has them, but allows
// the underscore, which real hosts use.
func normalHost(raw string) (string, error) {
	host := asciiLower(raw)
	if !isASCII(host) || strings.HasPrefix(host, "xn--") || strings.Contains(host, ".xn--") {
		var err error
		if host, err = idna.Lookup.ToASCII(host); err == nil {
			_, err = idna.Lookup.ToASCII(host) // it lets some labels through that it cannot read back
		}
		if err != nil {
			return "", fmt.Errorf("URL host %.60q: %w", raw, err)
		}
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" {
		return "", errors.New("URL has no host")
	}
	if len(host) > 253 {
		return "", fmt.Errorf("URL host has %d bytes, more than 253", len(host))
	}
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		if err := checkLabel(label); err != nil {
			return "", fmt.Errorf("URL host %.60q: %w", raw, err)
		}
		last = label
	}
	if endsInNumber(last) {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is4() {
			return "", fmt.Errorf("URL host %.60q ends in a number but is not an IPv4 address", raw)
		}
	}
	return host, nil
}

func checkLabel(label string) error {
	if label == "" {
		return errors.New("empty label")
	}
	if len(label) > 63 {
		return fmt.Errorf("label of %d bytes, more than 63", len(label))
	}
	for _, c := range []byte(label) {
		if !isAlnum(c) && c != '-' && c != '_' {
			return fmt.Errorf("character %q is not allowed", c)
		}
	}
	return nil
}

// endsInNumber reports whether resolvers may take a host with this last label
// for an IPv4 address in one of its old forms (WHATWG URL §3.5).
func endsInNumber(label string) bool {
	digits, hex := strings.CutPrefix(label, "0x")
	for _, c := range []byte(digits) {
		if digit := '0' <= c && c <= '9' || hex && 'a' <= c && c <= 'f'; !digit {
			return false
		}
	}
	return true
}
