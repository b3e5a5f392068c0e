package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/internal/testweb"
)

// web starts the scholarly web of the scripts and makes quire use it: the
// configuration is in web.yaml, which QUIRE_CONFIG names. In a sick one some sources
// are unwell.
func web(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) > 1 || len(args) == 1 && args[0] != "sick" {
		ts.Fatalf("usage: web [sick]")
	}
	world := scriptWorld()
	if len(args) == 1 {
		world.Sites = sickSites()
	}
	w, err := testweb.Start(context.Background())
	ts.Check(err)
	ts.Defer(func() { _ = w.Close() })
	w.Serve(world)
	ts.Check(writeWebConfig(w, ts.MkAbs("web.yaml")))
	ts.Setenv("QUIRE_CONFIG", ts.MkAbs("web.yaml"))
}

// scriptWorld has a work for each way to end.
func scriptWorld() testweb.World {
	at := func(name, title string) testweb.Work {
		page := "https://press.quire.example/" + name
		return testweb.Work{
			DOI: "10.5555/" + name, Title: title, Landing: page, Year: 2020,
			Copies: []testweb.Copy{{
				URL: page + ".pdf", Page: page, Publisher: true, Version: "publishedVersion", License: "cc-by",
			}},
		}
	}
	closed := at("closed", "Not Open")
	closed.Copies = nil
	broken := at("broken", "At a Broken Host")
	broken.Copies[0].Lies = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		http.Error(rw, "broken", http.StatusInternalServerError)
	})
	busy := at("busy", "At a Busy Host")
	busy.Copies[0].URL = "https://busy.example/file.pdf"
	busy.Copies[0].Lies = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "620")
		http.Error(rw, "later", http.StatusTooManyRequests)
	})
	unknown := testweb.Work{DOI: "10.5555/unknown", Unknown: true}
	return testweb.World{Works: []testweb.Work{
		at("good", "A Good Work"), at("second", "Another Good Work"), closed, broken, busy, unknown,
		at("hostile", "Red \x1b[31m, bell \a, back \u202edrow\u202c and \u009b1m"),
	}}
}

// sickSites are sources that each have a trouble of their own.
func sickSites() map[string]testweb.Site {
	site := func(b testweb.Behaviour) testweb.Site { return testweb.Site{Behaviours: []testweb.Behaviour{b}} }
	return map[string]testweb.Site{
		"zenodo.org":               site(testweb.Fail(http.StatusUnauthorized)),
		"api.figshare.com":         site(testweb.Fail(http.StatusForbidden)),
		"api.osf.io":               site(testweb.Fail(http.StatusServiceUnavailable)),
		"api.archives-ouvertes.fr": site(testweb.Hang()),
		"api.openalex.org":         site(testweb.Fail(http.StatusTooManyRequests, "Retry-After", "620")),
		"api.crossref.org":         site(testweb.Announce("X-Rate-Limit-Limit", "5", "X-Rate-Limit-Interval", "1s", "X-Concurrency-Limit", "2")),
		"api.semanticscholar.org":  site(testweb.Announce("RateLimit-Limit", "100", "RateLimit-Remaining", "0", "RateLimit-Reset", "300")),
		"doaj.org":                 site(testweb.Announce("Date", "Sun, 06 Nov 1994 08:49:37 GMT")),
		"arxiv.org":                site(testweb.Fail(http.StatusForbidden, "Cf-Mitigated", "challenge")),
	}
}

// writeWebConfig writes a configuration that finds every host in w and is in a hurry.
func writeWebConfig(w *testweb.Web, path string) error {
	ca := filepath.Join(filepath.Dir(path), "ca.pem")
	if err := w.WriteCA(ca); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "contact: tests@quire.dev\nhttp:\n  connect_to: [%q]\n  ca_file: %q\n  allow_networks: [127.0.0.0/8]\n",
		strings.Join(w.ConnectTo(), `", "`), ca)
	b.WriteString("retry: {max_attempts: 2, base: 1ms, max: 2ms, breaker: 10ms}\nlimits:\n")
	b.WriteString("  default_host: {in_flight: 8, every: 1ms}\n")
	for _, name := range resolver.Names() {
		fmt.Fprintf(&b, "  resolver:%s: {in_flight: 8, every: 1ms}\n", name)
	}
	text := strings.ReplaceAll(b.String(), `\"`, `"`)
	return os.WriteFile(path, []byte(text), 0o600)
}
