package testweb_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
)

func TestWeb_ServesAnyName(t *testing.T) {
	web, client := start(t)
	web.Suffix(".names.example", testweb.Text("text/plain", "suffix"))
	var hosts sync.WaitGroup
	for i := range 300 {
		name := fmt.Sprintf("h%d.names.example", i)
		if i%2 == 0 {
			web.Host(name, testweb.Text("text/plain", name))
		}
		hosts.Go(func() {
			want := name
			if i%2 == 1 {
				want = "suffix"
			}
			for _, scheme := range []string{"https", "http"} {
				if g := get(t, client, scheme+"://"+name+"/"); g.err != nil || string(g.body) != want {
					t.Errorf("%s://%s: got %q, %v", scheme, name, g.body, g.err)
				}
			}
		})
	}
	hosts.Wait()
	if got := web.Requests(); got != 600 {
		t.Errorf("Requests = %d, want 600", got)
	}
	if g := get(t, client, "https://stranger.example/"); g.status != http.StatusNotFound {
		t.Errorf("unregistered host: status %d, want 404", g.status)
	}
}

// The way a program under test reaches the box: by rules and a file of roots.
func TestWeb_ConnectToAndCA(t *testing.T) {
	web, _ := start(t)
	web.Host("a.example", testweb.Text("text/plain", "a"))
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := web.WriteCA(file); err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in the CA file")
	}
	for _, rule := range web.ConnectTo() {
		parts := strings.Split(rule, ":")
		if len(parts) != 4 || parts[0] != "" || parts[2] != "127.0.0.1" {
			t.Fatalf("rule %q", rule)
		}
		secure := parts[1] == "443" || parts[1] == "8443"
		address := net.JoinHostPort(parts[2], parts[3])
		if !secure {
			continue
		}
		conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: "a.example", RootCAs: roots})
		if err != nil {
			t.Fatalf("rule %q: %v", rule, err)
		}
		conn.Close()
	}
}

func TestWeb_Certificate(t *testing.T) {
	tests := map[string]struct {
		flaw testweb.CertFlaw
		want func(error) bool
	}{
		"expired": {testweb.Expired, func(err error) bool {
			var invalid x509.CertificateInvalidError
			return errors.As(err, &invalid) && invalid.Reason == x509.Expired
		}},
		"wrong host": {testweb.WrongHost, func(err error) bool {
			var wrong x509.HostnameError
			return errors.As(err, &wrong)
		}},
		"self-signed": {testweb.SelfSigned, func(err error) bool {
			var unknown x509.UnknownAuthorityError
			return errors.As(err, &unknown)
		}},
		"none": {testweb.NoFlaw, func(err error) bool { return err == nil }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			web, client := start(t)
			web.Certificate("bad.example", tt.flaw)
			if g := get(t, client, "https://bad.example/"); !tt.want(g.err) {
				t.Errorf("got error %v", g.err)
			}
		})
	}
}

func TestWeb_CloseLetsHangingRequestsGo(t *testing.T) {
	web, client := start(t)
	entered := make(chan struct{})
	web.Host("hang.example", testweb.Text("text/plain", ""), func(h http.Handler) http.Handler {
		hang := testweb.Hang()(h)
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			close(entered)
			hang.ServeHTTP(rw, r)
		})
	})
	answered := make(chan error, 1)
	go func() { answered <- get(t, client, "https://hang.example/").err }()
	<-entered
	if err := web.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-answered; err == nil {
		t.Error("hanging request got an answer")
	}
	if got := web.Accounts()["hang.example"].InFlight; got != 0 {
		t.Errorf("%d requests in flight after Close", got)
	}
}

func BenchmarkWeb(b *testing.B) {
	for name, body := range map[string][]byte{"1KiB": make([]byte, 1<<10), "32KiB": make([]byte, 32<<10)} {
		for _, scheme := range []string{"https", "http"} {
			b.Run(scheme+"/"+name, func(b *testing.B) {
				web, client := start(b)
				web.Host("bench.example", testweb.File("application/pdf", body))
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if g := get(b, client, scheme+"://bench.example/a.pdf"); g.err != nil {
							b.Fatal(g.err)
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
			})
		}
	}
}

func BenchmarkWeb_NewHosts(b *testing.B) {
	web, client := start(b)
	web.Suffix(".example", testweb.Text("text/plain", "ok"))
	client.Transport.(*http.Transport).DisableKeepAlives = true
	for i := 0; b.Loop(); i++ {
		if g := get(b, client, fmt.Sprintf("https://h%d.example/", i)); g.err != nil {
			b.Fatal(g.err)
		}
	}
}
