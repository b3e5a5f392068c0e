package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// web answers by URL and remembers what was asked.
type web struct {
	answers map[string]*fetch.Response // a nil answer is a reset connection
	asked   []string
}

func (w *web) Open(ctx context.Context, url, _ string) (*fetch.Response, error) {
	w.asked = append(w.asked, url)
	if ctx.Err() != nil {
		return nil, &paper.Failure{Class: paper.Transient, Err: ctx.Err()}
	}
	answer := w.answers[url]
	if answer == nil {
		return nil, &paper.Failure{Class: paper.Transient, Err: errors.New("connection reset")}
	}
	copied := *answer
	return &copied, nil
}

func text(status int, body string, header ...string) *fetch.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &fetch.Response{Status: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func moved(to string) *fetch.Response {
	r := text(301, "")
	r.Redirect = to
	return r
}

func checkRuling(t *testing.T, r *fetch.Robots, url string, want fetch.Ruling) {
	t.Helper()
	if diff := cmp.Diff(want, r.Ask(url)); diff != "" {
		t.Errorf("Ask(%s) (-want +got):\n%s", url, diff)
	}
}

func load(t *testing.T, r *fetch.Robots, url string, wantStatus int) {
	t.Helper()
	if status, err := r.Load(t.Context(), url); err != nil || status != wantStatus {
		t.Errorf("Load(%s) = %d, %v, want %d", url, status, err, wantStatus)
	}
}

const rulesURL = "https://a.org/robots.txt"

func TestRobots_Ask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{answers: map[string]*fetch.Response{
			rulesURL: text(200, "User-agent: *\nDisallow: /no\nDisallow: /*?no\nCrawl-delay: 2"),
		}}
		r := fetch.NewRobots(w)
		needs := fetch.Ruling{State: fetch.NeedsLoad, LoadURL: rulesURL}
		allowed := fetch.Ruling{State: fetch.Allowed}
		refused := fetch.Ruling{State: fetch.Refused, Reason: "robots.txt disallows it"}

		checkRuling(t, r, "https://a.org/x", needs)
		checkRuling(t, r, rulesURL, fetch.Ruling{State: fetch.Allowed})
		load(t, r, rulesURL, 200)
		load(t, r, rulesURL, 0) // done already
		checkRuling(t, r, "https://A.org.:443/x", allowed)
		checkRuling(t, r, "https://a.org/no", refused)
		checkRuling(t, r, "https://a.org/n%6F", refused)
		checkRuling(t, r, "https://a.org/x?no", refused)
		checkRuling(t, r, "https://a.org", allowed)

		// Scheme, host and port make the authority.
		checkRuling(t, r, "http://a.org/x", fetch.Ruling{State: fetch.NeedsLoad, LoadURL: "http://a.org/robots.txt"})
		checkRuling(t, r, "https://a.org:8443/x", fetch.Ruling{State: fetch.NeedsLoad, LoadURL: "https://a.org:8443/robots.txt"})
		if got := r.Ask("ftp://a.org/"); got.State != fetch.Refused || got.Reason == "" {
			t.Errorf("not a web URL: %+v", got)
		}

		time.Sleep(24*time.Hour - 1)
		checkRuling(t, r, "https://a.org/x", allowed)
		time.Sleep(time.Nanosecond)
		checkRuling(t, r, "https://a.org/x", needs)
		if diff := cmp.Diff([]string{rulesURL}, w.asked); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

func TestRobots_CrawlDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const movedURL = "https://b.org/robots.txt"
		r := fetch.NewRobots(&web{answers: map[string]*fetch.Response{
			rulesURL: moved(movedURL),
			movedURL: text(200, "User-agent: *\nDisallow: /no\nCrawl-delay: 600"),
		}})
		check := func(url string, want time.Duration) {
			t.Helper()
			if got := r.CrawlDelay(url); got != want {
				t.Errorf("CrawlDelay(%s) = %v, want %v", url, got, want)
			}
		}
		check("https://a.org/x", 0)
		load(t, r, rulesURL, 301)
		check("https://a.org/x", 0)
		load(t, r, movedURL, 200)
		check("https://a.org/x", 10*time.Minute)
		check("https://a.org/no", 10*time.Minute)
		check("https://b.org", 10*time.Minute)
		check("http://b.org", 0) // another authority
		check("ftp://a.org/x", 0)
		time.Sleep(25 * time.Hour) // until it is loaded again, what was asked for stays in force
		check("https://b.org/x", 10*time.Minute)
	})
}

func TestRobots_age(t *testing.T) {
	for cacheControl, want := range map[string]time.Duration{
		"":                           24 * time.Hour,
		"public, Max-Age=3600":       time.Hour,
		"max-age=0":                  10 * time.Minute,
		"max-age=999999":             24 * time.Hour,
		"max-age=99999999999999999":  24 * time.Hour,
		"max-age=-1, s-maxage=1, =,": 24 * time.Hour,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := fetch.NewRobots(&web{answers: map[string]*fetch.Response{rulesURL: text(200, "", "Cache-Control", cacheControl)}})
			load(t, r, rulesURL, 200)
			time.Sleep(want - 1)
			if got := r.Ask("https://a.org/").State; got != fetch.Allowed {
				t.Errorf("%q: forgotten before %v", cacheControl, want)
			}
			time.Sleep(time.Nanosecond)
			if got := r.Ask("https://a.org/").State; got != fetch.NeedsLoad {
				t.Errorf("%q: kept for more than %v", cacheControl, want)
			}
		})
	}
}

func TestRobots_status(t *testing.T) {
	const all = "User-agent: *\nDisallow: /"
	for status, want := range map[int]fetch.RulingState{
		200: fetch.Refused, 203: fetch.Refused, 204: fetch.Refused, 304: fetch.Allowed, 301: fetch.Allowed,
		400: fetch.Allowed, 401: fetch.Allowed, 403: fetch.Allowed, 404: fetch.Allowed, 410: fetch.Allowed,
		429: fetch.Refused, 500: fetch.Refused, 503: fetch.Refused, 999: fetch.Refused,
	} {
		r := fetch.NewRobots(&web{answers: map[string]*fetch.Response{rulesURL: text(status, all)}})
		got, err := r.Load(t.Context(), rulesURL)
		if trouble := status == 429 || status >= 500; got != status || (err != nil) != trouble {
			t.Errorf("Load of a %d: %d, %v", status, got, err)
		}
		if got := r.Ask("https://a.org/x").State; got != want {
			t.Errorf("after a %d: state %d, want %d", status, got, want)
		}
	}
}

func TestRobots_unreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{}
		r := fetch.NewRobots(w)
		fail := func(wait time.Duration, reason string) {
			t.Helper()
			_, err := r.Load(t.Context(), rulesURL)
			if failure := new(paper.Failure); !errors.As(err, &failure) {
				t.Fatalf("Load: %v, want a failure", err)
			}
			checkRuling(t, r, "https://a.org/", fetch.Ruling{
				State: fetch.Refused, RetryIn: wait, Reason: "robots.txt unreachable: " + reason,
			})
			time.Sleep(wait - 1)
			load(t, r, rulesURL, 0) // not yet
			time.Sleep(time.Nanosecond)
			if got := r.Ask("https://a.org/").State; got != fetch.NeedsLoad {
				t.Errorf("state %d after %v, want NeedsLoad", got, wait)
			}
		}
		fail(5*time.Minute, "connection reset")
		fail(15*time.Minute, "connection reset")
		w.answers = map[string]*fetch.Response{rulesURL: text(503, "")}
		fail(time.Hour, "status 503")
		w.answers[rulesURL] = text(429, "", "Retry-After", "7200")
		fail(2*time.Hour, "status 429")
		if len(w.asked) != 4 {
			t.Errorf("%d requests, want 4", len(w.asked))
		}

		w.answers[rulesURL] = text(200, "User-agent: *\nDisallow: /no")
		load(t, r, rulesURL, 200)
		checkRuling(t, r, "https://a.org/", fetch.Ruling{State: fetch.Allowed})

		// Once known, the rules outlive an outage.
		time.Sleep(24 * time.Hour)
		delete(w.answers, rulesURL)
		if _, err := r.Load(t.Context(), rulesURL); err == nil {
			t.Error("Load: no error")
		}
		checkRuling(t, r, "https://a.org/", fetch.Ruling{State: fetch.Allowed})
		checkRuling(t, r, "https://a.org/no", fetch.Ruling{State: fetch.Refused, Reason: "robots.txt disallows it"})
		time.Sleep(5 * time.Minute)
		checkRuling(t, r, "https://a.org/", fetch.Ruling{State: fetch.NeedsLoad, LoadURL: rulesURL})
	})
}

// What nobody has reached for thirty days does not forbid anything any more.
func TestRobots_unreachableForAMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{}
		r := fetch.NewRobots(w)
		const month = 30 * 24 * time.Hour
		first := time.Now()
		for {
			if _, err := r.Load(t.Context(), rulesURL); err == nil {
				t.Fatal("Load: no error")
			}
			ruling := r.Ask("https://a.org/x")
			if ruling.State == fetch.Allowed {
				break
			}
			if down := time.Since(first); down >= month {
				t.Fatalf("after %v: %+v", down, ruling)
			}
			time.Sleep(ruling.RetryIn)
		}
		if down := time.Since(first); down < month {
			t.Errorf("allowed after %v, want 30 days", down)
		}
		time.Sleep(time.Hour) // it is still asked for, and counts again
		w.answers = map[string]*fetch.Response{rulesURL: text(200, "User-agent: *\nDisallow: /")}
		load(t, r, rulesURL, 200)
		time.Sleep(24 * time.Hour)
		delete(w.answers, rulesURL)
		if _, err := r.Load(t.Context(), rulesURL); err == nil {
			t.Error("Load: no error")
		}
		checkRuling(t, r, "https://a.org/x", fetch.Ruling{State: fetch.Refused, Reason: "robots.txt disallows it"})
	})
}

func TestRobots_cancelled(t *testing.T) {
	r := fetch.NewRobots(&web{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Load(ctx, rulesURL); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: %v, want context.Canceled", err)
	}
	checkRuling(t, r, "https://a.org/", fetch.Ruling{State: fetch.NeedsLoad, LoadURL: rulesURL})
}

func TestRobots_redirects(t *testing.T) {
	chain := func(n int) (*fetch.Robots, string) {
		w := &web{answers: map[string]*fetch.Response{}}
		url := rulesURL
		for i := range n {
			next := fmt.Sprintf("https://b%d.org/robots.txt", i)
			w.answers[url] = moved(next)
			url = next
		}
		w.answers[url] = text(200, "User-agent: *\nDisallow: /")
		return fetch.NewRobots(w), url
	}
	follow := func(r *fetch.Robots) (hops int) {
		for hops = range 20 {
			ruling := r.Ask("https://a.org/x")
			if ruling.State != fetch.NeedsLoad {
				break
			}
			if _, err := r.Load(t.Context(), ruling.LoadURL); err != nil {
				t.Fatal(err)
			}
		}
		return hops
	}

	five, _ := chain(5)
	if hops := follow(five); hops != 6 || five.Ask("https://a.org/x").State != fetch.Refused {
		t.Errorf("five redirects: %d requests, %+v", hops, five.Ask("https://a.org/x"))
	}
	six, _ := chain(6)
	if hops := follow(six); hops != 6 || six.Ask("https://a.org/x").State != fetch.Allowed {
		t.Errorf("six redirects: %d requests, %+v", hops, six.Ask("https://a.org/x"))
	}
	loop := fetch.NewRobots(&web{answers: map[string]*fetch.Response{rulesURL: moved(rulesURL)}})
	if hops := follow(loop); hops != 1 || loop.Ask("https://a.org/x").State != fetch.Allowed {
		t.Errorf("loop: %d requests, %+v", hops, loop.Ask("https://a.org/x"))
	}
}

// slowWeb answers when told.
type slowWeb struct{ answer chan *fetch.Response }

func (w slowWeb) Open(context.Context, string, string) (*fetch.Response, error) {
	return <-w.answer, nil
}

func TestRobots_loading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := slowWeb{make(chan *fetch.Response)}
		r := fetch.NewRobots(w)
		go func() {
			if _, err := r.Load(t.Context(), rulesURL); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		checkRuling(t, r, "https://a.org/x", fetch.Ruling{State: fetch.Loading, RetryIn: time.Second})
		load(t, r, rulesURL, 0) // makes no second request
		w.answer <- text(200, "")
		synctest.Wait()
		checkRuling(t, r, "https://a.org/x", fetch.Ruling{State: fetch.Allowed})
	})
}

func TestRobots_forgetsOldest(t *testing.T) {
	w := &web{answers: map[string]*fetch.Response{}}
	r := fetch.NewRobots(w)
	for i := range 10_001 {
		url := fmt.Sprintf("https://h%d.org/robots.txt", i)
		w.answers[url] = text(404, "")
		load(t, r, url, 404)
	}
	if got := r.Ask("https://h0.org/x").State; got != fetch.NeedsLoad {
		t.Errorf("oldest of 10,001: state %d, want NeedsLoad", got)
	}
	if got := r.Ask("https://h1.org/x").State; got != fetch.Allowed {
		t.Errorf("second of 10,001: state %d, want Allowed", got)
	}
}

func TestRobots_overTheWire(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "User-agent: quire\nDisallow: /no\n%s", strings.Repeat("# endless\n", 100_000))
	})
	c := newClient(t, func(cfg *fetch.Config) { cfg.MaxBytes = 100 << 10 })
	r := fetch.NewRobots(c)
	load(t, r, url+"/robots.txt", 200)
	if got := r.Ask(url + "/no").State; got != fetch.Refused {
		t.Errorf("state %d, want Refused", got)
	}
	if got := r.Ask(url + "/yes").State; got != fetch.Allowed {
		t.Errorf("state %d, want Allowed", got)
	}
}
