package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

func client(t *testing.T, timeouts fetch.Timeouts) *fetch.Client {
	t.Helper()
	c, err := fetch.New(fetch.Config{
		Contact: "tests@quire.dev", AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeouts: timeouts,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// probeOf is a source at a server of the test's own.
func probeOf(name, base string) Probe {
	custom := resolver.Custom{URL: base + "/{doi}", Mode: resolver.CustomJSON, Selector: ".url"}
	return Probe{
		Name: name, Key: "resolver:" + name, Rule: limit.Rule{InFlight: 4, Every: time.Millisecond},
		Make: func(get paper.Getter) (paper.Resolver, error) { return resolver.NewCustom(name, custom, get) },
	}
}

// serve returns the address of a server.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestAsk(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	base := serve(t, func(rw http.ResponseWriter, _ *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		rw.Header().Set("RateLimit-Limit", "7")
		rw.Header().Set("Set-Cookie", "secret=1")
		_, _ = rw.Write([]byte(`{"url":"https://files.example/x.pdf"}`))
	})
	probes := []Probe{probeOf("one", base), probeOf("two", base), probeOf("three", base)}
	sources, ahead := Ask(t.Context(), client(t, fetch.Timeouts{}), probes)
	for i, s := range sources {
		if s.Name != probes[i].Name || s.Status != OK || s.HTTP != http.StatusOK || s.Fields["Ratelimit-Limit"] != "7" || len(s.Fields) != 1 {
			t.Errorf("%s: got %+v", probes[i].Name, s)
		}
	}
	if most.Load() != 1 || len(ahead) != 1 {
		t.Errorf("%d requests at once at one host, which told the time %d times; want 1 each", most.Load(), len(ahead))
	}
	if c := Network(sources); c.Status != OK || c.Found != "3 of 3 sources answered" {
		t.Errorf("got %+v", c)
	}
}

func TestAsk_unasked(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("was asked") })
	bad, gated, paced := probeOf("bad", "ftp://x"), probeOf("gated", base), probeOf("paced", base)
	gated.Skip, paced.Wait = "it asked to be left alone", time.Minute
	none := probeOf("none", base)
	none.Make = func(paper.Getter) (paper.Resolver, error) { return resolver.New("arxiv", resolver.Config{}, nil) }
	sources, _ := Ask(t.Context(), client(t, fetch.Timeouts{}), []Probe{bad, gated, paced, none})
	for i, want := range []Check{
		{Status: Fail, Settings: true, Found: "not a usable source: url "},
		{Status: Skipped, Found: "it asked to be left alone"},
		{Status: Skipped, Found: "its pace allows the next request in 1m"},
		{Status: OK, Found: "makes addresses without a request"},
	} {
		if got := sources[i]; got.Status != want.Status || !strings.HasPrefix(got.Found, want.Found) || got.Settings != want.Settings {
			t.Errorf("got %+v, want %+v", got.Check, want)
		}
	}
	if c := Network(sources); c.Status != Skipped {
		t.Errorf("got %+v", c)
	}
}

// A host that does not answer costs its own time, and the end of ctx ends it all.
func TestAsk_noAnswer(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 2)
	ended := make(chan struct{})
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	})
	defer close(ended)
	sources, _ := Ask(t.Context(), client(t, fetch.Timeouts{Header: 50 * time.Millisecond}), []Probe{probeOf("silent", base)})
	if s := sources[0]; s.Status != Fail || s.HTTP != 0 || !strings.Contains(s.Found, "timeout") {
		t.Errorf("got %+v", s)
	}
	if c := Network(sources); c.Status != Fail || sources[0].Next != "" {
		t.Errorf("got %+v, %+v", c, sources[0])
	}
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	sources, _ = Ask(ctx, client(t, fetch.Timeouts{}), []Probe{probeOf("silent", base), probeOf("next", base)})
	for _, s := range sources {
		if s.Status != Skipped || s.Found != "interrupted" {
			t.Errorf("after the end: got %+v", s)
		}
	}
}

func TestLine_once(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) {})
	way := &line{client: client(t, fetch.Timeouts{}), hosts: &hosts{}}
	if _, err := way.Get(t.Context(), base, http.Header{}); err != nil {
		t.Fatal(err)
	}
	if _, err := way.Post(t.Context(), base, http.Header{}, nil); !errors.Is(err, errSecond) {
		t.Errorf("asked twice: got %v", err)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	fail := func(class paper.Class, status int) error {
		return &paper.Failure{Class: class, Status: status, RetryAfter: 2 * time.Minute, Err: fmt.Errorf("ask x: status %d", status)}
	}
	for name, tt := range map[string]struct {
		err           error
		takes, has    bool
		want          Status
		settings      bool
		found, advice string
	}{
		"well":                 {nil, false, false, OK, false, "0 in 0 ms", ""},
		"throttled":            {fail(paper.Throttled, 429), false, false, Warn, false, "429: it wants to be left alone for 2m", "waits as long"},
		"no budget":            {fail(paper.BudgetExhausted, 429), false, false, Warn, false, "429: ", "waits as long"},
		"401":                  {fail(paper.Forbidden, 401), false, false, Fail, true, "status 401", "api_key_file"},
		"403 with a key":       {fail(paper.Config, 403), true, true, Fail, true, "status 403", "api_key_file"},
		"403, wants a key":     {fail(paper.Forbidden, 403), true, false, Fail, true, "status 403", "api_key_file"},
		"403":                  {fail(paper.Forbidden, 403), false, false, Fail, false, "status 403", "shuts this address out"},
		"contact refused":      {fail(paper.Config, 422), false, false, Fail, true, "status 422", "see contact"},
		"no roots":             {fail(paper.Config, 0), false, false, Fail, true, "status 0", "ca_file"},
		"challenge":            {fail(paper.Challenge, 403), false, false, Fail, false, "status 403", "shuts this address out"},
		"trouble":              {fail(paper.Transient, 503), false, false, Warn, false, "status 503", "trouble of its own"},
		"nothing":              {fail(paper.Transient, 0), false, false, Fail, false, "status 0", "base_url"},
		"certificate":          {fail(paper.Forbidden, 0), false, false, Fail, false, "status 0", "base_url"},
		"nonsense":             {fail(paper.Transient, 200), false, false, Warn, false, "status 200", "base_url"},
		"an error of no class": {errors.New("odd"), false, false, Fail, false, "odd", "base_url"},
	} {
		s := Source{}
		p := Probe{Name: "x", TakesKey: tt.takes, HasKey: tt.has}
		p.judge(t.Context(), &s, &line{}, tt.err)
		if s.Status != tt.want || s.Settings != tt.settings || !strings.HasPrefix(s.Found, tt.found) || !strings.Contains(s.Next, tt.advice) || (s.Next == "") != (tt.want == OK) {
			t.Errorf("%s: got %+v", name, s.Check)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	told := func(h ...string) queue.Allowance {
		header := http.Header{}
		for i := 0; i < len(h); i += 2 {
			header.Set(h[i], h[i+1])
		}
		return fetch.Announced("x.example", header, time.Now())
	}
	rule := limit.Rule{InFlight: 3, Every: 100 * time.Millisecond}
	for name, tt := range map[string]struct {
		told   queue.Allowance
		want   Status
		found  string
		advice string
	}{
		"nothing":      {told(), OK, "200", ""},
		"the same":     {told("X-Rate-Limit-Limit", "10", "X-Rate-Limit-Interval", "1s", "X-Concurrency-Limit", "3"), OK, "200", ""},
		"less":         {told("X-Rate-Limit-Limit", "3", "X-Rate-Limit-Interval", "1s"), Warn, "200; announces 3/s, less than the 10/s in force", "limits: {resolver:x: {every: 334ms}}"},
		"much less":    {told("X-Rate-Limit-Limit", "6", "X-Rate-Limit-Interval", "1m"), Warn, "200; announces one every 10s, less than the 10/s in force", "{every: 10s}"},
		"fewer":        {told("X-Concurrency-Limit", "1"), Warn, "200; announces 1 at once, less than the 3 in force", "{in_flight: 1}"},
		"more":         {told("X-Rate-Limit-Limit", "50", "X-Rate-Limit-Interval", "1s"), OK, "200; announces more: 50/s", ""},
		"nothing left": {told("RateLimit-Remaining", "0", "RateLimit-Reset", "90"), Warn, "200; its quota is used up for 1m30s", "waits as long"},
	} {
		s := Source{Check: Check{Status: OK, Found: "200"}, Announced: tt.told}
		Probe{Key: "resolver:x", Rule: rule}.compare(&s)
		if s.Status != tt.want || s.Found != tt.found || !strings.Contains(s.Next, tt.advice) || (s.Next == "") != (tt.advice == "") {
			t.Errorf("%s: got %+v", name, s.Check)
		}
	}
}

// Every source has a work that it can be asked about, or an address.
func TestWorkFor(t *testing.T) {
	t.Parallel()
	for _, name := range resolver.Names() {
		r, err := resolver.New(name, resolver.Config{Contact: "tests@quire.dev"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := workFor(r); !ok {
			t.Errorf("%s: no work", name)
		}
		if got := Address(t.Context(), r, func(string) bool { return true }); (got != "") != r.Local() {
			t.Errorf("%s: address %q", name, got)
		}
	}
}
