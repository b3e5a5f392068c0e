package testweb

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Without takes header fields off every answer: a server without ETag, say.
func Without(names ...string) Behaviour {
	return Rewrite(func(_ *http.Request, a *Answer) {
		for _, name := range names {
			a.Header.Del(name)
		}
	})
}

// OnRange applies b to the requests that ask for a range.
func OnRange(b Behaviour) Behaviour {
	return func(h http.Handler) http.Handler {
		return either(b(h), h, func(r *http.Request) bool { return r.Header.Get("Range") != "" })
	}
}

// Instead answers with h, whatever was there before: After(1, Instead(File(…))) is
// a file that changes once it has been asked for.
func Instead(h http.Handler) Behaviour { return func(http.Handler) http.Handler { return h } }

// LyingRange has every 206 claim another Content-Range than that of its bytes.
func LyingRange(contentRange string) Behaviour {
	return parts(func(a *Answer) { a.Header.Set("Content-Range", contentRange) })
}

// PartTag gives every 206 another ETag than the file has; "" takes it off.
func PartTag(tag string) Behaviour {
	return parts(func(a *Answer) {
		a.Header.Set("Etag", tag)
		if tag == "" {
			a.Header.Del("Etag")
		}
	})
}

// PartCoded has every 206 claim a content coding.
func PartCoded(coding string) Behaviour {
	return parts(func(a *Answer) { a.Header.Set("Content-Encoding", coding) })
}

// PartLonger puts text behind the bytes of every 206, in its length too.
func PartLonger(text string) Behaviour {
	return parts(func(a *Answer) { a.Body = append(a.Body, text...) })
}

// PartMultipart wraps every 206 in multipart/byteranges, as for several ranges.
func PartMultipart() Behaviour {
	return parts(func(a *Answer) {
		a.Body = fmt.Appendf(nil, "--cut\r\nContent-Range: %s\r\n\r\n%s\r\n--cut--\r\n", a.Header.Get("Content-Range"), a.Body)
		a.Header.Del("Content-Range")
		a.Header.Set("Content-Type", "multipart/byteranges; boundary=cut")
	})
}

// FromTheStart answers ranges with the file's first bytes, as if they were those
// that were asked for.
func FromTheStart() Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			part, bare := record(h, r), r.Clone(r.Context())
			bare.Header.Del("Range")
			bare.Header.Del("If-Range")
			if part.Status == http.StatusPartialContent {
				part.Body = record(h, bare).Body[:len(part.Body)]
			}
			send(rw, part)
		})
	}
}

// Unasked answers requests for a whole file with its first n bytes as a 206.
func Unasked(n int) Behaviour {
	return Rewrite(func(r *http.Request, a *Answer) {
		if r.Header.Get("Range") != "" || a.Status != http.StatusOK {
			return
		}
		size := len(a.Body)
		a.Status, a.Body = http.StatusPartialContent, a.Body[:min(n, size)]
		a.Header.Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(a.Body)-1, size))
	})
}

// Unended sends bodies in chunks and hangs up where the last, empty one should be:
// all is there, and nothing says so.
func Unended() Behaviour {
	return byHand(func(conn *hijacked, _ *http.Request, a Answer) {
		header := string(head(a, 0))
		header = strings.Replace(header, "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", 1)
		_, _ = conn.Write([]byte(header))
		conn.last(fmt.Appendf(nil, "%x\r\n%s\r\n", len(a.Body), a.Body))
	})
}

// parts changes answers of status 206 and leaves the others alone.
func parts(change func(*Answer)) Behaviour {
	return Rewrite(func(_ *http.Request, a *Answer) {
		if a.Status == http.StatusPartialContent {
			change(a)
		}
	})
}

func send(rw http.ResponseWriter, a Answer) {
	maps.Copy(rw.Header(), a.Header)
	rw.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	rw.WriteHeader(a.Status)
	_, _ = rw.Write(a.Body)
}
