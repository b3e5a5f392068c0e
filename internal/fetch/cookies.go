package fetch

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

const (
	maxCookies     = 20      // of one download; walls set two or three
	maxCookieBytes = 4 << 10 // of all of them with where they come from: they are kept with a job
)

// Cookies are those that the answers on the way to one file have set. They go
// nowhere but to the requests that are given them, so a download can have its own
// and no other sees them. They can be kept as JSON. Nil is none.
type Cookies []Cookie

// Cookie is one Set-Cookie field.
type Cookie struct {
	URL string `json:"url"` // that set it, without its query
	Set string `json:"set"` // the field's value
}

// With returns cs and what resp has set: at most 20 cookies of 4 KiB in all, and
// of those over that none.
func (cs Cookies) With(resp *Response) Cookies {
	from, err := url.Parse(resp.URL)
	if err != nil {
		return cs
	}
	from.RawQuery = ""
	left := maxCookieBytes
	for _, c := range cs {
		left -= len(c.URL) + len(c.Set)
	}
	cs = slices.Clip(cs) // so that appending leaves the caller's alone
	for _, line := range resp.Header.Values("Set-Cookie") {
		c := Cookie{URL: from.String(), Set: line}
		if len(cs) >= maxCookies || len(c.URL)+len(c.Set) > left {
			continue
		}
		if _, err := http.ParseSetCookie(line); err != nil {
			continue
		}
		left -= len(c.URL) + len(c.Set)
		cs = append(cs, c)
	}
	return cs
}

// For returns the Cookie header for a request to a URL, empty for none, by the
// rules of RFC 6265: a cookie goes back to the host that set it, or to the domain
// that it names if the host is below it and it is no public suffix.
func (cs Cookies) For(rawURL string) string {
	to, err := url.Parse(rawURL)
	if err != nil || len(cs) == 0 {
		return ""
	}
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		return ""
	}
	for _, c := range cs {
		from, urlErr := url.Parse(c.URL)
		cookie, setErr := http.ParseSetCookie(c.Set)
		if urlErr == nil && setErr == nil {
			jar.SetCookies(from, []*http.Cookie{cookie})
		}
	}
	var pairs []string
	for _, c := range jar.Cookies(to) {
		pairs = append(pairs, (&http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted}).String())
	}
	return strings.Join(pairs, "; ")
}
