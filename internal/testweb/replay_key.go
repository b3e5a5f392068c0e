package testweb

import (
	"net/http"
	"net/url"
	"strings"
)

// urlKey is a URL without scheme, fragment, default port and spelling: two
// URLs that name the same file have the same key.
func urlKey(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	key := hostName(u.Host) + u.Path
	if u.Path == "" {
		key += "/"
	}
	if u.RawQuery == "" {
		return key
	}
	if query, err := url.QueryUnescape(u.RawQuery); err == nil {
		return key + "?" + query
	}
	return key + "?" + u.RawQuery
}

// requestKey is the key of a recorded request: method, scheme, host and path,
// decoded and in lower case as DOIs demand, and the query in order without the
// parameters that say who asks.
func requestKey(method, rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return method + " " + rawURL
	}
	query := u.Query()
	for _, name := range []string{"email", "mailto", "api_key", "tool"} {
		query.Del(name)
	}
	path := strings.ToLower(u.Path)
	if rest, ok := strings.CutPrefix(path, "/works/https://doi.org/"); ok {
		path = "/works/doi:" + rest // two spellings of OpenAlex
	}
	return method + " " + u.Scheme + "://" + hostName(u.Host) + path + "?" + query.Encode()
}

// recorded finds the recording of a request.
func (rp *Replay) recorded(r *http.Request) (recording, bool) {
	for _, rec := range rp.recordings[requestKey(r.Method, requestURL(r))] {
		if accepts(r, rec.accept) {
			return rec, true
		}
	}
	return recording{}, false
}

// accepts reports whether a recording made with the given Accept header answers
// r. Where one URL has many representations r must ask for the same; otherwise
// a recording whose Accept names no special one serves everybody.
func accepts(r *http.Request, accept string) bool {
	asked := r.Header.Get("Accept")
	if accept == asked {
		return true
	}
	if hostName(r.Host) == "doi.org" || !strings.Contains(accept, "application/json") && accept != "" {
		return accept != "" && strings.Contains(asked, accept)
	}
	return true
}
