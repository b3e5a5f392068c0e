package fetch_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// certificate makes one for name that signs itself.
func certificate(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serveTLS answers with the TLS name and the Host that it was asked for.
func serveTLS(t *testing.T, cert tls.Certificate) (addr, caFile string) {
	t.Helper()
	return answerTLS(t, cert, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.ServerName, " ", r.Host, " ", r.Proto)
	})
}

// answerTLS serves HTTP/1.1 and HTTP/2 until the test ends.
func answerTLS(t *testing.T, cert tls.Certificate, answer http.HandlerFunc) (addr, caFile string) {
	t.Helper()
	s := httptest.NewUnstartedServer(answer)
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // handshakes are meant to go wrong
	s.StartTLS()
	t.Cleanup(s.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if err := os.WriteFile(caFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return s.Listener.Addr().String(), caFile
}

func TestClient_connectTo(t *testing.T) {
	addr, caFile := serveTLS(t, certificate(t, "journal.test", time.Now().Add(time.Hour)))
	_, port, _ := net.SplitHostPort(addr)
	tests := map[string]struct {
		rules []string
		url   string
		want  string
	}{
		"host and port":      {[]string{"journal.test:443:" + addr}, "https://journal.test/", "journal.test journal.test HTTP/1.1"},
		"any host":           {[]string{"::" + addr}, "https://journal.test/", "journal.test journal.test HTTP/1.1"},
		"kept port":          {[]string{"journal.test::127.0.0.1:"}, "https://journal.test:" + port, "journal.test journal.test:" + port + " HTTP/1.1"},
		"first match counts": {[]string{"other.test:443:127.0.0.1:1", "journal.test:443:" + addr, "::127.0.0.1:1"}, "https://Journal.test./", "journal.test journal.test HTTP/1.1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, func(cfg *fetch.Config) { cfg.ConnectTo, cfg.CAFile = tt.rules, caFile })
			body, err := open(t, c, tt.url)
			if err != nil || string(body) != tt.want {
				t.Errorf("got %q, %v, want %q", body, err, tt.want)
			}
		})
	}
	t.Run("target is guarded", func(t *testing.T) {
		c := newClient(t, func(cfg *fetch.Config) {
			cfg.ConnectTo, cfg.CAFile, cfg.AllowNetworks = []string{"journal.test:443:" + addr}, caFile, nil
		})
		_, err := open(t, c, "https://journal.test/")
		checkClass(t, err, paper.PolicySkipped)
	})
}

func TestClient_distrusts(t *testing.T) {
	plain := raw(t, hang)
	hour := time.Now().Add(time.Hour)
	tests := map[string]struct {
		cert    tls.Certificate
		trusted bool
		want    paper.Class
	}{
		"D 119: self-signed": {certificate(t, "journal.test", hour), false, paper.Forbidden},
		"D 119: wrong host":  {certificate(t, "other.test", hour), true, paper.Forbidden},
		"D 119: expired":     {certificate(t, "journal.test", time.Now().Add(-time.Hour)), true, paper.Forbidden},
		"valid":              {certificate(t, "journal.test", hour), true, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			addr, caFile := serveTLS(t, tt.cert)
			c := newClient(t, func(cfg *fetch.Config) {
				cfg.ConnectTo = []string{"::" + addr}
				if tt.trusted {
					cfg.CAFile = caFile
				}
			})
			_, err := open(t, c, "https://journal.test/")
			checkClass(t, err, tt.want)
		})
	}
	for name, talk := range map[string]func(net.Conn){
		"D 119: garbage":  say("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"D 119: closes":   func(net.Conn) {},
		"D 119: an alert": say("\x15\x03\x01\x00\x02\x02\x28"),
		"D 119: a flood":  flood("\x16\x03\x03\x40\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, func(cfg *fetch.Config) { cfg.Timeouts.Connect = time.Second })
			_, err := open(t, c, "https"+rawTLS(t, talk)[len("http"):])
			checkClass(t, err, paper.Transient)
		})
	}
	t.Run("D 119: TLS 1.1", func(t *testing.T) {
		cert := certificate(t, "127.0.0.1", hour)
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		go func() { _ = s.Serve(l) }()
		t.Cleanup(func() { s.Close() })
		_, err = open(t, newClient(t, nil), "https://"+l.Addr().String())
		checkClass(t, err, paper.Transient)
	})
	t.Run("D 119: hangs", func(t *testing.T) {
		c := newClient(t, func(cfg *fetch.Config) { cfg.Timeouts.Connect = 30 * time.Millisecond })
		_, err := open(t, c, "https"+plain[len("http"):])
		checkClass(t, err, paper.Transient)
	})
}
