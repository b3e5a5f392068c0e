package testweb

import (
	"net/http"
	"strings"
)

// doiProxy answers doi.org: /{doi} redirects to where landing says, and
// /api/handles/{doi} says whether the DOI exists.
func doiProxy(landing func(doi string) (url string, ok bool)) http.Handler {
	unknown := Page(http.StatusNotFound, "Error: DOI Not Found",
		"<h1>DOI Not Found</h1>\n<p>This DOI cannot be found in the DOI System.</p>")
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if doi, ok := strings.CutPrefix(r.URL.Path, "/api/handles/"); ok {
			answerHandle(rw, doi, landing)
			return
		}
		to, ok := landing(strings.ToLower(strings.TrimPrefix(r.URL.Path, "/")))
		if !ok {
			unknown.ServeHTTP(rw, r)
			return
		}
		Redirect(http.StatusFound, to).ServeHTTP(rw, r)
	})
}

// answerHandle answers in the words of the handle system: 1 found, 100 not.
func answerHandle(rw http.ResponseWriter, doi string, landing func(string) (string, bool)) {
	to, ok := landing(strings.ToLower(doi))
	if !ok {
		replyJSON(rw, http.StatusNotFound, object{"responseCode": 100, "handle": doi})
		return
	}
	replyJSON(rw, http.StatusOK, object{"responseCode": 1, "handle": doi, "values": []any{
		object{"index": 1, "type": "URL", "data": object{"format": "string", "value": to}, "ttl": 86400},
	}})
}
