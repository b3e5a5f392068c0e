package fetch_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// D 122: HTTP/2 is spoken only if it is asked for, and then within the same limits.
func TestClient_http2(t *testing.T) {
	const maxBytes = 64 << 10
	addr, caFile := answerTLS(t, certificate(t, "journal.test", time.Now().Add(time.Hour)), func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bomb":
			for range 200 {
				w.Header().Add("X-Bomb", strings.Repeat("b", 1<<10))
			}
		case "/reset":
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "ab")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/hints":
			w.Header().Set("Link", "<"+strings.Repeat("x", 100)+">") // once: HTTP/2 reads it while the handler goes on
			for range 2000 {
				w.WriteHeader(http.StatusEarlyHints)
			}
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4<<10)); err != nil {
					return
				}
			}
		case "/stall":
			_, _ = io.WriteString(w, "ab")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			panic(http.ErrAbortHandler) // a client that is about to hang up must not find it whole
		}
		_, _ = io.WriteString(w, r.Proto)
	})
	for path, class := range map[string]paper.Class{
		"/": "", "/bomb": paper.Transient, "/reset": paper.Transient, "/hints": paper.Transient, "/endless": paper.TooLarge, "/stall": paper.Transient,
	} {
		for proto, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
			c := newClient(t, func(cfg *fetch.Config) {
				cfg.ConnectTo, cfg.CAFile, cfg.HTTP2, cfg.MaxBytes = []string{"::" + addr}, caFile, http2, maxBytes
				cfg.Timeouts.Idle = 200 * time.Millisecond
			})
			body, err := open(t, c, "https://journal.test"+path)
			t.Run(path+" "+proto, func(t *testing.T) {
				checkClass(t, err, class)
				if err == nil && string(body) != proto {
					t.Errorf("spoke %q, want %q", body, proto)
				}
			})
		}
	}
}
