package quire_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// serve registers a world of one work with copies at urls, and a page without
// files behind its DOI.
func (b *box) serve(urls ...string) {
	b.web.Serve(testweb.World{Works: []testweb.Work{work(urls...)}, Placeholders: true})
	b.web.Host("page.example", testweb.Page(http.StatusOK, "A case", "Nothing to download."))
}

// wantEnd gets the work and compares how its job has ended.
func (b *box) wantEnd(state queue.State, class paper.Class, attempts int) paper.Record {
	b.t.Helper()
	b.get(doi)
	checkFiles(b.t, b.data)
	job, rec := b.look("doi:" + doi)
	if job.State != state || job.Class != string(class) || job.Attempts != attempts {
		b.t.Errorf("ended as %s %q after %d attempts, want %s %q after %d: %s\n%+v",
			job.State, job.Class, job.Attempts, state, class, attempts, job.LastError, rec)
	}
	return rec
}

func good() http.Handler {
	return testweb.File("application/pdf", testweb.PDF("the paper", 9000))
}

func TestHarvest_redirects(t *testing.T) {
	hosts := []string{"a.example", "b.example", "c.example"}
	tests := map[string]struct {
		from     http.Handler // at a.example, b.example and c.example
		state    queue.State
		class    paper.Class
		statuses []int // of the hops
	}{
		"over three hosts":    {testweb.Hops(hosts, 3, "https://good.example/x"), queue.Done, "", []int{302, 302, 302, 200}},
		"ten requests":        {testweb.Hops(hosts, 9, "https://good.example/x"), queue.Done, "", []int{302, 302, 302, 302, 302, 302, 302, 302, 302, 200}},
		"eleven requests":     {testweb.Hops(hosts, 10, "https://good.example/x"), queue.Error, paper.RedirectLoop, []int{302, 302, 302, 302, 302, 302, 302, 302, 302, 302}},
		"to itself":           {testweb.Redirect(301, "/hop/1"), queue.Error, paper.RedirectLoop, []int{301}},
		"loop over two hosts": {testweb.Loop("https://a.example/hop/1", "https://b.example/x"), queue.Error, paper.RedirectLoop, []int{302, 302}},
		"to http":             {testweb.Redirect(307, "http://good.example/x"), queue.Done, "", []int{307, 200}},
		"to a private one":    {testweb.Redirect(302, "http://10.0.0.1/x"), queue.Skipped, paper.PolicySkipped, []int{302}},
		"to the metadata":     {testweb.Redirect(302, "http://169.254.169.254/latest/meta-data/"), queue.Skipped, paper.PolicySkipped, []int{302}},
		"to an intranet name": {testweb.Redirect(302, "https://printer/x"), queue.Skipped, paper.PolicySkipped, []int{302}},
		"to a file":           {testweb.Redirect(302, "file:///etc/passwd"), queue.Skipped, paper.PolicySkipped, []int{302}},
		"to ftp":              {testweb.Redirect(302, "ftp://good.example/x"), queue.Skipped, paper.PolicySkipped, []int{302}},
		"to a mail port":      {testweb.Redirect(302, "https://good.example:25/x"), queue.Skipped, paper.PolicySkipped, []int{302}},
		"to nothing":          {testweb.Redirect(302, ""), queue.Error, paper.Gone, []int{302}},
		"to nonsense":         {testweb.Redirect(302, "https://%zz/"), queue.Error, paper.Gone, []int{302}},
		"with a user name":    {testweb.Redirect(302, "https://user:secret@good.example/x"), queue.Done, "", []int{302, 200}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.serve("https://a.example/hop/1")
			for _, host := range hosts {
				b.web.Host(host, tt.from)
			}
			b.web.Host("good.example", good())
			b.web.Fallback(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("%s%s was dialled", r.Host, r.URL)
			}))
			rec := b.wantEnd(tt.state, tt.class, 1)
			var got []int
			for _, h := range rec.Tried[0].Hops {
				got = append(got, h.Status)
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.statuses) {
				t.Errorf("hops %v, want %v: %+v", got, tt.statuses, rec.Tried[0])
			}
			if strings.Contains(fmt.Sprintf("%+v", rec), "secret") {
				t.Errorf("the record holds a password: %+v", rec)
			}
		})
	}
}

// Where a redirect leads, the pace and cap of the host there hold, not those of
// the host it came from.
func TestHarvest_redirectTakesTurns(t *testing.T) {
	t.Parallel()
	const works, pace = 6, 80 * time.Millisecond
	b := newBox(t)
	one, every := 1, pace
	b.cfg.Limits["host:slow.example"] = quire.Limit{InFlight: &one, Every: &every}
	world := testweb.World{Placeholders: true}
	for n := range works {
		w := work(fmt.Sprintf("https://from%d.example/a.pdf", n))
		w.DOI = fmt.Sprintf("10.5555/turn%d", n)
		world.Works = append(world.Works, w)
	}
	b.web.Serve(world)
	for n := range works {
		b.web.Host(fmt.Sprintf("from%d.example", n), testweb.Redirect(302, fmt.Sprintf("https://slow.example/%d", n)))
	}
	b.web.Host("slow.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		testweb.File("application/pdf", testweb.PDF(r.URL.Path, 9000)).ServeHTTP(w, r) // each work has a file of its own
	}), testweb.Latency(20*time.Millisecond))
	if sum := b.get(world.Identifiers()...); sum.Done != works {
		t.Errorf("%+v, want %d done", sum, works)
	}
	a := b.web.Accounts()["slow.example"]
	if spread := a.Starts[len(a.Starts)-1].Sub(a.Starts[0]); a.Requests != works || a.Peak != 1 || spread < (works-1)*pace-pace/2 {
		t.Errorf("slow host: %d requests in %v, %d at once; want %d, one every %v", a.Requests, spread, a.Peak, works, pace)
	}
}

// A URL that has failed is not asked again because something else leads there.
func TestHarvest_redirectToWhatHasFailed(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.serve("https://bad.example/a.pdf", "https://a.example/a.pdf")
	b.web.Host("bad.example", http.NotFoundHandler())
	b.web.Host("a.example", testweb.Redirect(302, "https://bad.example/a.pdf"))
	b.wantEnd(queue.Error, paper.Gone, 1)
	wantRequests(t, b.web.Accounts(), map[string]int{"bad.example": 1, "a.example": 1})
}

func TestHarvest_robots(t *testing.T) {
	const disallow = "User-agent: *\nDisallow: /\n"
	tests := map[string]struct {
		robots   http.Handler // of open.example; nil: 404
		text     string       // the same as a text
		state    queue.State
		class    paper.Class
		attempts int
		pages    int // requests to the page and its file
	}{
		"none":                 {nil, "", queue.Done, "", 1, 2},
		"allows":               {nil, "User-agent: *\nDisallow: /private/\n", queue.Done, "", 1, 2},
		"disallows":            {nil, disallow, queue.Skipped, paper.PolicySkipped, 1, 0},
		"disallows us by name": {nil, "User-agent: quire\nDisallow: /\n\nUser-agent: *\nDisallow:\n", queue.Skipped, paper.PolicySkipped, 1, 0},
		"keeps another out":    {nil, "User-agent: otherbot\nDisallow: /\n", queue.Done, "", 1, 2},
		"401":                  {testweb.Page(401, "", ""), "", queue.Done, "", 1, 2},
		"a page":               {testweb.Page(200, "Welcome", "Disallow: /"), "", queue.Done, "", 1, 2},
		"500":                  {testweb.Page(500, "", ""), "", queue.Error, paper.Transient, 3, 0},
		"no answer":            {testweb.Reset()(http.NotFoundHandler()), "", queue.Error, paper.Transient, 3, 0},
		"redirect to one that disallows": {
			testweb.Redirect(302, "https://rules.example/robots.txt"), "", queue.Skipped, paper.PolicySkipped, 1, 0,
		},
		"redirect without end": {testweb.Redirect(302, "/robots.txt"), "", queue.Done, "", 1, 2},
		"redirect to a private one": {
			testweb.Redirect(302, "http://10.0.0.1/robots.txt"), "", queue.Error, paper.Transient, 3, 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			w := work()
			w.Copies = []testweb.Copy{{Page: "https://open.example/work", Services: []string{"unpaywall"}}}
			b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
			b.web.Host("page.example", testweb.Page(http.StatusOK, "A case", "Nothing to download."))
			b.web.Host("rules.example", http.NotFoundHandler())
			b.web.Robots("rules.example", disallow)
			b.web.Host("open.example", testweb.Paths{
				"/work": testweb.Landing("A case", doi, "https://open.example/work.pdf"), "/work.pdf": good(),
			})
			switch {
			case tt.robots != nil:
				b.web.Robots("open.example", "", func(http.Handler) http.Handler { return tt.robots })
			case tt.text != "":
				b.web.Robots("open.example", tt.text)
			}
			b.wantEnd(tt.state, tt.class, tt.attempts)
			accounts := b.web.Accounts()
			open := accounts["open.example"]
			if got := open.Requests - open.Robots; got != tt.pages || open.Robots != 1 || open.Disallowed != 0 {
				t.Errorf("%d requests to pages, want %d; %d to robots.txt, want 1: %v", got, tt.pages, open.Robots, open.URLs)
			}
			for _, api := range []string{"doi.org", "api.unpaywall.org", "api.openalex.org", "www.ebi.ac.uk"} {
				if n := accounts[api].Robots; n != 0 {
					t.Errorf("%s was asked for its robots.txt %d times", api, n)
				}
			}
		})
	}
}

// A file that a source hands out is asked for without robots.txt.
func TestHarvest_robotsAndDeclaredFiles(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.serve("https://good.example/a.pdf")
	b.wantEnd(queue.Done, "", 1)
	if a := b.web.Accounts()["good.example"]; a.Robots != 0 || a.Requests != 1 {
		t.Errorf("requests: %v", a.URLs)
	}
}

func TestHarvest_throttled(t *testing.T) {
	once := func(header ...string) http.Handler {
		return testweb.First(1, testweb.Fail(http.StatusTooManyRequests, header...))(good())
	}
	date := testweb.First(1, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			testweb.Fail(http.StatusTooManyRequests, "Retry-After", testweb.AsDate(time.Second))(nil).ServeHTTP(rw, r)
		})
	})(good())
	tests := map[string]struct {
		busy     http.Handler
		more     []string // other locations
		state    queue.State
		class    paper.Class
		requests int           // to the busy host
		least    time.Duration // between two of them
	}{
		"for a second":         {once("Retry-After", "1"), nil, queue.Done, "", 2, time.Second},
		"until a date":         {date, nil, queue.Done, "", 2, 0},
		"without a time":       {once(), nil, queue.Done, "", 2, 900 * time.Millisecond},
		"for a banana":         {once("Retry-After", "banana"), nil, queue.Done, "", 2, 900 * time.Millisecond},
		"by 503":               {testweb.First(1, testweb.Fail(503, "Retry-After", "1"))(good()), nil, queue.Done, "", 2, time.Second},
		"for a day":            {testweb.Fail(429, "Retry-After", "86400")(good()), nil, queue.Error, paper.Throttled, 1, 0},
		"for a day, not there": {testweb.Fail(429, "Retry-After", "86400")(good()), []string{"https://good.example/a.pdf"}, queue.Done, "", 1, 0},
	}
	t.Parallel()
	b := newBox(t)
	names := slices.Sorted(maps.Keys(tests))
	world := testweb.World{Placeholders: true}
	busy := func(i int) string { return fmt.Sprintf("busy%d.example", i) }
	for i, name := range names {
		w := work(append([]string{"https://" + busy(i) + "/a.pdf"}, tests[name].more...)...)
		w.DOI = fmt.Sprintf("10.5555/busy%d", i)
		world.Works = append(world.Works, w)
	}
	b.web.Serve(world)
	b.web.Host("page.example", testweb.Page(http.StatusOK, "A case", "Nothing to download."))
	for i, name := range names {
		b.web.Host(busy(i), tests[name].busy)
	}
	b.get(world.Identifiers()...) // all wait at the same time
	accounts := b.web.Accounts()
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			tt := tests[name]
			job, rec := b.look(world.Works[i].Identifier())
			if job.State != tt.state || job.Class != string(tt.class) || job.Attempts != 1 {
				t.Errorf("ended as %s %q after %d attempts, want %s %q after 1\n%+v", job.State, job.Class, job.Attempts, tt.state, tt.class, rec)
			}
			wantRequests(t, accounts, map[string]int{busy(i): tt.requests})
			starts := accounts[busy(i)].Starts
			if len(starts) == 2 && starts[1].Sub(starts[0]) < tt.least {
				t.Errorf("asked again after %v, want at least %v", starts[1].Sub(starts[0]), tt.least)
			}
		})
	}
}

// A source that asks for less is left alone as long as it says, and the job is
// not charged for it.
func TestHarvest_throttledSource(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.Sources = []quire.Source{{Name: "unpaywall"}}
	b.serve("https://good.example/a.pdf")
	record := fmt.Sprintf(`{"doi":%q,"is_oa":true,"oa_locations":[{"url_for_pdf":"https://good.example/a.pdf"}]}`, doi)
	b.web.Host("api.unpaywall.org", testweb.Text("application/json", record),
		testweb.First(1, testweb.Fail(http.StatusTooManyRequests, "Retry-After", "1")))
	b.wantEnd(queue.Done, "", 1)
	wantRequests(t, b.web.Accounts(), map[string]int{"api.unpaywall.org": 2, "good.example": 1})
}
