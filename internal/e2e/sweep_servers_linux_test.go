package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

// fate is what may become of a case.
type fate uint8

const (
	stored fate = iota // the file must be kept
	none               // nothing may be kept
	either             // the file or nothing: a host that fails may be asked again or not
)

// hostile is a host that misbehaves with a file at /a.pdf, as a case of section D
// of the list of hostile inputs: its number comes first in its name.
type hostile struct {
	name   string
	fate   fate
	serve  func(file []byte) http.Handler
	flaw   testweb.CertFlaw
	dns    string            // a word of testnet.Zone; empty: the host is there
	robots testweb.Behaviour // nil: none
}

// on applies behaviours to an honest file server.
func on(behaviours ...testweb.Behaviour) func([]byte) http.Handler {
	return func(file []byte) http.Handler {
		h := testweb.File("application/pdf", file)
		for _, b := range slices.Backward(behaviours) {
			h = b(h)
		}
		return h
	}
}

// is serves the same whatever the file.
func is(h http.Handler) func([]byte) http.Handler { return func([]byte) http.Handler { return h } }

// text sends an answer by hand: {n} and {file} stand for the file.
func text(format string) func([]byte) http.Handler {
	return func(file []byte) http.Handler {
		return testweb.Raw(strings.NewReplacer("{n}", strconv.Itoa(len(file)), "{file}", string(file)).Replace(format))
	}
}

func with(name string, values ...string) testweb.Behaviour {
	return testweb.Rewrite(func(_ *http.Request, a *testweb.Answer) { a.Header[name] = values })
}

func times(n int, value func(i int) string) (all []string) {
	for i := range n {
		all = append(all, value(i))
	}
	return all
}

func to(location string) func([]byte) http.Handler { return is(testweb.Redirect(302, location)) }

func once(b testweb.Behaviour) testweb.Behaviour { return testweb.First(1, b) }

func busy(header ...string) testweb.Behaviour { return once(testweb.Fail(429, header...)) }

const (
	ok      = "HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n"
	private = "http://10.0.0.1/a.pdf"
	meta    = "http://169.254.169.254/latest/meta-data/"
)

// landing serves a page at /a.pdf that names the file at /real.pdf, as guessed:
// robots.txt holds for it.
func landing(file []byte) http.Handler {
	return testweb.Paths{
		"/a.pdf": testweb.Landing("A case", "10.5555/case", "/real.pdf"), "/real.pdf": testweb.File("application/pdf", file),
	}
}

func robots(h http.Handler) testweb.Behaviour { return testweb.Instead(h) }

// trailers sends the file in chunks with trailers behind it.
func trailers(file []byte) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Trailer", "X-Trail")
		_, _ = rw.Write(file)
		rw.Header().Set("X-Trail", strings.Repeat("t", 1000))
	})
}

// liar answers HEAD and GET differently.
func liar(file []byte) http.Handler {
	good := testweb.File("application/pdf", file)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			http.NotFound(rw, r)
			return
		}
		good.ServeHTTP(rw, r)
	})
}

// uncredited stores only for requests that carry no credentials.
func uncredited(file []byte) http.Handler {
	good := testweb.File("application/pdf", file)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "" || r.Header.Get("X-Injected") != "":
			http.Error(rw, "what is this?", http.StatusTeapot)
		case r.URL.Path == "/a.pdf":
			testweb.Redirect(302, "https://user:secret@"+r.Host+"/b.pdf").ServeHTTP(rw, r)
		default:
			good.ServeHTTP(rw, r)
		}
	})
}

// afterwards keeps the connection open for a while once all is sent.
func afterwards(file []byte) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Length", strconv.Itoa(len(file)))
		_, _ = rw.Write(file)
		_ = http.NewResponseController(rw).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(300 * time.Millisecond):
		}
	})
}

// endlessRobots is a robots.txt of rules without end.
func endlessRobots() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, err := io.WriteString(rw, "User-agent: *\nDisallow: /private/\n")
		for n := 0; err == nil && r.Context().Err() == nil; n++ {
			_, err = fmt.Fprintf(rw, "Disallow: /x%d/%s\n", n, strings.Repeat("y", 1000))
		}
	})
}
