package testweb

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

// Raw answers with the given bytes and hangs up: no HTTP, two lengths, a line
// break inside a Location, or whatever else net/http would not send.
func Raw(text string) http.Handler {
	return byHand(func(conn *hijacked, _ *http.Request, _ Answer) {
		conn.last([]byte(text))
	})(http.NotFoundHandler())
}

// Drip sends the given text, which must not be empty, byte by byte, each before a pause: slow headers.
func Drip(text string, pause time.Duration) http.Handler {
	return byHand(func(conn *hijacked, r *http.Request, _ Answer) {
		end := len(text) - 1
		for i := range end {
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil || wait(r.Context(), pause) != nil {
				return
			}
		}
		conn.last([]byte(text[end:]))
	})(http.NotFoundHandler())
}

// Endless serves a body without length or end, until the client gives up or
// the box closes.
func Endless(contentType, start string) http.Handler {
	piece := bytes.Repeat([]byte("endless "), 4<<10)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		_, err := io.WriteString(rw, start)
		for err == nil && r.Context().Err() == nil {
			_, err = rw.Write(piece)
		}
	})
}

// Cut sends n bytes of a body without length and breaks off inside a chunk.
func Cut(contentType string, n int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		_, _ = rw.Write(bytes.Repeat([]byte("c"), n))
		_ = http.NewResponseController(rw).Flush()
		panic(http.ErrAbortHandler)
	})
}

// GzipBomb serves n zero bytes, compressed about a thousandfold and declared so.
func GzipBomb(contentType string, n int) http.Handler {
	body := zip(make([]byte, n))
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Encoding", "gzip")
		reply(rw, http.StatusOK, contentType, body)
	})
}

// HeaderBomb answers with n header fields of 1 KiB.
func HeaderBomb(n int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		for range n {
			rw.Header().Add("X-Bomb", strings.Repeat("b", 1<<10))
		}
		reply(rw, http.StatusOK, "text/plain", []byte("ok"))
	})
}

// Hints sends n informational answers (103) before that of h.
func Hints(n int) Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			for range n {
				rw.WriteHeader(http.StatusEarlyHints)
			}
			h.ServeHTTP(rw, r)
		})
	}
}
