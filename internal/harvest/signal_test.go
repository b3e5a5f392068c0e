package harvest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// What came of a request tells of its key and of its candidate, and the two may
// differ.
func TestStep_signals(t *testing.T) {
	good := testweb.File("application/pdf", testweb.PDF("x", 3000))
	unmarked := testweb.Without("Etag")(good) // so that it can't be resumed
	fail := func(status int, header ...string) http.Handler { return testweb.Fail(status, header...)(good) }
	tests := map[string]struct {
		site    http.Handler
		expired bool // its certificate
		want    queue.SignalKind
		class   paper.Class
	}{
		"a file":               {good, false, queue.OK, ""},
		"a page":               {testweb.Page(200, "x", "Nothing here."), false, queue.OK, paper.WrongType},
		"a redirect":           {testweb.Redirect(302, "https://site.example/b.pdf"), false, queue.OK, ""},
		"damaged":              {testweb.File("application/pdf", []byte("%PDF-1.7")), false, queue.OK, ""}, // asked for once more
		"not there":            {fail(404), false, queue.OK, paper.Gone},
		"login needed":         {fail(401), false, queue.OK, paper.Forbidden},
		"forbidden":            {fail(403), false, queue.Refused, paper.Forbidden},
		"denied":               {fail(999), false, queue.Refused, paper.Forbidden},
		"too fast":             {fail(429, "Retry-After", "7"), false, queue.Throttled, ""},
		"busy, knows how long": {fail(503, "Retry-After", "7"), false, queue.Throttled, ""},
		"busy":                 {fail(503), false, queue.Troubled, paper.Transient},
		"broken":               {fail(500), false, queue.Troubled, paper.Transient},
		"not yet":              {fail(202), false, queue.OK, paper.Transient},
		"reset":                {testweb.Reset()(good), false, queue.Troubled, paper.Transient},
		"reset in the body":    {testweb.ResetAfter(2500)(unmarked), false, queue.Troubled, paper.Transient},
		"cut":                  {testweb.Truncate(2500)(unmarked), false, queue.Troubled, paper.Transient},
		"cut, to be resumed":   {testweb.Truncate(2500)(good), false, queue.Troubled, ""},
		"no certificate":       {good, true, queue.Troubled, paper.Forbidden},
		"challenge page":       {testweb.Captcha(), false, queue.Blocked, paper.Challenge},
		"challenge by header":  {fail(403, "Cf-Mitigated", "challenge"), false, queue.Blocked, paper.Challenge},
		"captcha as a file":    {testweb.Labelled("application/pdf")(testweb.Captcha()), false, queue.Blocked, paper.Challenge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, same)
			b.web.Host("site.example", tt.site)
			if tt.expired {
				b.web.Certificate("site.example", testweb.Expired)
			}
			out := b.step()
			if out.Signal.Kind != tt.want {
				t.Errorf("signal %d, want %d: %+v", out.Signal.Kind, tt.want, out)
			}
			if class := firstClass(t, out); class != tt.class {
				t.Errorf("class %q, want %q", class, tt.class)
			}
		})
	}
}

// firstClass returns the class of a job's first candidate after a step.
func firstClass(t *testing.T, out queue.Outcome) paper.Class {
	t.Helper()
	switch out.Verb {
	case queue.Retry: // the next round has begun
		return paper.Class(out.Class)
	case queue.Finish:
		var rec paper.Record
		if err := json.Unmarshal(out.Record, &rec); err != nil {
			t.Fatal(err)
		}
		return rec.Tried[0].Class
	default:
		st, err := loadStory(queue.Job{Progress: out.Progress})
		if err != nil {
			t.Fatal(err)
		}
		return st.Tried[0].Class
	}
}

func TestWalk_signal(t *testing.T) {
	tests := map[string]struct {
		key     string
		failure paper.Failure
		want    queue.Signal
	}{
		"no such name":       {"host:a", paper.Failure{Class: paper.Gone, Broken: true}, queue.Signal{Kind: queue.Troubled}},
		"an error unnamed":   {"resolver:a", paper.Failure{Class: paper.Transient}, queue.Signal{Kind: queue.Troubled}},
		"nonsense answered":  {"resolver:a", paper.Failure{Class: paper.Transient, Status: 200}, queue.Signal{Kind: queue.OK}},
		"spent":              {"resolver:a", paper.Failure{Class: paper.BudgetExhausted, Status: 403, RetryAfter: time.Hour}, queue.Signal{Kind: queue.Throttled, For: time.Hour}},
		"bad key":            {"resolver:a", paper.Failure{Class: paper.Config, Status: 401}, queue.Signal{Kind: queue.OK}},
		"shut out by hand":   {"resolver:crossref", paper.Failure{Class: paper.Config, Status: 403}, queue.Signal{Kind: queue.Refused}},
		"our own fault":      {"host:a", paper.Failure{Class: paper.Config}, queue.Signal{}},
		"a private address":  {"host:a", paper.Failure{Class: paper.PolicySkipped}, queue.Signal{}},
		"redirected there":   {"host:a", paper.Failure{Class: paper.PolicySkipped, Status: 302}, queue.Signal{Kind: queue.OK}},
		"denied by arXiv":    {"host:arxiv.org", paper.Failure{Class: paper.Forbidden, Status: 403}, queue.Signal{Kind: queue.Blocked, For: time.Hour}},
		"not found at arXiv": {"host:arxiv.org", paper.Failure{Class: paper.Gone, Status: 404}, queue.Signal{Kind: queue.OK}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := walk{Step: queue.Step{Key: tt.key}}
			if diff := cmp.Diff(tt.want, w.signal(&tt.failure)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A key must know of a challenge before its next request, so it is not left early.
func TestStep_challengeHoldsTheKey(t *testing.T) {
	for name, tt := range map[string]struct {
		site http.Handler
		want bool
	}{
		"page":           {testweb.Page(200, "x", "Nothing here."), true},
		"challenge page": {testweb.Captcha(), false},
		"file":           {testweb.File("application/pdf", testweb.PDF("x", 3000)), true},
		"challenge file": {testweb.Labelled("application/pdf")(testweb.Captcha()), false},
	} {
		b := newBench(t, same)
		b.web.Host("site.example", tt.site)
		left := false
		b.h.Step(t.Context(), queue.Step{Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 3, Send: func() {}, Leave: func() { left = true }})
		if left != tt.want {
			t.Errorf("%s: left early: %v, want %v", name, left, tt.want)
		}
	}
}

// askRobots makes the bench's job one for a page, whose robots.txt must be loaded.
func (b *bench) askRobots(robots *fetch.Robots) {
	b.h.cfg.Robots = robots
	a, err := paper.ParseID("https://site.example/a")
	if err != nil {
		b.t.Fatal(err)
	}
	j, err := b.h.Job(Request{Artifact: a})
	if err != nil {
		b.t.Fatal(err)
	}
	b.job = queue.Job{ID: 1, ArtifactID: j.ArtifactID, Key: j.Key, Payload: j.Payload}
}

// What a host announces reaches its key with whatever signal, the stricter of
// header and robots.txt.
func TestStep_allowances(t *testing.T) {
	const second = "User-agent: *\nCrawl-delay: 1\n"
	const hour = "User-agent: *\nCrawl-delay: 3600\n"
	every := func(d time.Duration, inFlight int) queue.Allowance {
		return queue.Allowance{Every: d, InFlight: inFlight}
	}
	slow := testweb.Announce("X-Rate-Limit-Limit", "20", "X-Rate-Limit-Interval", "38s", "X-Concurrency-Limit", "3")
	const slowly = 2 * time.Second // 19 in 38 s
	tests := map[string]struct {
		site, robots testweb.Behaviour
		text         string
		load, fetch  queue.Allowance
	}{
		"nothing":               {},
		"headers":               {site: slow, fetch: every(slowly, 3)},
		"headers of a refusal":  {site: both(slow, testweb.Fail(429)), fetch: every(slowly, 3)},
		"headers of robots.txt": {robots: slow, text: "User-agent: *\n", load: every(slowly, 3)},
		"crawl-delay":           {text: hour, load: every(time.Hour, 1), fetch: every(time.Hour, 1)},
		"crawl-delay, none":     {text: "User-agent: *\nCrawl-delay: 0\n"},
		"both":                  {site: slow, robots: slow, text: second, load: every(slowly, 1), fetch: every(slowly, 1)},
		"spent": {
			site: testweb.Announce("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "3600"), fetch: queue.Allowance{Wait: time.Hour},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, same)
			b.askRobots(fetch.NewRobots(b.h.cfg.Fetch))
			b.web.Host("site.example", testweb.File("application/pdf", testweb.PDF("x", 3000)), orNone(tt.site))
			b.web.Robots("site.example", tt.text, orNone(tt.robots))
			loaded := b.step()
			if diff := cmp.Diff(queue.Signal{Kind: queue.OK, Allowance: tt.load}, loaded.Signal); diff != "" || loaded.Verb != queue.Advance {
				t.Errorf("after robots.txt, %v (-want +got):\n%s", loaded.Verb, diff)
			}
			fetched := b.step()
			if diff := cmp.Diff(tt.fetch, fetched.Signal.Allowance); diff != "" {
				t.Errorf("after the file (-want +got):\n%s", diff)
			}
			if tt.fetch.Wait > 0 && fetched.State != queue.Done {
				t.Errorf("an answer that was the last for now does not count: %+v", fetched)
			}
		})
	}
}

func both(outer, inner testweb.Behaviour) testweb.Behaviour {
	return func(h http.Handler) http.Handler { return outer(inner(h)) }
}

func orNone(b testweb.Behaviour) testweb.Behaviour {
	if b == nil {
		return func(h http.Handler) http.Handler { return h }
	}
	return b
}

// The delay is that of the authority which is asked, not of the host that its
// robots.txt lies at.
func TestStep_crawlDelayOfAnotherHost(t *testing.T) {
	b := newBench(t, same)
	b.askRobots(fetch.NewRobots(b.h.cfg.Fetch))
	b.web.Host("site.example", testweb.File("application/pdf", testweb.PDF("x", 3000)))
	b.web.Robots("site.example", "", func(http.Handler) http.Handler { return testweb.Redirect(301, "https://rules.example/robots.txt") })
	b.web.Robots("rules.example", "User-agent: *\nCrawl-delay: 5\n")
	for _, want := range []struct {
		key   string
		delay time.Duration
	}{{"host:site.example", 0}, {"host:rules.example", 0}, {"host:site.example", 5 * time.Second}} {
		key := b.job.Key
		if out := b.step(); key != want.key || out.Signal.Allowance.Every != want.delay {
			t.Errorf("at %s: %+v, want %v at %s", key, out.Signal, want.delay, want.key)
		}
	}
}

// askedSource is a resolver whose every answer comes by two requests.
type askedSource struct {
	name string
	web  paper.Getter
	urls []string
	asks int
}

func (s *askedSource) Name() string                { return s.name }
func (s *askedSource) Local() bool                 { return false }
func (s *askedSource) Accepts(paper.Artifact) bool { return true }
func (s *askedSource) Batch() int                  { return 1 }

func (s *askedSource) Resolve(ctx context.Context, as []paper.Artifact) ([]paper.Answer, error) {
	s.asks++
	for _, url := range s.urls {
		if _, err := s.web.Get(ctx, url, nil); err != nil {
			return nil, err
		}
	}
	return make([]paper.Answer, len(as)), nil
}

// A source's answers are heard, each of them, though the source says nothing of
// it; an answer that used up the allowance is still an answer.
func TestStep_sourceAnnounces(t *testing.T) {
	b := newBench(t, same)
	b.web.Host("api.example", testweb.Page(200, "x", ""), testweb.Under("/a", testweb.Announce("X-Concurrency-Limit", "1")),
		testweb.Under("/b", testweb.Announce("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "64136")))
	source := &askedSource{name: "source", web: b.h.cfg.Fetch, urls: []string{"https://api.example/a", "https://api.example/b"}}
	b.h.cfg.Resolvers = []paper.Resolver{source}
	b.job = newJob(t, b.h)
	out := b.step()
	want := queue.Signal{Kind: queue.OK, Allowance: queue.Allowance{InFlight: 1, Wait: 64136 * time.Second}}
	if diff := cmp.Diff(want, out.Signal); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if out.Verb != queue.Finish || out.Class != string(paper.NoOALocation) {
		t.Errorf("the answer does not count: %+v", out)
	}
}

// At a key that is down nothing is asked: the job goes on elsewhere, and ends as
// after any other failure that may pass.
func TestStep_down(t *testing.T) {
	b := newBench(t, same)
	b.web.Host("site.example", testweb.File("application/pdf", testweb.PDF("x", 3000)))
	sources := []*askedSource{{name: "first"}, {name: "second"}}
	landing := b.h.cfg.Resolvers[0]
	b.h.cfg.Resolvers = []paper.Resolver{sources[0], sources[1], landing}
	b.askRobots(fetch.NewRobots(b.h.cfg.Fetch))

	var at []string
	attempts := 0
	for range 100 {
		at = append(at, b.job.Key)
		b.job.Attempts++
		out := b.h.Step(t.Context(), queue.Step{
			Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 3, Down: true,
			Send: func() { t.Error("a request goes out") }, Leave: func() {},
		})[0]
		if out.Signal != (queue.Signal{}) {
			t.Fatalf("signal of a key that was not asked: %+v", out.Signal)
		}
		b.job.Key, b.job.Progress = out.Key, out.Progress
		if out.Verb == queue.Advance {
			b.job.Attempts--
			continue
		}
		attempts++
		if out.Class != string(paper.Transient) {
			t.Errorf("attempt %d: %+v", attempts, out)
		}
		if out.Verb == queue.Finish {
			if out.State != queue.Error {
				t.Errorf("ended as %s", out.State)
			}
			break
		}
	}
	one := []string{"resolver:first", "resolver:second", "host:site.example"}
	if diff := cmp.Diff(append(append(one, one...), one...), at); diff != "" || attempts != 3 {
		t.Errorf("%d attempts (-want +got):\n%s", attempts, diff)
	}
	if n := b.web.Requests() + sources[0].asks + sources[1].asks; n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Only the key that is down is passed by: the next source and the next file are
// asked, also while somebody else waits for the robots.txt there.
func TestStep_downGoesOn(t *testing.T) {
	b := newBench(t, same)
	down := &askedSource{name: "down"}
	b.web.Host("site.example", testweb.File("application/pdf", testweb.PDF("x", 3000)))
	b.h.cfg.Resolvers = []paper.Resolver{down, b.h.cfg.Resolvers[0]}
	b.job = newJob(t, b.h)
	out := b.h.Step(t.Context(), queue.Step{
		Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 3, Down: true, Send: func() {}, Leave: func() {},
	})[0]
	if out.Verb != queue.Advance || out.Key != "host:site.example" {
		t.Fatalf("%+v", out)
	}
	b.job.Key, b.job.Progress = out.Key, out.Progress
	if st, err := loadStory(b.job); err != nil || st.Asked[0].Class != paper.Transient || st.Asked[0].Note != passedBy {
		t.Errorf("asked: %+v, %v", st.Asked, err)
	}
	if out := b.step(); out.State != queue.Done || down.asks != 0 {
		t.Errorf("%+v", out)
	}
}

// A robots.txt that somebody else is loading is not waited for at a key that is
// down: that could go on for ever.
func TestStep_downWhileRobotsLoads(t *testing.T) {
	b := newBench(t, same)
	web := &stuckWeb{begun: make(chan struct{}), end: make(chan struct{})}
	b.askRobots(fetch.NewRobots(web))
	loaded := make(chan error)
	go func() {
		_, err := b.h.cfg.Robots.Load(t.Context(), "https://site.example/robots.txt")
		loaded <- err
	}()
	<-web.begun
	if out := b.step(); out.Verb != queue.Advance || out.Delay == 0 {
		t.Errorf("while robots.txt is being loaded: %+v", out)
	}
	out := b.h.Step(t.Context(), queue.Step{
		Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 1, Down: true, Send: func() {}, Leave: func() {},
	})[0]
	if out.Verb != queue.Retry && out.Verb != queue.Finish || out.Class != string(paper.Transient) {
		t.Errorf("at a key that is down: %+v", out)
	}
	close(web.end)
	if err := <-loaded; err == nil {
		t.Error("Load: no error")
	}
}

type stuckWeb struct{ begun, end chan struct{} }

func (w *stuckWeb) Open(context.Context, string, string) (*fetch.Response, error) {
	close(w.begun)
	<-w.end
	return nil, &paper.Failure{Class: paper.Transient, Err: errors.New("stuck")}
}
