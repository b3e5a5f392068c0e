package testweb

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Answer is a whole answer, made but not yet sent.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Rewrite changes answers before they are sent. They get a matching
// Content-Length unless change sets one.
func Rewrite(change func(*http.Request, *Answer)) Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			a := record(h, r)
			a.Header.Del("Content-Length")
			change(r, &a)
			if a.Header.Get("Content-Length") == "" {
				a.Header.Set("Content-Length", strconv.Itoa(len(a.Body)))
			}
			maps.Copy(rw.Header(), a.Header)
			rw.WriteHeader(a.Status)
			_, _ = rw.Write(a.Body)
		})
	}
}

// Labelled gives answers another Content-Type: a PDF called text/html.
func Labelled(contentType string) Behaviour {
	return Rewrite(func(_ *http.Request, a *Answer) { a.Header.Set("Content-Type", contentType) })
}

// Gzip compresses bodies. If declared is false the header does not say so, and
// the client gets a gzip file where it expects another.
func Gzip(declared bool) Behaviour {
	return Rewrite(func(_ *http.Request, a *Answer) {
		a.Body = zip(a.Body)
		if declared {
			a.Header.Set("Content-Encoding", "gzip")
		}
	})
}

// GzipLie declares gzip for bodies that are not.
func GzipLie() Behaviour {
	return Rewrite(func(_ *http.Request, a *Answer) { a.Header.Set("Content-Encoding", "gzip") })
}

// IgnoreRange answers every range request with the whole.
func IgnoreRange() Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.Header.Del("Range")
			h.ServeHTTP(rw, r)
		})
	}
}

// Truncate declares the whole body, sends n bytes of it and hangs up.
func Truncate(n int) Behaviour {
	return Rewrite(func(_ *http.Request, a *Answer) {
		whole := len(a.Body)
		a.Body = a.Body[:min(n, whole)]
		if len(a.Body) < whole {
			a.Header.Set("Content-Length", strconv.Itoa(whole)) // net/http hangs up on a short body
		}
	})
}

// Stall sends n bytes of the body and then nothing, until the client gives up
// or the box closes.
func Stall(n int) Behaviour {
	return byHand(func(conn *hijacked, r *http.Request, a Answer) {
		_, _ = conn.Write(head(a, len(a.Body)))
		_, _ = conn.Write(a.Body[:min(n, len(a.Body))])
		awaitHangUp(conn, r)
	})
}

// WrongLength declares delta bytes more or fewer than it sends before it hangs up.
func WrongLength(delta int) Behaviour {
	return byHand(func(conn *hijacked, _ *http.Request, a Answer) {
		conn.last(append(head(a, len(a.Body)+delta), a.Body...))
	})
}

// Reset resets the connection (RST) instead of answering.
func Reset() Behaviour {
	return byHand(func(conn *hijacked, _ *http.Request, _ Answer) { reset(conn) })
}

// ResetAfter resets the connection (RST) after n bytes of the body.
func ResetAfter(n int) Behaviour {
	return byHand(func(conn *hijacked, _ *http.Request, a Answer) {
		_, _ = conn.Write(append(head(a, len(a.Body)), a.Body[:min(n, len(a.Body))]...))
		reset(conn)
	})
}

// byHand lets write answer on the bare connection, which is closed afterwards.
func byHand(write func(*hijacked, *http.Request, Answer)) Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			a := record(h, r)
			conn, _, err := http.NewResponseController(rw).Hijack()
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			defer conn.Close()
			if booked, ok := conn.(*hijacked); ok {
				write(booked, r, a)
			}
		})
	}
}

// awaitHangUp returns when the client closes its end, or sends more, or the box closes.
func awaitHangUp(conn *hijacked, r *http.Request) {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = conn.Read(make([]byte, 1))
	}()
	select {
	case <-gone:
	case <-r.Context().Done():
		_ = conn.Close()
		<-gone
	}
}

// reset ends the request and resets its connection.
func reset(conn *hijacked) {
	conn.exchange.end()
	below := conn.Conn
	if secure, ok := below.(*tls.Conn); ok {
		below = secure.NetConn() // TLS would say goodbye first
	}
	if tcp, ok := below.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = below.Close()
}

func head(a Answer, length int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.Status, http.StatusText(a.Status))
	header := a.Header.Clone()
	header.Set("Content-Length", strconv.Itoa(length))
	_ = header.Write(&b)
	b.WriteString("\r\n")
	return b.Bytes()
}

// record runs h and keeps what it answers.
func record(h http.Handler, r *http.Request) Answer {
	rec := &recorder{Answer{Header: http.Header{}}}
	h.ServeHTTP(rec, r)
	if rec.answer.Status == 0 {
		rec.answer.Status = http.StatusOK
	}
	return rec.answer
}

type recorder struct{ answer Answer }

func (rec *recorder) Header() http.Header { return rec.answer.Header }

func (rec *recorder) WriteHeader(status int) {
	if rec.answer.Status == 0 {
		rec.answer.Status = status
	}
}

func (rec *recorder) Write(p []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	rec.answer.Body = append(rec.answer.Body, p...)
	return len(p), nil
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// Poison answers 400 to every request that names id, alone or among others, in
// its URL or its body: an identifier that a service cannot digest.
func Poison(id string) Behaviour {
	return func(h http.Handler) http.Handler {
		refusal := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			replyJSON(rw, http.StatusBadRequest, object{"error": "Bad request"})
		})
		return either(refusal, h, func(r *http.Request) bool {
			body, err := io.ReadAll(io.LimitReader(r.Body, 2<<20))
			if err != nil {
				return false
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			asked, err := url.QueryUnescape(r.URL.RequestURI())
			return err == nil && strings.Contains(asked, id) || strings.Contains(string(body), id)
		})
	}
}
