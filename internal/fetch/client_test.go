package fetch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// serve answers on loopback until the test ends.
func serve(t testing.TB, answer http.HandlerFunc) (url string) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

func TestClient_Open(t *testing.T) {
	var sent http.Header
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header
		w.Header().Set("Etag", `"1"`)
		fmt.Fprint(w, r.URL.RequestURI())
	})
	c := newClient(t, nil)
	resp, err := c.Open(t.Context(), url+"/a%2Fb//../c;d?q=%zz#part", "application/pdf")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if got, want := string(body), "/a%2Fb//../c;d?q=%zz"; got != want {
		t.Errorf("requested %s, want %s", got, want)
	}
	if resp.Status != 200 || resp.URL != url+"/a%2Fb//../c;d?q=%zz" || resp.Redirect != "" ||
		resp.Length != int64(len(body)) || resp.Header.Get("Etag") != `"1"` {
		t.Errorf("unexpected response %+v", resp)
	}
	want := http.Header{
		"Accept":          {"application/pdf"},
		"Accept-Encoding": {"identity"},
		"From":            {"you@university.edu"},
		"User-Agent":      {"quire/1.2 (+https://github.com/quire-dev/quire; mailto:you@university.edu)"},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("headers sent (-want +got):\n%s", diff)
	}
	if c.Requests() != 1 {
		t.Errorf("%d requests, want 1", c.Requests())
	}
}

func TestClient_Open_keepsNoCookies(t *testing.T) {
	var cookies atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cookies.Add(int32(len(r.Cookies())))
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})
	c := newClient(t, nil)
	for range 2 {
		open(t, c, url)
	}
	if cookies.Load() != 0 {
		t.Error("a cookie came back")
	}
}

// open gets url and reads its body, and returns the error of either.
func open(t testing.TB, c *fetch.Client, url string) (body []byte, err error) {
	t.Helper()
	resp, err := c.Open(t.Context(), url, "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func TestClient_Open_ignoresProxyOfEnvironment(t *testing.T) {
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	t.Setenv("HTTP_PROXY", proxy)
	t.Setenv("http_proxy", proxy)
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	// Of loopback addresses net/http would not ask a proxy, of other names it would.
	port := url[strings.LastIndex(url, ":")+1:]
	c := newClient(t, func(cfg *fetch.Config) { cfg.ConnectTo = []string{"a.org:80:127.0.0.1:" + port} })
	if _, err := open(t, c, "http://a.org/"); err != nil {
		t.Error(err)
	}
}

func TestClient_Open_redirect(t *testing.T) {
	const ok, gone, policy = "", paper.Gone, paper.PolicySkipped
	tests := map[string]struct {
		location string
		want     string // Redirect, with BASE for the server
		class    paper.Class
	}{
		"absolute":           {"https://a.org/x", "https://a.org/x", ok},
		"canonical":          {"HTTPS://A.org.:443?q#part", "https://a.org/?q", ok},
		"relative":           {"../x?y", "BASE/x?y", ok},
		"other host":         {"//a.org/x", "http://a.org/x", ok},
		"spaces":             {"/a b?c d", "BASE/a%20b?c%20d", ok},
		"raw UTF-8":          {"/é?é", "BASE/%C3%A9?%C3%A9", ok},
		"international name": {"http://bücher.de/", "http://xn--bcher-kva.de/", ok},
		"user is dropped":    {"http://user:pw@a.org/", "http://a.org/", ok},
		"encoded CRLF":       {"/a%0d%0aX-Evil:1", "BASE/a%0d%0aX-Evil:1", ok},
		"bad escape":         {"/%zz", "", gone},
		"bad host":           {"http://[::1/", "", gone},
		"numbers":            {"http://2130706433/", "", gone},
		"too long":           {"/" + strings.Repeat("a", 9000), "", gone},
		"file":               {"file:///etc/passwd", "", policy},
		"ftp":                {"ftp://a.org/x", "", policy},
		"private":            {"http://169.254.169.254/", "", policy},
		"mail port":          {"http://a.org:25/", "", policy},
	}
	c := newClient(t, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", tt.location)
				w.WriteHeader(http.StatusFound)
			})
			resp, err := c.Open(t.Context(), url+"/dir/file", "")
			checkClass(t, err, tt.class)
			if err != nil {
				if f := new(paper.Failure); errors.As(err, &f) && f.Status != http.StatusFound {
					t.Errorf("status %d of the failure, want 302", f.Status)
				}
				return
			}
			resp.Body.Close()
			if want := strings.ReplaceAll(tt.want, "BASE", url); resp.Redirect != want {
				t.Errorf("Redirect %q, want %q", resp.Redirect, want)
			}
		})
	}
}

func TestClient_Open_redirectsByStatus(t *testing.T) {
	c := newClient(t, nil)
	for status, want := range map[int]bool{
		200: false, 201: false, 300: true, 301: true, 302: true, 303: true, 304: false, 305: false, 306: false,
		307: true, 308: true, 404: false,
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/next")
			w.WriteHeader(status)
		})
		resp, err := c.Open(t.Context(), url, "")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Redirect != ""; got != want || resp.Status != status {
			t.Errorf("status %d: redirect %v, want %v", status, got, want)
		}
	}
}

func TestClient_Open_reusesConnections(t *testing.T) {
	var remotes []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		remotes = append(remotes, r.RemoteAddr)
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, strings.Repeat("no such page ", 100))
	})
	c := newClient(t, nil)
	for range 3 {
		resp, err := c.Open(t.Context(), url, "")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close() // unread
	}
	if remotes[0] != remotes[1] || remotes[1] != remotes[2] {
		t.Errorf("connections %v, want one", remotes)
	}
}

func TestClient_cancel(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	arrived := make(chan struct{}, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			fmt.Fprint(w, "some bytes")
			w.(http.Flusher).Flush()
		}
		arrived <- struct{}{}
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	c := newClient(t, nil)

	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Open(ctx, url, "")
		checkCancelled(t, err)
	})
	t.Run("waiting for headers", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-arrived
			cancel(errors.New("enough"))
		}()
		_, err := c.Get(ctx, url, nil)
		checkCancelled(t, err)
	})
	t.Run("in the body", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := c.Open(ctx, url+"/body", "")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		cancel()
		_, err = io.ReadAll(resp.Body)
		checkCancelled(t, err)
	})
}

func checkCancelled(t *testing.T, err error) {
	t.Helper()
	checkClass(t, err, paper.Transient)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not wrap context.Canceled", err)
	}
}

func TestClient_Get(t *testing.T) {
	var sent http.Header
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header
		switch r.URL.Path {
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			fmt.Fprint(z, `{"a":1}`)
		case "/moved":
			http.Redirect(w, r, "/plain", http.StatusMovedPermanently)
		case "/missing":
			http.Error(w, `{"error":true}`, http.StatusNotFound)
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zeros(t, 20<<20))
		case "/large":
			_, _ = w.Write(make([]byte, 8<<20+1))
		case "/limit":
			_, _ = w.Write(make([]byte, 8<<20))
		default:
			fmt.Fprint(w, `{"a":1}`)
		}
	})
	c := newClient(t, nil)
	for path, want := range map[string]paper.Reply{
		"/plain":   {Status: 200, Body: []byte(`{"a":1}`)},
		"/gzip":    {Status: 200, Body: []byte(`{"a":1}`)},
		"/missing": {Status: 404, Body: []byte("{\"error\":true}\n")},
		"/moved":   {Status: 301, Body: []byte("<a href=\"/plain\">Moved Permanently</a>.\n\n")},
		"/limit":   {Status: 200, Body: make([]byte, 8<<20)},
	} {
		got, err := c.Get(t.Context(), url+path, http.Header{"x-api-key": {"k"}, "accept": {"application/json"}})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got.Status != want.Status || !bytes.Equal(got.Body, want.Body) || got.Header == nil {
			t.Errorf("%s: got %d %.100q, want %d %.100q", path, got.Status, got.Body, want.Status, want.Body)
		}
	}
	if sent.Get("X-Api-Key") != "k" || sent.Get("Accept") != "application/json" || sent.Get("From") == "" {
		t.Errorf("headers sent: %v", sent)
	}
	for _, path := range []string{"/bomb", "/large"} {
		_, err := c.Get(t.Context(), url+path, nil)
		checkClass(t, err, paper.InvalidContent)
	}
}

func TestClient_Post(t *testing.T) {
	var sent http.Header
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.ContentLength != int64(len(body)) {
			t.Errorf("%s with a body of %d bytes, Content-Length %d: %v", r.Method, len(body), r.ContentLength, err)
		}
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		case "/large":
			_, _ = w.Write(make([]byte, 8<<20+1))
		default:
			fmt.Fprintf(w, "%d", len(body))
		}
	})
	c := newClient(t, nil)
	for path, want := range map[string]struct {
		body   int
		status int
		answer string
	}{
		"/":      {5, 200, "5"},
		"/limit": {paper.MaxPost, 200, "1048576"},
		"/moved": {5, 307, ""},
	} {
		got, err := c.Post(t.Context(), url+path, http.Header{"X-Api-Key": {"k"}}, make([]byte, want.body))
		if err != nil || got.Status != want.status || string(got.Body) != want.answer {
			t.Errorf("%s: %d %.100q, %v", path, got.Status, got.Body, err)
		}
	}
	if sent.Get("X-Api-Key") != "k" || sent.Get("Content-Type") != "application/json" || sent.Get("From") == "" {
		t.Errorf("headers sent: %v", sent)
	}
	_, err := c.Post(t.Context(), url+"/large", nil, []byte("{}"))
	checkClass(t, err, paper.InvalidContent)
	before := c.Requests()
	_, err = c.Post(t.Context(), url, nil, make([]byte, paper.MaxPost+1))
	checkClass(t, err, paper.TooLarge)
	if c.Requests() != before {
		t.Error("a body over the limit was sent")
	}
	_, err = c.Post(t.Context(), "http://10.0.0.1/x", nil, []byte("{}"))
	checkClass(t, err, paper.PolicySkipped)
	_, err = c.Post(t.Context(), "http://127.0.0.1:1024/x?key=SECRET", nil, []byte("{}")) // nobody listens there
	checkClass(t, err, paper.Transient)
	if !strings.HasPrefix(err.Error(), "post http://127.0.0.1:1024/x: ") {
		t.Errorf("error %q", err)
	}
}

// zeros returns n zero bytes, gzipped: a bomb.
func zeros(t testing.TB, n int) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestClient_errorsKeepSecrets(t *testing.T) {
	c := newClient(t, nil)
	for _, url := range []string{
		"http://127.0.0.1:1024/x?api_key=SECRET", // nobody listens there
		"http://127.0.0.1:1024/%zz?api_key=SECRET",
		"http://u:SECRET@127.0.0.1:1024/",
		"http://10.0.0.1/?api_key=SECRET",
	} {
		_, err := c.Get(t.Context(), url, nil)
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: error %v", url, err)
		}
	}
}

func BenchmarkClient_Open(b *testing.B) {
	page := bytes.Repeat([]byte("x"), 16<<10)
	url := serve(b, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(page) })
	c := newClient(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.Open(b.Context(), url, "")
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
