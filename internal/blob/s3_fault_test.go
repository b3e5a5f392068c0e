package blob_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/s3test"
)

// fate is what becomes of a request on its way.
type fate int

const (
	arrives fate = iota
	isCut        // it does not reach the server
	isLost       // it does, and its answer is cut
)

// through opens a store that reaches the server through a proxy.
func through(t *testing.T, see func(*http.Request) fate) remote {
	t.Helper()
	target, err := url.Parse(s3.Server(t).Endpoint())
	must(t, err)
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // of requests that the client gives up
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch see(r) {
		case isCut:
			panic(http.ErrAbortHandler)
		case isLost:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	return openS3(t, proxy.Listener.Addr().String())
}

// part returns the number of the part that a request sends, or nothing.
func part(r *http.Request) string { return r.URL.Query().Get("partNumber") }

// A small file that is new costs one request.
func TestS3_requests(t *testing.T) {
	var n atomic.Int64
	r := through(t, func(*http.Request) fate { n.Add(1); return arrives })
	mustPut(t, r, []byte("a paper"), ".pdf")
	if got := n.Load(); got != 1 {
		t.Errorf("%d requests, want 1", got)
	}
}

// A request that breaks is sent again a few times; what broke for good is for the
// run to wait out, and leaves nothing.
func TestS3_broken(t *testing.T) {
	all := func(*http.Request) bool { return true }
	second := func(r *http.Request) bool { return part(r) == "2" }
	begin := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploads") }
	complete := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") }
	head := func(r *http.Request) bool { return r.Method == http.MethodHead }
	const big, always = 12 << 20, 1000
	tests := map[string]struct {
		size  int
		hit   func(*http.Request) bool
		fate  fate
		times int64 // how many are hit
		want  bool  // that the file is stored
	}{
		"once":                     {1000, all, isCut, 1, true},
		"always":                   {1000, all, isCut, always, false},
		"the answer":               {1000, all, isLost, 1, true},
		"a part, once":             {big, second, isCut, 1, true},
		"a part, always":           {big, second, isCut, always, false},
		"the answer to a part":     {big, second, isLost, 1, true},
		"the beginning":            {big, begin, isCut, always, false},
		"the id of the upload":     {big, begin, isLost, always, false},
		"the completion":           {big, complete, isCut, always, false},
		"the word of completion":   {big, complete, isLost, 1, true},
		"no word of completion":    {big, complete, isLost, always, true},
		"the question for the key": {big, head, isCut, always, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var times atomic.Int64
			r := through(t, func(r *http.Request) fate {
				if tt.hit(r) && times.Add(1) <= tt.times {
					return tt.fate
				}
				return arrives
			})
			r.SetSizes(5<<20, 0)
			b, err := put(t.Context(), r, make([]byte, tt.size), ".pdf")
			switch {
			case tt.want && err != nil:
				t.Errorf("Commit: %v", err)
			case tt.want:
				if kept := r.kept(t); len(kept) != 1 || kept[0] != b.Path {
					t.Errorf("kept: %v", kept)
				}
			case !tt.want && !blob.OutOfService(err):
				t.Errorf("Commit: %v, want that the service is away", err)
			case !tt.want:
				r.wantNothing(t)
			}
			if got := times.Load(); !tt.want && got > 5 {
				t.Errorf("sent %d times", got)
			}
		})
	}
}

// A run that stops in the middle of an upload takes its parts back.
func TestS3_stopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := through(t, func(r *http.Request) fate {
		if part(r) == "2" {
			cancel()
		}
		return arrives
	})
	r.SetSizes(5<<20, 0)
	if _, err := put(ctx, r, make([]byte, 12<<20), ".pdf"); !errors.Is(err, context.Canceled) || blob.OutOfService(err) {
		t.Errorf("Commit: %v", err)
	}
	r.wantNothing(t)
}

// What a crash leaves at the service, or what it could not be told to drop, Clean
// removes as soon as it can, and no upload of somebody else.
func TestS3_Clean_parts(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	r := through(t, func(r *http.Request) fate {
		if away.CompareAndSwap(false, part(r) == "2"); away.Load() {
			return isCut
		}
		return arrives
	})
	r.SetSizes(5<<20, 1)
	if _, err := put(t.Context(), r, make([]byte, 12<<20), ".pdf"); !blob.OutOfService(err) {
		t.Fatalf("Commit: %v", err)
	}
	if kept := r.kept(t); len(kept) == 0 {
		t.Fatal("no parts are left: nothing is shown")
	}
	marks, err := filepath.Glob(filepath.Join(r.temps, "*"))
	if err != nil || len(marks) != 1 {
		t.Fatalf("temporary files: %v, %v, want a mark", marks, err)
	}
	if n, err := r.Clean(t.Context()); n != 0 || err != nil {
		t.Errorf("Clean with the service away: %d, %v, want it to leave the mark", n, err)
	}
	away.Store(false)
	if n, err := r.Clean(t.Context()); n != 1 || err != nil {
		t.Errorf("Clean: %d, %v", n, err)
	}
	r.wantNothing(t)
}

func TestS3_down(t *testing.T) {
	t.Parallel()
	server, err := s3test.Start(t.Context(), false)
	s3test.Need(t, err)
	defer func() { must(t, server.Stop()) }()
	r := remote{server: server, bucket: server.Bucket(t), temps: filepath.Join(t.TempDir(), "tmp")}
	r.S3 = r.reopen(t, "")
	key := mustPut(t, r, []byte("before"), ".pdf").Path
	must(t, r.Check(t.Context()))
	must(t, server.Down())

	_, putErr := put(t.Context(), r, []byte("meanwhile"), ".pdf")
	_, _, openErr := r.Open(t.Context(), key)
	for doing, err := range map[string]error{
		"Commit": putErr, "Open": openErr, "Check": r.Check(t.Context()),
		"Walk": r.Walk(t.Context(), func(blob.Blob) error { return nil }),
	} {
		if !blob.OutOfService(err) || errors.Is(err, blob.ErrRefused) || strings.Count(err.Error(), "\n") > 0 ||
			!strings.Contains(err.Error(), "s3://"+r.bucket+"/papers") || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: %v", doing, err)
		}
	}
	must(t, server.Up(t.Context()))
	mustPut(t, r, []byte("meanwhile"), ".pdf")
	if kept := r.kept(t); len(kept) != 2 {
		t.Errorf("kept: %v", kept)
	}
}

func TestS3_tls(t *testing.T) {
	t.Parallel()
	server, err := s3test.Start(t.Context(), true)
	s3test.Need(t, err)
	defer func() { must(t, server.Stop()) }()
	r := remote{server: server, bucket: server.Bucket(t), temps: filepath.Join(t.TempDir(), "tmp")}
	r.S3 = r.reopen(t, "")
	mustPut(t, r, []byte("a paper"), ".pdf")
	place := r.place(t)
	for name, cfg := range map[string]blob.S3Config{
		"unknown to the system": {Place: place, Temp: r.temps},
		"TLS to a plain server": {Place: blob.S3Place{Bucket: "bucket", Region: s3test.Region, Endpoint: strings.TrimPrefix(s3.Server(t).Endpoint(), "http://")}, Temp: r.temps},
	} {
		store, err := blob.OpenS3(cfg)
		must(t, err)
		if err := store.Check(t.Context()); !blob.OutOfService(err) {
			t.Errorf("%s: %v", name, err)
		}
		must(t, store.Close())
	}
}

func TestS3_refused(t *testing.T) {
	r := openS3(t, "")
	tests := map[string]struct {
		env    map[string]string
		change func(*blob.S3Place)
		says   string
	}{
		"no such bucket": {nil, func(p *blob.S3Place) { p.Bucket = "nowhere" }, "NoSuchBucket"},
		"unknown key":    {map[string]string{"AWS_ACCESS_KEY_ID": "somebodyelse"}, nil, "XAdminUserNotFound"},
		"wrong secret":   {map[string]string{"AWS_SECRET_ACCESS_KEY": "hunter2hunter2"}, nil, "SignatureDoesNotMatch"},
		"wrong region":   {nil, func(p *blob.S3Place) { p.Region = "us-west-9" }, "AuthorizationHeaderMalformed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for key, value := range tt.env {
				t.Setenv(key, value)
			}
			place := r.place(t)
			if tt.change != nil {
				tt.change(&place)
			}
			store, err := blob.OpenS3(blob.S3Config{Place: place, Temp: r.temps})
			must(t, err)
			defer store.Close()
			err = store.Check(t.Context())
			if !errors.Is(err, blob.ErrRefused) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Check: %v, want %s", err, tt.says)
			}
			for _, secret := range []string{s3test.SecretKey, s3test.AccessKey, "hunter2", "somebodyelse"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v shows %s", err, secret)
				}
			}
			if _, err := put(t.Context(), store, []byte("x"), ".pdf"); !blob.OutOfService(err) {
				t.Errorf("Commit: %v, want it to wait for the operator", err)
			}
		})
	}
}

func TestOpenS3_keys(t *testing.T) {
	r := openS3(t, "")
	file := filepath.Join(t.TempDir(), "credentials")
	text := "[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n" +
		"[papers]\naws_access_key_id = " + s3test.AccessKey + "\naws_secret_access_key = " + s3test.SecretKey + "\n"
	must(t, os.WriteFile(file, []byte(text), 0o600))
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_PROFILE", "papers")
	must(t, r.reopen(t, "").Check(t.Context()))

	cfg := blob.S3Config{Place: r.place(t), Temp: r.temps}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file+".not")
	if _, err := blob.OpenS3(cfg); !errors.Is(err, blob.ErrRefused) || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Errorf("no keys: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	if _, err := blob.OpenS3(cfg); !errors.Is(err, blob.ErrRefused) {
		t.Errorf("half of a key: %v", err)
	}
}

// A connection on which nothing moves breaks; one that moves now and then, in
// either direction, does not.
func TestS3_silence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		conn := blob.NewIdleConn(here)
		answered := make(chan error)
		go func() {
			_, err := conn.Read(make([]byte, 1)) // waits for the answer while the body goes out
			answered <- err
		}()
		start := time.Now()
		for range 5 {
			time.Sleep(blob.IdleTime * 2 / 3)
			go there.Read(make([]byte, 1))
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Fatalf("after %v: %v", time.Since(start), err)
			}
		}
		if err := <-answered; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read: %v", err)
		}
		if got, want := time.Since(start), blob.IdleTime*10/3+blob.IdleTime; got != want {
			t.Errorf("broke after %v, want %v", got, want)
		}
	})
}
