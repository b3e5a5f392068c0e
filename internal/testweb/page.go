package testweb

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Paths serves each path, or path with query, with its own handler; the others
// are 404.
type Paths map[string]http.Handler

func (p Paths) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	h, ok := p[r.URL.RequestURI()]
	if !ok {
		h, ok = p[r.URL.Path]
	}
	if !ok {
		http.NotFound(rw, r)
		return
	}
	h.ServeHTTP(rw, r)
}

// File serves bytes as a file server does: Content-Length, a strong ETag,
// ranges, conditions.
func File(contentType string, body []byte) http.Handler {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		rw.Header().Set("ETag", etag)
		if r.Method == http.MethodGet && !conditional(r.Header) { // ServeContent would say the same, slower
			rw.Header().Set("Accept-Ranges", "bytes")
			reply(rw, http.StatusOK, contentType, body)
			return
		}
		http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(body))
	})
}

func conditional(h http.Header) bool {
	return h.Get("Range") != "" || h.Get("If-Match") != "" || h.Get("If-None-Match") != ""
}

// Text serves a text.
func Text(contentType, text string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, http.StatusOK, contentType, []byte(text))
	})
}

// Redirect leads elsewhere, with the location just as given.
func Redirect(status int, location string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Location", location)
		rw.WriteHeader(status)
	})
}

// Loop serves URLs each of which redirects to the next, and the last to the
// first. Register it at the host of each.
func Loop(urls ...string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		at := slices.Index(urls, requestURL(r))
		if at < 0 {
			http.NotFound(rw, r)
			return
		}
		http.Redirect(rw, r, urls[(at+1)%len(urls)], http.StatusFound)
	})
}

// Hops serves a chain of n redirects over the hosts in turn, from
// https://hosts[0]/hop/1 to final. Register it at each host.
func Hops(hosts []string, n int, final string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var hop int
		if _, err := fmt.Sscanf(r.URL.Path, "/hop/%d", &hop); err != nil {
			http.NotFound(rw, r)
			return
		}
		to := final
		if hop < n {
			to = fmt.Sprintf("https://%s/hop/%d", hosts[hop%len(hosts)], hop+1)
		}
		http.Redirect(rw, r, to, http.StatusFound)
	})
}

// Page serves an HTML page with a status.
func Page(status int, title, body string) http.Handler {
	return htmlPage(status, title, "", body)
}

// Landing serves the page of a work. If pdfURL is not empty the page names it
// in a citation_pdf_url tag.
func Landing(title, doi, pdfURL string) http.Handler {
	tags := meta("citation_title", title) + meta("citation_doi", doi)
	if pdfURL != "" {
		tags += meta("citation_pdf_url", pdfURL)
	}
	return htmlPage(http.StatusOK, title, tags, "<h1>"+html.EscapeString(title)+"</h1>\n<p>Abstract.</p>")
}

// SoftNotFound says with status 200 that there is nothing.
func SoftNotFound() http.Handler {
	return Page(http.StatusOK, "Page not found", "<h1>Sorry</h1>\n<p>The page you asked for could not be found.</p>")
}

// Challenge is a wall that wants a script run first: 403 and the header that
// the real ones carry.
func Challenge() http.Handler {
	page := Page(http.StatusForbidden, "Just a moment...",
		`<p>Checking your browser before accessing the site.</p><form id="challenge-form" action="/cdn-cgi/l/chk_jschl"></form>`)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Cf-Mitigated", "challenge")
		page.ServeHTTP(rw, r)
	})
}

// Captcha is a wall that wants a human, with status 200.
func Captcha() http.Handler {
	return Page(http.StatusOK, "Are you a robot?",
		`<h1>Please confirm you are not a robot</h1><div class="g-recaptcha" data-sitekey="0"></div>`)
}

// CookieWall leads every request without its cookie back to the same URL, and sets
// the cookie on the way.
func CookieWall() Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if c, err := r.Cookie("seen"); err == nil && c.Value == "1" {
				h.ServeHTTP(rw, r)
				return
			}
			rw.Header().Set("Set-Cookie", "seen=1; Path=/; Secure; HttpOnly")
			rw.Header().Set("Location", r.URL.RequestURI())
			rw.WriteHeader(http.StatusFound)
		})
	}
}

func meta(name, content string) string {
	return fmt.Sprintf("<meta name=%q content=\"%s\">\n", name, html.EscapeString(content))
}

func htmlPage(status int, title, tags, body string) http.Handler {
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>%s</title>\n%s</head>\n<body>\n%s\n</body>\n</html>\n",
		html.EscapeString(title), tags, body)
	text := []byte(b.String())
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, status, "text/html; charset=utf-8", text)
	})
}
