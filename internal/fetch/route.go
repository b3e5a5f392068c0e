package fetch

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// route is one connect-to rule; empty parts match all or keep what was asked for.
type route struct{ host, port, toHost, toPort string }

type routes []route

// find returns the first rule for host:port.
func (rs routes) find(host, port string) (route, bool) {
	for _, r := range rs {
		if (r.host == "" || r.host == host) && (r.port == "" || r.port == port) {
			return r, true
		}
	}
	return route{}, false
}

func (r route) target(host, port string) string {
	if r.toHost != "" {
		host = r.toHost
	}
	if r.toPort != "" {
		port = r.toPort
	}
	return net.JoinHostPort(host, port)
}

// setsPort reports whether the operator chose the port that is dialled, rather
// than the URL.
func (r route) setsPort() bool { return r.toPort != "" || r.host != "" || r.port != "" }

func parseRoutes(texts []string) (routes, error) {
	var rs routes
	for _, text := range texts {
		r, ok := parseRoute(text)
		if !ok {
			return nil, fmt.Errorf("connect-to rule %q: want HOST1:PORT1:HOST2:PORT2, with IPv6 addresses in brackets", text)
		}
		rs = append(rs, r)
	}
	return rs, nil
}

func parseRoute(text string) (route, bool) {
	var parts [4]string
	rest := text
	for i := range parts {
		part, after, more := cutPart(rest)
		if more != (i < len(parts)-1) {
			return route{}, false
		}
		parts[i], rest = strings.ToLower(part), after
	}
	r := route{parts[0], parts[1], parts[2], parts[3]}
	return r, routeHost(r.host) && routeHost(r.toHost) && routePort(r.port) && routePort(r.toPort)
}

// cutPart cuts text at the first colon outside brackets, and takes the brackets off.
func cutPart(text string) (part, rest string, more bool) {
	if !strings.HasPrefix(text, "[") {
		return strings.Cut(text, ":")
	}
	part, rest, closed := strings.Cut(text[1:], "]")
	after, more := strings.CutPrefix(rest, ":")
	if !closed || (rest != "" && !more) {
		return "[", "", false // no host has this name: the rule is refused
	}
	return part, after, more
}

func routeHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return true
	}
	return checkName(host) == nil
}

func routePort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || (err == nil && n > 0)
}
