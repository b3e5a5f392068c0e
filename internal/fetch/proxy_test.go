package fetch_test

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// tunnels is a proxy that connects whatever it is asked for to one address.
type tunnels struct {
	to string

	mu    sync.Mutex
	asked []string
}

func (p *tunnels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.RequestURI)
	p.mu.Unlock()
	far, err := new(net.Dialer).DialContext(r.Context(), "tcp", p.to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer far.Close()
	w.WriteHeader(http.StatusOK)
	near, begun, err := http.NewResponseController(w).Hijack() // what the client has sent by now is in begun
	if err != nil {
		return
	}
	defer near.Close()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(far, begun); far.Close() })
	_, _ = io.Copy(near, far)
	near.Close()
	both.Wait()
}

// C 94: a proxy is used only if it is configured, for all requests, and is told
// addresses that the guard has let pass.
func TestClient_proxy(t *testing.T) {
	addr, caFile := serveTLS(t, certificate(t, "journal.test", time.Now().Add(time.Hour)))
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host+" "+r.RequestURI) })
	public := netip.MustParsePrefix("93.184.215.14/32") // nothing is sent there: the proxy is on loopback
	tests := map[string]struct {
		to, rule, url string
		asked, want   string
		class         paper.Class
	}{
		"TLS":           {addr, "journal.test:443:93.184.215.14:", "https://journal.test/", "CONNECT 93.184.215.14:443", "journal.test journal.test HTTP/1.1", ""},
		"plain":         {plain[len("http://"):], "journal.test:80:93.184.215.14:", "http://journal.test/a?b", "CONNECT 93.184.215.14:80", "journal.test /a?b", ""},
		"an address":    {plain[len("http://"):], "x:1:y:1", "http://93.184.215.14/", "CONNECT 93.184.215.14:80", "93.184.215.14 /", ""},
		"private":       {addr, "journal.test:443:10.0.0.1:", "https://journal.test/", "", "", paper.PolicySkipped},
		"loopback":      {addr, "journal.test:443:127.0.0.1:", "https://journal.test/", "", "", paper.PolicySkipped},
		"metadata":      {addr, "journal.test:80:[fd00:ec2::254]:", "http://journal.test/", "", "", paper.PolicySkipped},
		"private URL":   {addr, "x:1:y:1", "http://10.0.0.1/", "", "", paper.PolicySkipped},
		"nobody there":  {"127.0.0.1:1", "x:1:y:1", "http://93.184.215.14/", "CONNECT 93.184.215.14:80", "", paper.Transient},
		"localhost too": {addr, "journal.test:443:localhost:", "https://journal.test/", "", "", paper.PolicySkipped},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := &tunnels{to: tt.to}
			url := serve(t, p.ServeHTTP)
			c := newClient(t, func(cfg *fetch.Config) {
				cfg.AllowNetworks = []netip.Prefix{public} // not loopback, where the proxy is
				cfg.Proxy, cfg.CAFile, cfg.ConnectTo = url, caFile, []string{tt.rule}
			})
			body, err := open(t, c, tt.url)
			checkClass(t, err, tt.class)
			if string(body) != tt.want {
				t.Errorf("got %q, want %q", body, tt.want)
			}
			if diff := cmp.Diff(tt.asked, strings.Join(p.asked, ", ")); diff != "" {
				t.Errorf("the proxy was asked (-want +got):\n%s", diff)
			}
		})
	}
}

// What a proxy can answer besides a tunnel is bounded, and classed by whose fault it is.
func TestClient_proxyRefuses(t *testing.T) {
	tests := map[string]struct {
		talk func(net.Conn)
		want paper.Class
	}{
		"wants a password":   {say("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), paper.Config},
		"forbids it":         {say("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!"), paper.Forbidden},
		"can't connect":      {say("HTTP/1.1 502 Bad Gateway\r\n\r\n"), paper.Transient},
		"no HTTP":            {say("SSH-2.0\r\n"), paper.Transient},
		"silence":            {hang, paper.Transient},
		"hangs up":           {func(net.Conn) {}, paper.Transient},
		"endless headers":    {talks(say("HTTP/1.1 200 OK\r\n"), flood("X: y\r\n")), paper.Transient},
		"speaks for another": {say("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n%PDF-1.7"), paper.Transient},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, func(cfg *fetch.Config) {
				cfg.Proxy, cfg.Timeouts.Connect = raw(t, tt.talk), 200*time.Millisecond
			})
			_, err := open(t, c, "http://93.184.215.14/")
			checkClass(t, err, tt.want)
		})
	}
	t.Run("is not there", func(t *testing.T) {
		c := newClient(t, func(cfg *fetch.Config) { cfg.Proxy = "http://127.0.0.1:1" })
		_, err := open(t, c, "http://93.184.215.14/")
		checkClass(t, err, paper.Transient)
	})
}

func TestNew_proxy(t *testing.T) {
	for url, ok := range map[string]bool{
		"": true, "http://proxy.org:3128": true, "http://proxy.org:3128/": true, "http://[::1]:3128": true,
		"proxy.org:3128": false, "https://proxy.org:3128": false, "socks5://proxy.org:3128": false, "http://proxy.org": false,
		"http://:3128": false, "http://u:pw@proxy.org:3128": false, "http://proxy.org:3128/x": false, "http://proxy.org:0": false, "://": false,
	} {
		_, err := fetch.New(fetch.Config{Contact: "you@university.edu", Proxy: url})
		if (err == nil) != ok || (err != nil && strings.Contains(err.Error(), "pw")) {
			t.Errorf("%q: %v", url, err)
		}
	}
}
