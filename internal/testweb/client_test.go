package testweb_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
)

// start opens a box and a client for one test.
func start(t testing.TB) (*testweb.Web, *http.Client) {
	t.Helper()
	web, err := testweb.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	client := web.Client()
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := web.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return web, client
}

// got is an answer read to its end.
type got struct {
	status int
	header http.Header
	body   []byte
	err    error // of the exchange, or of reading the body
}

func get(t testing.TB, client *http.Client, url string, header ...string) got {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return got{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return got{resp.StatusCode, resp.Header, body, err}
}

// getJSON gets a JSON document of the given status.
func getJSON[T any](t testing.TB, client *http.Client, url string, status int) T {
	t.Helper()
	var v T
	g := get(t, client, url)
	if g.err != nil || g.status != status {
		t.Fatalf("get %s: status %d, error %v; want status %d", url, g.status, g.err, status)
	}
	if err := json.Unmarshal(g.body, &v); err != nil {
		t.Fatalf("get %s: %v in %.200s", url, err, g.body)
	}
	return v
}
