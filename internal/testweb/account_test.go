package testweb_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/internal/testweb"
)

func TestAccounts_Exact(t *testing.T) {
	web, client := start(t)
	web.Host("a.example", testweb.Paths{
		"/one":     testweb.Text("text/plain", "12345"),
		"/two?q=1": testweb.File("application/pdf", []byte("1234567")),
	})
	web.Robots("a.example", "User-agent: quire\nDisallow: /two\nUser-agent: *\nDisallow:\n")

	for _, url := range []string{"https://a.example/one", "https://a.example/one", "https://a.example/two?q=1", "http://A.example:80/none"} {
		get(t, client, url, "User-Agent", "quire/1 (+x)")
	}
	get(t, client, "https://a.example/two?q=1", "User-Agent", "other")
	get(t, client, "https://a.example/robots.txt", "User-Agent", "quire/1 (+x)")

	got := web.Accounts()["a.example"]
	if len(got.Starts) != 6 || got.MinGap <= 0 {
		t.Errorf("%d starts with a least gap of %v", len(got.Starts), got.MinGap)
	}
	robots := len("User-agent: quire\nDisallow: /two\nUser-agent: *\nDisallow:\n")
	want := testweb.Account{
		Requests: 6, Peak: 1,
		Bytes: int64(5 + 5 + 7 + len("404 page not found\n") + 7 + robots),
		URLs: map[string]int{
			"https://a.example/one": 2, "https://a.example/two?q=1": 2,
			"http://A.example:80/none": 1, "https://a.example/robots.txt": 1,
		},
		Statuses:   map[int]int{200: 5, 404: 1},
		UserAgents: map[string]int{"quire/1 (+x)": 5, "other": 1},
		Robots:     1, Disallowed: 1,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(testweb.Account{}, "Starts", "MinGap")); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}

	web.Reset()
	if got := web.Accounts(); len(got) != 0 {
		t.Errorf("accounts after Reset: %v", got)
	}
}

// n requests that all wait for each other are a peak of n.
func TestAccounts_PeakIsReached(t *testing.T) {
	const n = 20
	web, client := start(t)
	var all sync.WaitGroup
	all.Add(n)
	web.Host("a.example", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		all.Done()
		all.Wait()
	}))
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() { get(t, client, "https://a.example/") })
	}
	clients.Wait()
	got := web.Accounts()["a.example"]
	if got.Peak != n || got.InFlight != 0 {
		t.Errorf("peak %d and %d in flight, want %d and 0", got.Peak, got.InFlight, n)
	}
}

// A client that never has more than two requests in flight is never seen with
// more: neither small nor large, declared or chunked, cut off or reset.
func TestAccounts_PeakIsNotOverstated(t *testing.T) {
	web, client := start(t)
	large := make([]byte, 60<<10)
	web.Host("a.example", testweb.Paths{
		"/small":   testweb.Text("text/plain", "x"),
		"/large":   testweb.File("application/pdf", large),
		"/chunked": http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(large) }),
		"/cut":     testweb.Truncate(1000)(testweb.File("application/pdf", large)),
		"/reset":   testweb.ResetAfter(1000)(testweb.File("application/pdf", large)),
		"/empty":   testweb.Redirect(http.StatusFound, "/small"),
	})
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() {
			for i := range 120 {
				path := []string{"/small", "/large", "/chunked", "/cut", "/reset", "/empty"}[i%6]
				get(t, client, "https://a.example"+path)
			}
		})
	}
	clients.Wait()
	if got := web.Accounts()["a.example"]; got.Peak != 2 || got.Requests != 240 {
		t.Errorf("peak %d of %d requests, want 2 of 240", got.Peak, got.Requests)
	}
}

func TestAccounts_MinGap(t *testing.T) {
	web, client := start(t)
	web.Host("a.example", testweb.Text("text/plain", "x"), testweb.Under("/slow", testweb.Latency(200*time.Millisecond)),
		testweb.Under("/quick", testweb.Latency(40*time.Millisecond)))
	for _, path := range []string{"/slow", "/quick", "/slow", "/"} {
		get(t, client, "https://a.example"+path) // the next starts when this one has ended
	}
	got := web.Accounts()["a.example"]
	want := time.Hour
	for i := range got.Starts[1:] {
		want = min(want, got.Starts[i+1].Sub(got.Starts[i]))
	}
	if got.MinGap != want || want < 40*time.Millisecond || want > time.Minute {
		t.Errorf("least gap %v; by the starts it is %v, and at least 40 ms", got.MinGap, want)
	}
}

// passTime lasts longer than a request may have been on its way.
func passTime(t *testing.T, web *testweb.Web, client *http.Client) {
	t.Helper()
	web.Host("clock.example", testweb.Text("text/plain", "x"), testweb.Latency(60*time.Millisecond))
	get(t, client, "https://clock.example/")
}

func TestAccounts_Gated(t *testing.T) {
	tests := map[string]struct {
		say  testweb.RetryAfter
		want int
	}{
		"seconds": {testweb.Say("100"), 1},
		"date":    {func(time.Duration) string { return testweb.AsDate(time.Minute) }, 1},
		"none":    {testweb.Unsaid, 0},
		"banana":  {testweb.Say("banana"), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web, client := start(t)
			web.Host("a.example", testweb.Text("text/plain", "x"), testweb.Throttle(1, time.Minute, tt.say))
			for _, want := range []int{200, 429} {
				if g := get(t, client, "https://a.example/"); g.status != want {
					t.Fatalf("status %d, want %d", g.status, want)
				}
			}
			passTime(t, web, client)
			get(t, client, "https://a.example/")
			if got := web.Accounts()["a.example"].Gated; got != tt.want {
				t.Errorf("%d requests while gated, want %d", got, tt.want)
			}
		})
	}
}

// Retry-After on a 200 gates nothing: Zenodo sends it with its rate headers.
func TestAccounts_RetryAfterOnSuccess(t *testing.T) {
	web, client := start(t)
	web.Host("a.example", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set("Retry-After", "60") }))
	get(t, client, "https://a.example/")
	passTime(t, web, client)
	get(t, client, "https://a.example/")
	if got := web.Accounts()["a.example"].Gated; got != 0 {
		t.Errorf("%d requests while gated, want 0", got)
	}
}

func TestAccounts_Disallowed(t *testing.T) {
	const text = "User-agent: a\nUser-agent: quire # us\nDisallow: /x\nAllow: /x/open\nDisallow: /*.php$\nDisallow: /q?*id=\n\nUser-agent: *\nDisallow: /\n"
	tests := map[string]struct {
		agent, path string
		want        int
	}{
		"free":               {"quire/1", "/y", 0},
		"kept out":           {"quire/1", "/x/a", 1},
		"longer rule allows": {"Quire/1", "/x/open/a", 0},
		"end anchor":         {"quire/1", "/y/a.php", 1},
		"not at the end":     {"quire/1", "/y/a.php?b", 0},
		"query":              {"quire/1", "/q?a=1&id=2", 1},
		"other agent":        {"curl/8", "/y", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			web, client := start(t)
			web.Robots("a.example", text)
			get(t, client, "https://a.example"+tt.path, "User-Agent", tt.agent)
			if got := web.Accounts()["a.example"].Disallowed; got != tt.want {
				t.Errorf("disallowed requests = %d, want %d", got, tt.want)
			}
		})
	}
}
