package resolver

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

var errBadURL = errors.New("not a web address")

// cleanURL is normalizeURL for what a service or a page wrote: spaces are
// forgiven, bytes that were no UTF-8 make the URL unusable.
func cleanURL(raw string) (string, error) {
	if strings.ContainsRune(raw, '\ufffd') {
		return "", errBadURL
	}
	return normalizeURL(strings.ReplaceAll(strings.TrimSpace(raw), " ", "%20"))
}

// normalizeURL returns an absolute http or https URL in canonical form: scheme
// and host in lower case, no fragment, no default port, no user.
func normalizeURL(raw string) (string, error) {
	const most = 8 << 10
	u, err := url.Parse(raw)
	if err != nil || len(raw) > most {
		return "", errBadURL
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", errBadURL
	}
	if host, port, err := net.SplitHostPort(u.Host); err == nil &&
		(u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443") {
		u.Host = host
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u.String(), nil
}
