package testweb_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

func TestBehaviours(t *testing.T) {
	const size = 10_000
	file := bytes.Repeat([]byte("x"), size)
	ok := func(g got) bool { return g.err == nil && g.status == 200 && bytes.Equal(g.body, file) }
	isReset := func(g got) bool { return errors.Is(g.err, syscall.ECONNRESET) }
	status := func(want int) func(got) bool {
		return func(g got) bool { return g.err == nil && g.status == want }
	}
	short := func(g got) bool { return errors.Is(g.err, io.ErrUnexpectedEOF) && len(g.body) < size }
	says := func(limit string) func(got) bool {
		return func(g got) bool { return ok(g) && g.header.Get("X-Rate-Limit-Limit") == limit }
	}
	announced := func(limit string) testweb.Behaviour {
		return testweb.Announce("X-Rate-Limit-Limit", limit, "X-Rate-Limit-Interval", "1s")
	}
	tests := map[string]struct {
		behaviour testweb.Behaviour
		want      []func(got) bool // of each request in turn
	}{
		"announced": {announced("10"), []func(got) bool{says("10")}},
		"announced, drops": {
			func(h http.Handler) http.Handler {
				return testweb.First(2, announced("10"))(testweb.After(2, announced("3"))(h))
			},
			[]func(got) bool{says("10"), says("10"), says("3")},
		},
		"announced with a refusal": {
			func(h http.Handler) http.Handler { return announced("10")(testweb.Fail(429)(h)) },
			[]func(got) bool{func(g got) bool { return g.status == 429 && g.header.Get("X-Rate-Limit-Limit") == "10" }},
		},
		"after the first": {testweb.After(1, testweb.Fail(500)), []func(got) bool{ok, status(500), status(500)}},
		"fail":            {testweb.Fail(503, "Retry-After", "7"), []func(got) bool{func(g got) bool { return g.status == 503 && g.header.Get("Retry-After") == "7" }}},
		"fail at first":   {testweb.First(2, testweb.Fail(500)), []func(got) bool{status(500), status(500), ok}},
		"first of each":   {testweb.FirstOfEach(1, testweb.Fail(502)), []func(got) bool{status(502), ok}},
		"under a path":    {testweb.Under("/file", testweb.Fail(404)), []func(got) bool{status(404)}},
		"under another":   {testweb.Under("/other", testweb.Fail(404)), []func(got) bool{ok}},
		"throttle":        {testweb.Throttle(2, time.Minute, testweb.InSeconds), []func(got) bool{ok, ok, status(429)}},
		"throttle opens":  {testweb.Throttle(1, time.Nanosecond, testweb.InSeconds), []func(got) bool{ok, ok}},
		"truncate":        {testweb.Truncate(100), []func(got) bool{short, short}},
		"truncate to 0":   {testweb.Truncate(0), []func(got) bool{short}},
		"declared longer": {testweb.WrongLength(5), []func(got) bool{func(g got) bool { return errors.Is(g.err, io.ErrUnexpectedEOF) && len(g.body) == size }}},
		"declared shorter": {testweb.WrongLength(-5), []func(got) bool{
			func(g got) bool { return g.err == nil && len(g.body) == size-5 },
		}},
		"reset":         {testweb.Reset(), []func(got) bool{isReset}},
		"reset in body": {testweb.First(1, testweb.ResetAfter(100)), []func(got) bool{isReset, ok}},
		"gzip": {testweb.Gzip(true), []func(got) bool{func(g got) bool {
			return g.header.Get("Content-Encoding") == "gzip" && bytes.Equal(unzip(g.body), file)
		}}},
		"gzip undeclared":  {testweb.Gzip(false), []func(got) bool{func(g got) bool { return g.header.Get("Content-Encoding") == "" && bytes.Equal(unzip(g.body), file) }}},
		"gzip lie":         {testweb.GzipLie(), []func(got) bool{func(g got) bool { return g.header.Get("Content-Encoding") == "gzip" && bytes.Equal(g.body, file) }}},
		"labelled":         {testweb.Labelled("text/html"), []func(got) bool{func(g got) bool { return ok(g) && g.header.Get("Content-Type") == "text/html" }}},
		"hints":            {testweb.Hints(3), []func(got) bool{ok}},
		"slow but whole":   {testweb.Slow(1 << 20), []func(got) bool{ok}},
		"range is ignored": {testweb.IgnoreRange(), []func(got) bool{ok}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web, client := start(t)
			client.Transport.(*http.Transport).DisableKeepAlives = true // it logs what comes after an answer
			web.Host("a.example", testweb.File("application/pdf", file), tt.behaviour)
			for _, scheme := range []string{"https", "http"} {
				if scheme == "http" && len(tt.want) > 1 {
					continue // counts go over both
				}
				for i, want := range tt.want {
					if g := get(t, client, scheme+"://a.example/file"); !want(g) {
						t.Errorf("%s request %d: status %d, %d bytes, error %v", scheme, i+1, g.status, len(g.body), g.err)
					}
				}
			}
		})
	}
}

func unzip(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(z)
	return out
}

func TestBehaviours_Time(t *testing.T) {
	tests := map[string]struct {
		behaviour testweb.Behaviour
		atLeast   time.Duration
	}{
		"latency": {testweb.Latency(100 * time.Millisecond), 100 * time.Millisecond},
		"slow":    {testweb.Slow(50_000), 150 * time.Millisecond}, // 10 kB: four pieces, three pauses
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web, client := start(t)
			web.Host("a.example", testweb.File("application/pdf", make([]byte, 10_000)), tt.behaviour)
			began := time.Now()
			if g := get(t, client, "https://a.example/"); g.err != nil || len(g.body) != 10_000 {
				t.Fatalf("got %d bytes, %v", len(g.body), g.err)
			}
			if took := time.Since(began); took < tt.atLeast {
				t.Errorf("took %v, want at least %v", took, tt.atLeast)
			}
		})
	}
}

// Hanging and stalling requests last until the client gives up, and no longer.
func TestBehaviours_UntilTheClientGivesUp(t *testing.T) {
	for name, behaviour := range map[string]testweb.Behaviour{"hang": testweb.Hang(), "stall": testweb.Stall(100)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web, client := start(t)
			entered, ended := make(chan struct{}), make(chan struct{})
			watch := func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					defer close(ended)
					close(entered)
					h.ServeHTTP(rw, r)
				})
			}
			web.Host("a.example", testweb.File("application/pdf", make([]byte, 10_000)), watch, behaviour)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-entered
				cancel()
			}()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://a.example/", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got error %v, want that of the context", err)
			}
			<-ended // the server learns of it soon
		})
	}
}

func TestThrottle_RetryAfter(t *testing.T) {
	tests := map[string]struct {
		say  testweb.RetryAfter
		want func(string) bool
	}{
		"seconds": {testweb.InSeconds, func(s string) bool { n, err := strconv.Atoi(s); return err == nil && n > 50 && n <= 60 }},
		"date": {testweb.AsDate, func(s string) bool {
			at, err := http.ParseTime(s)
			return err == nil && time.Until(at) > 50*time.Second
		}},
		"none": {testweb.Unsaid, func(s string) bool { return s == "" }},
		"odd":  {testweb.Say("2.5"), func(s string) bool { return s == "2.5" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web, client := start(t)
			web.Host("a.example", testweb.Text("text/plain", "x"), testweb.Throttle(0, time.Minute, tt.say))
			web.Host("b.example", testweb.Text("text/plain", "x"), testweb.Throttle(1, time.Minute, tt.say))
			g := get(t, client, "https://a.example/")
			if g.status != 429 || !tt.want(g.header.Get("Retry-After")) {
				t.Errorf("status %d, Retry-After %q", g.status, g.header.Get("Retry-After"))
			}
			if g := get(t, client, "https://b.example/"); g.status != 200 {
				t.Errorf("another host: status %d, want 200", g.status)
			}
		})
	}
}

func TestHandlers(t *testing.T) {
	web, client := start(t)
	loop := []string{"https://l1.example/a", "https://l2.example/b"}
	hops := []string{"h1.example", "h2.example"}
	web.Host("l1.example", testweb.Loop(loop...))
	web.Host("l2.example", testweb.Loop(loop...))
	web.Host("h1.example", testweb.Hops(hops, 3, "https://a.example/end"))
	web.Host("h2.example", testweb.Hops(hops, 3, "https://a.example/end"))
	web.Host("a.example", testweb.Paths{
		"/soft":      testweb.SoftNotFound(),
		"/challenge": testweb.Challenge(),
		"/captcha":   testweb.Captcha(),
		"/landing":   testweb.Landing(`A "quoted" title`, "10.5555/x", "https://a.example/a.pdf?a=1&b=2"),
		"/raw":       testweb.Raw("HTTP/1.1 302 Found\r\nLocation: https://a.example/x\r\nContent-Length: 0\r\n\r\n"),
		"/nonsense":  testweb.Raw("220 mail.example ESMTP\r\n"),
		"/drip":      testweb.Drip("HTTP/1.1 204 No Content\r\n\r\n", time.Microsecond),
		"/cut":       testweb.Cut("application/pdf", 5000),
		"/bomb":      testweb.GzipBomb("application/pdf", 1<<20),
		"/headers":   testweb.HeaderBomb(10),
	})
	tests := map[string]func(got) bool{
		loop[0]:                      func(g got) bool { return g.status == 302 && g.header.Get("Location") == loop[1] },
		loop[1]:                      func(g got) bool { return g.status == 302 && g.header.Get("Location") == loop[0] },
		"https://h1.example/hop/1":   func(g got) bool { return g.header.Get("Location") == "https://h2.example/hop/2" },
		"https://h2.example/hop/2":   func(g got) bool { return g.header.Get("Location") == "https://h1.example/hop/3" },
		"https://h1.example/hop/3":   func(g got) bool { return g.header.Get("Location") == "https://a.example/end" },
		"https://a.example/soft":     func(g got) bool { return g.status == 200 && bytes.Contains(g.body, []byte("not found")) },
		"https://a.example/captcha":  func(g got) bool { return g.status == 200 && bytes.Contains(g.body, []byte("g-recaptcha")) },
		"https://a.example/raw":      func(g got) bool { return g.status == 302 },
		"https://a.example/nonsense": func(g got) bool { return g.err != nil },
		"https://a.example/drip":     func(g got) bool { return g.status == 204 },
		"https://a.example/cut":      func(g got) bool { return g.err != nil && len(g.body) == 5000 },
		"https://a.example/bomb":     func(g got) bool { return len(g.body) < 2<<10 && len(unzip(g.body)) == 1<<20 },
		"https://a.example/headers":  func(g got) bool { return len(g.header.Values("X-Bomb")) == 10 },
		"https://a.example/none":     func(g got) bool { return g.status == 404 },
		"https://a.example/challenge": func(g got) bool {
			return g.status == 403 && g.header.Get("Cf-Mitigated") == "challenge"
		},
		"https://a.example/landing": func(g got) bool {
			return bytes.Contains(g.body, []byte(`<meta name="citation_pdf_url" content="https://a.example/a.pdf?a=1&amp;b=2">`))
		},
	}
	for url, want := range tests {
		if g := get(t, client, url); !want(g) {
			t.Errorf("%s: status %d, header %v, %d bytes, error %v", url, g.status, g.header, len(g.body), g.err)
		}
	}
}

func TestEndless(t *testing.T) {
	web, client := start(t)
	web.Host("a.example", testweb.Endless("application/pdf", "%PDF-1.4"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
		t.Errorf("read %d bytes: %v", n, err)
	}
}

func TestFile_RangesAndConditions(t *testing.T) {
	web, client := start(t)
	web.Host("a.example", testweb.File("application/pdf", []byte("0123456789")))
	whole := get(t, client, "https://a.example/")
	etag := whole.header.Get("ETag")
	if etag == "" || whole.header.Get("Content-Length") != "10" {
		t.Fatalf("header %v", whole.header)
	}
	g := get(t, client, "https://a.example/", "Range", "bytes=4-", "If-Range", etag)
	if g.status != http.StatusPartialContent || string(g.body) != "456789" {
		t.Errorf("range: status %d, body %q", g.status, g.body)
	}
	if g := get(t, client, "https://a.example/", "If-None-Match", etag); g.status != http.StatusNotModified {
		t.Errorf("condition: status %d", g.status)
	}
}
