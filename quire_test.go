package quire_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// box is a System in an internet in a box.
type box struct {
	t    *testing.T
	web  *testweb.Web
	data string
	cfg  quire.Config
}

func newBox(t *testing.T) *box {
	t.Helper()
	web, err := testweb.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { web.Close() })
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := web.WriteCA(ca); err != nil {
		t.Fatal(err)
	}
	millisecond, four := time.Millisecond, 4
	quick := quire.Limit{InFlight: &four, Every: &millisecond}
	limits := map[string]quire.Limit{"default_host": quick, "host:doi.org": quick, "host:arxiv.org": quick, "host:europepmc.org": quick}
	for _, name := range []string{
		"idconv", "pmc", "europepmc", "hal", "unpaywall", "openalex", "crossref", "semanticscholar", "doaj", "datacite", "openaire", "core", "wayback",
	} {
		limits["resolver:"+name] = quick
	}
	data := filepath.Join(dir, "data")
	return &box{t: t, web: web, data: data, cfg: quire.Config{
		Data: data, Contact: "tester@quire-tests.org", Limits: limits,
		Retry: queue.RetryPolicy{Base: time.Millisecond, Max: time.Millisecond}, Breaker: 50 * time.Millisecond,
		HTTP: quire.HTTP{
			ConnectTo: web.ConnectTo(), CAFile: ca,
			AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
	}}
}

// get adds ids, runs until drained, and returns the summary.
func (b *box) get(ids ...string) quire.Summary {
	b.t.Helper()
	var sum quire.Summary
	b.with(func(s *quire.System) {
		var requests []quire.Request
		for _, id := range ids {
			a, err := paper.ParseID(id)
			if err != nil {
				b.t.Fatal(err)
			}
			requests = append(requests, quire.Request{Artifact: a})
		}
		if _, err := s.Add(b.t.Context(), requests, quire.AddOptions{}); err != nil {
			b.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
		defer cancel()
		var err error
		if sum, err = s.Run(ctx, quire.RunOptions{Drain: true}); err != nil {
			b.t.Fatalf("Run: %v", err)
		}
		if !sum.Drained {
			b.t.Fatalf("Run = %+v, want it drained", sum)
		}
	})
	return sum
}

func (b *box) with(do func(*quire.System)) {
	b.t.Helper()
	s, err := quire.Open(b.t.Context(), b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.t.Errorf("Close: %v", err)
		}
	}()
	do(s)
}

// look returns the job and the record of an artifact.
func (b *box) look(id string) (job queue.Job, rec paper.Record) {
	b.t.Helper()
	b.with(func(s *quire.System) { job, rec = lookIn(b.t, s, id) })
	return job, rec
}

func lookIn(t *testing.T, s *quire.System, id string) (queue.Job, paper.Record) {
	t.Helper()
	job, err := s.Queue().Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := s.Story(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	return job, rec
}

const doi = "10.5555/case"

// work is a work with copies at URLs, known to Unpaywall in that order.
func work(urls ...string) testweb.Work {
	w := testweb.Work{DOI: doi, Title: "A case", Landing: "https://page.example/case"}
	for _, u := range urls {
		w.Copies = append(w.Copies, testweb.Copy{URL: u, Services: []string{"unpaywall"}, Publisher: true})
	}
	return w
}

func TestHarvest(t *testing.T) {
	pdf := testweb.PDF("the paper", 9000)
	good := testweb.File("application/pdf", pdf)
	other := "https://good.example/other.pdf"
	tests := map[string]struct {
		hosts    map[string]http.Handler // by host; they stand in for what the world serves
		robots   map[string]string
		urls     []string
		config   func(*quire.Config)
		state    queue.State
		class    paper.Class
		attempts int
		requests map[string]int // by host
		tried    []paper.Class  // of the candidates, in order; "" for the one that gave the file
	}{
		"first location": {
			urls: []string{other}, state: queue.Done, attempts: 1,
			requests: map[string]int{"good.example": 1}, tried: []paper.Class{""},
		},
		"second location after 404": {
			hosts: map[string]http.Handler{"bad.example": http.NotFoundHandler()},
			urls:  []string{"https://bad.example/a.pdf", other}, state: queue.Done, attempts: 1,
			requests: map[string]int{"bad.example": 1, "good.example": 1}, tried: []paper.Class{paper.Gone, ""},
		},
		"second location after 403": {
			hosts: map[string]http.Handler{"bad.example": testweb.Fail(http.StatusForbidden)(good)},
			urls:  []string{"https://bad.example/a.pdf", other}, state: queue.Done, attempts: 1,
			requests: map[string]int{"bad.example": 1}, tried: []paper.Class{paper.Forbidden, ""},
		},
		"second location after a cut file": {
			hosts: map[string]http.Handler{"bad.example": testweb.Truncate(500)(good)},
			urls:  []string{"https://bad.example/a.pdf", other}, state: queue.Done, attempts: 1,
			tried: []paper.Class{paper.Transient, ""},
		},
		"second location after half a PDF that claims to be whole": {
			hosts: map[string]http.Handler{"bad.example": testweb.File("application/pdf", pdf[:4000])},
			urls:  []string{"https://bad.example/a.pdf", other}, state: queue.Done, attempts: 1,
			tried: []paper.Class{paper.InvalidContent, ""},
		},
		"second location after an empty file": {
			hosts: map[string]http.Handler{"bad.example": testweb.File("application/pdf", nil)},
			urls:  []string{"https://bad.example/a.pdf", other}, state: queue.Done, attempts: 1,
			tried: []paper.Class{paper.InvalidContent, ""},
		},
		"a page named .pdf that names the file": {
			hosts: map[string]http.Handler{"lies.example": testweb.Paths{
				"/a.pdf": testweb.Landing("A case", doi, "https://lies.example/real.pdf"), "/real.pdf": good,
			}},
			urls: []string{"https://lies.example/a.pdf"}, state: queue.Done, attempts: 1,
			requests: map[string]int{"lies.example": 3}, // the page, robots.txt, the file
			tried:    []paper.Class{paper.WrongType, ""},
		},
		"a soft 404 named .pdf": {
			hosts: map[string]http.Handler{"lies.example": testweb.SoftNotFound()},
			urls:  []string{"https://lies.example/a.pdf"}, state: queue.Error, class: paper.Gone, attempts: 1,
			requests: map[string]int{"lies.example": 1},
		},
		"a challenge is not evaded": {
			hosts: map[string]http.Handler{"wall.example": testweb.Challenge()},
			urls:  []string{"https://wall.example/a.pdf"}, state: queue.Error, class: paper.Challenge, attempts: 1,
			requests: map[string]int{"wall.example": 1},
		},
		"a redirect to another host": {
			hosts: map[string]http.Handler{
				"a.example": testweb.Redirect(http.StatusFound, "https://b.example/x"), "b.example": good,
			},
			urls: []string{"https://a.example/a.pdf"}, state: queue.Done, attempts: 1,
			requests: map[string]int{"a.example": 1, "b.example": 1}, tried: []paper.Class{""},
		},
		"a redirect loop": {
			hosts: map[string]http.Handler{
				"a.example": testweb.Redirect(http.StatusFound, "https://b.example/x"),
				"b.example": testweb.Redirect(http.StatusFound, "https://a.example/a.pdf"),
			},
			urls: []string{"https://a.example/a.pdf"}, state: queue.Error, class: paper.RedirectLoop, attempts: 1,
			requests: map[string]int{"a.example": 1, "b.example": 1},
		},
		"an endless chain of redirects": {
			hosts: map[string]http.Handler{"a.example": http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				http.Redirect(rw, r, r.URL.Path+"x", http.StatusFound)
			})},
			urls: []string{"https://a.example/a"}, state: queue.Error, class: paper.RedirectLoop, attempts: 1,
			requests: map[string]int{"a.example": 10},
		},
		"a redirect to another scheme": {
			hosts: map[string]http.Handler{"a.example": testweb.Redirect(http.StatusFound, "file:///etc/passwd")},
			urls:  []string{"https://a.example/a.pdf"}, state: queue.Skipped, class: paper.PolicySkipped, attempts: 1,
		},
		"robots.txt keeps out of what a page names": {
			hosts: map[string]http.Handler{"lies.example": testweb.Paths{
				"/a.pdf": testweb.Landing("A case", doi, "https://lies.example/real.pdf"), "/real.pdf": good,
			}},
			robots: map[string]string{"lies.example": "User-agent: *\nDisallow: /real\n"},
			urls:   []string{"https://lies.example/a.pdf"}, state: queue.Error, class: paper.WrongType, attempts: 1,
			requests: map[string]int{"lies.example": 2},
			tried:    []paper.Class{paper.WrongType, paper.PolicySkipped},
		},
		"throttled, and then not": {
			hosts: map[string]http.Handler{"busy.example": testweb.First(2, testweb.Fail(http.StatusTooManyRequests, "Retry-After", "1"))(good)},
			urls:  []string{"https://busy.example/a.pdf"}, state: queue.Done, attempts: 1,
			requests: map[string]int{"busy.example": 3}, tried: []paper.Class{""},
		},
		"a server error that passes": {
			hosts: map[string]http.Handler{"ill.example": testweb.First(1, testweb.Fail(http.StatusBadGateway))(good)},
			urls:  []string{"https://ill.example/a.pdf"}, state: queue.Done, attempts: 2,
			requests: map[string]int{"ill.example": 2, "api.unpaywall.org": 1}, tried: []paper.Class{""},
		},
		"a server error that stays": {
			hosts: map[string]http.Handler{"ill.example": testweb.Fail(http.StatusBadGateway)(good)},
			urls:  []string{"https://ill.example/a.pdf"}, state: queue.Error, class: paper.Transient, attempts: 3,
			requests: map[string]int{"ill.example": 3, "api.unpaywall.org": 1},
		},
		"a source that fails is asked again": {
			hosts: map[string]http.Handler{"api.unpaywall.org": testweb.Fail(http.StatusInternalServerError)(good)},
			urls:  []string{other}, state: queue.Error, class: paper.Transient, attempts: 3,
			requests: map[string]int{"api.unpaywall.org": 3},
		},
		"a source that refuses our address is switched off": {
			hosts: map[string]http.Handler{"api.unpaywall.org": http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "application/json")
				rw.WriteHeader(http.StatusUnprocessableEntity)
				fmt.Fprint(rw, `{"HTTP_status_code":422,"error":true,"message":"Please use your own email address in API calls."}`)
			})},
			urls: []string{other}, state: queue.Error, class: paper.Config, attempts: 1,
			config: func(c *quire.Config) { c.Sources = []quire.Source{{Name: "unpaywall"}} },
		},
		"too large": {
			urls: []string{other}, state: queue.Skipped, class: paper.TooLarge, attempts: 1,
			config: func(c *quire.Config) { c.Accept.MaxBytes = 1000 },
		},
		"a licence that is not accepted": {
			urls: []string{other}, state: queue.Skipped, class: paper.PolicySkipped, attempts: 1,
			config:   func(c *quire.Config) { c.Accept.Licenses = []string{"cc-by-4.0"} },
			requests: map[string]int{"good.example": 0},
		},
		"no more than six URLs": {
			hosts: map[string]http.Handler{"bad.example": http.NotFoundHandler()},
			urls: func() (urls []string) {
				for n := range 9 {
					urls = append(urls, fmt.Sprintf("https://bad.example/%d.pdf", n))
				}
				return urls
			}(),
			state: queue.Error, class: paper.Gone, attempts: 1, requests: map[string]int{"bad.example": 6},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.web.Serve(testweb.World{Works: []testweb.Work{work(tt.urls...)}, Placeholders: true})
			b.web.Host("good.example", good)
			b.web.Host("page.example", testweb.Page(http.StatusOK, "A case", "Nothing to download."))
			for host, h := range tt.hosts {
				b.web.Host(host, h)
			}
			for host, text := range tt.robots {
				b.web.Robots(host, text)
			}
			if tt.config != nil {
				tt.config(&b.cfg)
			}
			b.get(doi)
			job, rec := b.look("doi:" + doi)
			if job.State != tt.state || job.Class != string(tt.class) || job.Attempts != tt.attempts {
				t.Errorf("ended as %s %q after %d attempts, want %s %q after %d\n%+v",
					job.State, job.Class, job.Attempts, tt.state, tt.class, tt.attempts, rec)
			}
			accounts := b.web.Accounts()
			for host, want := range tt.requests {
				if got := accounts[host]; got.Requests != want || got.Gated != 0 || got.Disallowed != 0 {
					t.Errorf("%s got %d requests (%d while gated, %d disallowed), want %d: %v", host, got.Requests, got.Gated, got.Disallowed, want, got.URLs)
				}
			}
			if tt.tried != nil {
				var got []paper.Class
				for _, c := range rec.Tried[:len(tt.tried)] {
					got = append(got, c.Class)
				}
				if !slices.Equal(got, tt.tried) {
					t.Errorf("candidates ended as %q, want %q", got, tt.tried)
				}
			}
			checkFiles(t, b.data)
		})
	}
}

// checkFiles wants every stored file to be what its name says, and no temporary
// ones.
func checkFiles(t *testing.T, data string) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(data, "artifacts"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		body, err := os.ReadFile(path)
		name, _, _ := strings.Cut(d.Name(), ".")
		if sum := sha256.Sum256(body); name != hex.EncodeToString(sum[:]) {
			t.Errorf("%s holds other bytes", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(data, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("tmp holds %v (%v)", left, err)
	}
	return n
}

func TestHarvest_otherIdentifiers(t *testing.T) {
	b := newBox(t)
	b.web.Serve(testweb.World{Placeholders: true, Works: []testweb.Work{
		{ArXiv: "2101.00001", Title: "By arXiv"},
		{PMCID: "PMC77", PMID: "177", Title: "By PMC"},
		{DOI: "10.5555/both", PMCID: "PMC78", Title: "Learnt", Landing: "https://page.example/both"},
		{DOI: "10.5555/closed", Title: "Closed", Landing: "https://page.example/closed"},
		{DOI: "10.5555/unknown", Unknown: true},
	}})
	b.web.Host("files.example", testweb.File("application/pdf", testweb.PDF("by url", 5000)))
	b.get("arXiv:2101.00001v2", "10.48550/arXiv.2101.00001", "PMC77", "10.5555/both", "10.5555/closed", "10.5555/unknown", "https://files.example/a.pdf")
	for id, want := range map[string]struct {
		state    queue.State
		class    paper.Class
		resolver string
	}{
		"arxiv:2101.00001":                {queue.Done, "", "arxiv"},
		"pmcid:PMC77":                     {queue.Done, "", "pmc"},
		"doi:10.5555/both":                {queue.Done, "", "pmc"},
		"doi:10.5555/closed":              {queue.Skipped, paper.NoOALocation, ""},
		"doi:10.5555/unknown":             {queue.Error, paper.NotFoundID, ""},
		"url:https://files.example/a.pdf": {queue.Done, "", "landing"},
	} {
		job, rec := b.look(id)
		resolver := ""
		if rec.File != nil {
			resolver = rec.File.Resolver
		}
		if job.State != want.state || job.Class != string(want.class) || resolver != want.resolver {
			t.Errorf("%s ended as %s %q by %q, want %+v\n%+v", id, job.State, job.Class, resolver, want, rec)
		}
	}
}

func TestHarvest_sameFileForTwoWorks(t *testing.T) {
	b := newBox(t)
	first, second := work("https://good.example/one.pdf"), work("https://good.example/two.pdf")
	first.DOI, second.DOI = "10.5555/one", "10.5555/two"
	b.web.Serve(testweb.World{Works: []testweb.Work{first, second}, Placeholders: true})
	b.web.Host("good.example", testweb.File("application/pdf", testweb.PDF("shared", 5000)))
	b.get("10.5555/one", "10.5555/two")
	if n := checkFiles(t, b.data); n != 1 {
		t.Errorf("%d files are stored, want one for both works", n)
	}
	want := testweb.PDF("shared", 5000)
	for _, name := range []string{"one", "two"} {
		got, err := os.ReadFile(filepath.Join(b.data, "works", "10.5555", name+".pdf"))
		if err != nil || string(got) != string(want) {
			t.Errorf("link of %s: %d bytes, %v", name, len(got), err)
		}
	}
	manifest, err := os.ReadFile(filepath.Join(b.data, "manifest.jsonl"))
	if lines := strings.Count(string(manifest), "\n"); err != nil || lines != 2 {
		t.Errorf("manifest has %d lines (%v), want 2", lines, err)
	}
	requests := b.web.Requests()
	if sum := b.get("10.5555/one", "10.5555/two"); sum.Done != 0 || b.web.Requests() != requests {
		t.Errorf("second run: %+v, %d requests; want nothing", sum, b.web.Requests()-requests)
	}
}

// TestRun_twoAtOnce lets two Systems run one data directory: the second waits for
// the first, so no limit is broken, and each work is got once.
func TestRun_twoAtOnce(t *testing.T) {
	b := newBox(t)
	world := testweb.World{Placeholders: true, Sites: map[string]testweb.Site{
		"good.example": {Behaviours: []testweb.Behaviour{testweb.Latency(5 * time.Millisecond)}},
	}}
	for n := range 40 {
		w := work(fmt.Sprintf("https://good.example/%d.pdf", n))
		w.DOI = fmt.Sprintf("10.5555/n%d", n)
		world.Works = append(world.Works, w)
	}
	b.web.Serve(world)
	done := make(chan quire.Summary, 2)
	for range 2 {
		go func() { done <- b.get(world.Identifiers()...) }()
	}
	first, second := <-done, <-done
	if first.Done+second.Done != 40 {
		t.Errorf("runs got %d and %d works, want 40 in all", first.Done, second.Done)
	}
	if a := b.web.Accounts()["good.example"]; a.Requests != 40 || a.Peak > 4 {
		t.Errorf("the host got %d requests, %d at once; want 40 and at most 4", a.Requests, a.Peak)
	}
}
