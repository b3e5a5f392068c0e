package quire_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// askedClasses are the classes of the sources' answers in a record, by name.
func askedClasses(rec paper.Record) map[string]paper.Class {
	asked := make(map[string]paper.Class)
	for _, a := range rec.Asked {
		asked[a.Resolver] = a.Class
	}
	return asked
}

// Whatever one source says, the next still gives the file in the same attempt;
// and where it says nothing usable, a later round asks it alone again.
func TestHarvest_sourceAnswersNonsense(t *testing.T) {
	var flood strings.Builder
	for n := range 300 {
		fmt.Fprintf(&flood, `{"url_for_pdf":"https://flood.example/%d/%s"},`, n, strings.Repeat("&", 8000))
	}
	tests := map[string]struct {
		answer http.Handler
		class  paper.Class // of the source
	}{
		"a page":          {testweb.Page(200, "Maintenance", "Back soon."), paper.Transient},
		"an array":        {testweb.Text("application/json", "[]"), paper.Transient},
		"a cut object":    {testweb.Text("application/json", `{"doi":"10.5555/case","oa_locations":[{"url`), paper.Transient},
		"nothing":         {testweb.Text("application/json", ""), paper.Transient},
		"a redirect":      {testweb.Redirect(302, "https://elsewhere.example/"), paper.Transient},
		"another DOI":     {testweb.Text("application/json", `{"doi":"10.5555/other","oa_locations":[{"url_for_pdf":"https://flood.example/x"}]}`), ""},
		"wrong types":     {testweb.Text("application/json", `{"doi":"10.5555/case","oa_locations":{"a":1},"best_oa_location":7,"title":[1]}`), ""},
		"private URLs":    {testweb.Text("application/json", `{"doi":"10.5555/case","oa_locations":[{"url_for_pdf":"http://10.0.0.1/a.pdf"},{"url_for_pdf":"file:///etc/passwd"}]}`), ""},
		"a flood of URLs": {testweb.Text("application/json", `{"doi":"10.5555/case","oa_locations":[`+strings.TrimSuffix(flood.String(), ",")+`]}`), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.cfg.Sources = []quire.Source{{Name: "unpaywall"}, {Name: "openalex"}}
			var mu sync.Mutex
			longest := 0
			b.cfg.Observe = func(e quire.Event) {
				mu.Lock()
				defer mu.Unlock()
				longest = max(longest, len(e.Job.Progress))
			}
			w := work()
			w.Copies = []testweb.Copy{{URL: "https://good.example/a.pdf", Services: []string{"openalex"}}}
			b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
			b.web.Host("api.unpaywall.org", tt.answer)
			b.web.Host("flood.example", http.NotFoundHandler())
			rec := b.wantEnd(queue.Done, "", 1)
			want := map[string]paper.Class{"unpaywall": tt.class, "openalex": ""}
			if diff := cmp.Diff(want, askedClasses(rec)); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
			if longest > 64<<10 {
				t.Errorf("progress took %d bytes, want at most 64 KiB", longest)
			}
		})
	}
}

func TestHarvest_onlyWhatFailedIsAskedAgain(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.serve()
	b.web.Host("api.openalex.org", testweb.Page(503, "", ""))
	b.wantEnd(queue.Error, paper.Transient, 3)
	wantRequests(t, b.web.Accounts(), map[string]int{
		"api.openalex.org": 3, "api.unpaywall.org": 1, "api.crossref.org": 1, "www.ebi.ac.uk": 1, "doi.org": 1, "page.example": 2,
	})
}

// A source that turns us away did not say that there is no open copy.
func TestHarvest_sourceTurnsUsAway(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.serve()
	b.web.Host("www.ebi.ac.uk", testweb.Page(403, "", ""))
	b.wantEnd(queue.Error, paper.Forbidden, 1)
}

// The complaint of a source about our address stops that source, not the run.
func TestHarvest_sourceSwitchedOff(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.Sources = []quire.Source{{Name: "unpaywall"}, {Name: "openalex"}}
	b.cfg.Workers = 1
	alone, one := b.cfg.Limits["resolver:openalex"], 1
	alone.Batch = &one
	b.cfg.Limits["resolver:openalex"] = alone
	open, closed := work(), work()
	open.DOI, closed.DOI = "10.5555/open", "10.5555/closed"
	open.Copies = []testweb.Copy{{URL: "https://good.example/a.pdf", Services: []string{"openalex"}}}
	b.web.Serve(testweb.World{Works: []testweb.Work{open, closed}, Placeholders: true})
	b.web.Host("api.unpaywall.org", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(rw, `{"error":true,"message":"Please use your own email address in API calls."}`)
	}))
	b.get("10.5555/open", "10.5555/closed")
	if job, rec := b.look("doi:10.5555/open"); job.State != queue.Done || askedClasses(rec)["unpaywall"] != paper.Config {
		t.Errorf("open work ended as %s %q: %+v", job.State, job.Class, rec.Asked)
	}
	if job, rec := b.look("doi:10.5555/closed"); job.State != queue.Error || job.Class != string(paper.Config) || job.Attempts != 1 {
		t.Errorf("closed work ended as %s %q after %d attempts: %+v", job.State, job.Class, job.Attempts, rec.Asked)
	}
	wantRequests(t, b.web.Accounts(), map[string]int{"api.unpaywall.org": 1, "api.openalex.org": 2, "good.example": 1})
}

func TestHarvest_twoSourcesOneURL(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	w := work()
	w.Copies = []testweb.Copy{{URL: "https://bad.example/a.pdf", Publisher: true}} // known to all
	b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
	b.web.Host("page.example", testweb.Page(200, "A case", "Nothing to download."))
	b.web.Host("bad.example", http.NotFoundHandler())
	b.wantEnd(queue.Error, paper.Gone, 1)
	wantRequests(t, b.web.Accounts(), map[string]int{"bad.example": 1, "api.unpaywall.org": 1, "api.openalex.org": 1, "api.crossref.org": 1})
}

// Once six URLs have been tried no source is asked for more.
func TestHarvest_enoughTried(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var urls []string
	for n := range 8 {
		urls = append(urls, fmt.Sprintf("https://bad.example/%d.pdf", n))
	}
	b.serve(urls...)
	b.web.Host("bad.example", http.NotFoundHandler())
	b.wantEnd(queue.Error, paper.Gone, 1)
	wantRequests(t, b.web.Accounts(), map[string]int{"bad.example": 6, "api.unpaywall.org": 1, "api.openalex.org": 0, "doi.org": 0})
}

func TestHarvest_hint(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	w := work()
	w.Copies = []testweb.Copy{{URL: "https://good.example/a.pdf"}}
	b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
	b.with(func(s *quire.System) {
		a, err := paper.ParseID(doi)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Add(t.Context(), []quire.Request{{Artifact: a, Hint: "openalex"}}, quire.AddOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	rec := b.wantEnd(queue.Done, "", 1)
	if rec.File.Resolver != "openalex" {
		t.Errorf("file is from %s", rec.File.Resolver)
	}
	wantRequests(t, b.web.Accounts(), map[string]int{"api.openalex.org": 1, "api.unpaywall.org": 0, "www.ebi.ac.uk": 0})
}

func TestHarvest_pmcChecksum(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.Sources = []quire.Source{{Name: "pmc"}}
	b.web.Serve(testweb.World{Works: []testweb.Work{{PMCID: "PMC4242", Title: "Summed"}}})
	b.get("PMC4242")
	if job, rec := b.look("pmcid:PMC4242"); job.State != queue.Done || len(rec.Tried) != 1 || rec.Tried[0].MD5 == "" {
		t.Fatalf("ended as %s %q: %+v", job.State, job.Class, rec.Tried)
	}
	const bucket = "pmc-oa-opendata.s3.amazonaws.com"
	wantRequests(t, b.web.Accounts(), map[string]int{bucket: 3}) // listing, metadata, file
	if n := b.web.Accounts()[bucket].Robots; n != 0 {
		t.Errorf("the bucket was asked for its robots.txt %d times", n)
	}
}

func TestHarvest_pmcWrongChecksum(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.Sources = []quire.Source{{Name: "pmc"}}
	list := `<ListBucketResult><CommonPrefixes><Prefix>PMC4242.1/</Prefix></CommonPrefixes></ListBucketResult>`
	about := `{"pmcid":"PMC4242.1","pdf_url":"s3://pmc-oa-opendata/PMC4242.1/PMC4242.1.pdf?md5=` + strings.Repeat("0", 32) + `"}`
	b.web.Host("pmc-oa-opendata.s3.amazonaws.com", testweb.Paths{
		"/": testweb.Text("application/xml", list), "/metadata/PMC4242.1.json": testweb.Text("application/json", about),
		"/PMC4242.1/PMC4242.1.pdf": good(),
	})
	b.get("PMC4242")
	if job, _ := b.look("pmcid:PMC4242"); job.State != queue.Error || job.Class != string(paper.InvalidContent) {
		t.Errorf("ended as %s %q: %s", job.State, job.Class, job.LastError)
	}
	if n := checkFiles(t, b.data); n != 0 {
		t.Errorf("%d files are stored", n)
	}
}

func TestHarvest_urls(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.web.Serve(testweb.World{Placeholders: true})
	b.web.Host("site.example", testweb.Paths{
		"/a.pdf": good(), "/page": testweb.Landing("A case", "", "/a.pdf"), "/plain": testweb.Page(200, "About", "<p>Hello.</p>"),
		"/broken": testweb.Landing("A case", "", "/missing.pdf"), "/wall": testweb.Challenge(),
	})
	want := map[string]struct {
		state queue.State
		class paper.Class
	}{
		"/a.pdf":     {queue.Done, ""},
		"/page":      {queue.Done, ""},
		"/plain":     {queue.Skipped, paper.NoPDFLink},
		"/gone.pdf":  {queue.Error, paper.Gone},
		"/gone.html": {queue.Error, paper.Gone},
		"/broken":    {queue.Error, paper.Gone},
		"/wall":      {queue.Error, paper.Challenge},
	}
	var urls []string
	for path := range maps.Keys(want) {
		urls = append(urls, "https://site.example"+path)
	}
	b.get(urls...)
	for path, w := range want {
		if job, rec := b.look("url:https://site.example" + path); job.State != w.state || job.Class != string(w.class) {
			t.Errorf("%s ended as %s %q, want %s %q: %+v", path, job.State, job.Class, w.state, w.class, rec.Tried)
		}
	}
}

// A page whose file is a page whose file is a page is given up.
func TestHarvest_pagesWithoutEnd(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.serve("https://lies.example/1.pdf")
	b.web.Host("lies.example", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		testweb.Landing("A case", doi, strings.TrimSuffix(r.URL.Path, ".pdf")+"1.pdf").ServeHTTP(rw, r)
	}))
	b.wantEnd(queue.Error, paper.WrongType, 1)
	wantRequests(t, b.web.Accounts(), map[string]int{"lies.example": 4}) // three pages and robots.txt
}

func TestHarvest_policy(t *testing.T) {
	t.Parallel()
	copies := []testweb.Copy{
		{URL: "https://draft.example/a.pdf", Version: "submittedVersion", Services: []string{"unpaywall"}},
		{URL: "https://good.example/a.pdf", Version: "publishedVersion", License: "cc-by", Services: []string{"unpaywall"}},
	}
	tests := map[string]struct {
		accept quire.Accept
		from   string
	}{
		"anything":          {quire.Accept{}, "https://good.example/a.pdf"},
		"drafts":            {quire.Accept{Versions: []paper.Version{paper.Submitted}}, "https://draft.example/a.pdf"},
		"published":         {quire.Accept{Versions: []paper.Version{paper.Published}}, "https://good.example/a.pdf"},
		"licences":          {quire.Accept{Licenses: []string{"cc-by", "cc-by-4.0"}}, "https://good.example/a.pdf"},
		"no licence at all": {quire.Accept{Licenses: []string{"cc0"}}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.cfg.Accept = tt.accept
			w := work()
			w.Copies = copies
			b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
			b.web.Host("page.example", testweb.Page(200, "A case", "Nothing to download."))
			if tt.from == "" {
				b.wantEnd(queue.Skipped, paper.PolicySkipped, 1)
				wantRequests(t, b.web.Accounts(), map[string]int{"draft.example": 0, "good.example": 0})
				return
			}
			if rec := b.wantEnd(queue.Done, "", 1); rec.File.URL != tt.from {
				t.Errorf("file is from %s, want %s", rec.File.URL, tt.from)
			}
		})
	}
}

// What stands where a link should be costs neither the file nor the run.
func TestHarvest_linkInTheWay(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.serve("https://good.example/a.pdf")
	if err := os.MkdirAll(filepath.Join(b.data, "works", "10.5555", "case.pdf"), 0o750); err != nil {
		t.Fatal(err)
	}
	b.wantEnd(queue.Done, "", 1)
	wantRequests(t, b.web.Accounts(), map[string]int{"good.example": 1})
}

// The manifest has a line for each finished work, and says what the queue says.
func TestHarvest_manifest(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	world := testweb.DemoWorld(3)
	for host, site := range world.Sites {
		world.Sites[host] = testweb.Site{Robots: site.Robots}
	}
	world.Works = world.Works[:20]
	b.web.Serve(world)
	sum := b.get(world.Identifiers()...)
	checkFiles(t, b.data)
	f, err := os.Open(filepath.Join(b.data, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type line struct {
		ArtifactID string      `json:"artifact_id"`
		State      queue.State `json:"state"`
		SHA256     string      `json:"sha256"`
	}
	var got, want []line
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
	}
	b.with(func(s *quire.System) {
		jobs, err := s.Queue().Jobs(t.Context(), queue.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			var file paper.File
			if len(j.Result) > 0 && json.Unmarshal(j.Result, &file) != nil {
				t.Errorf("result of %s: %s", j.ArtifactID, j.Result)
			}
			want = append(want, line{j.ArtifactID, j.State, file.SHA256})
		}
	})
	byID := func(a, b line) int { return strings.Compare(a.ArtifactID, b.ArtifactID) }
	slices.SortFunc(got, byID)
	slices.SortFunc(want, byID)
	if diff := cmp.Diff(want, got); diff != "" || len(got) != sum.Done+sum.Skipped+sum.Error {
		t.Errorf("manifest differs from the queue (-queue +manifest), run %+v:\n%s", sum, diff)
	}
}

// The page that a source names and the DOI leads to is asked for once.
func TestHarvest_samePageBehindDOI(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	w := work()
	w.Copies = []testweb.Copy{{Page: w.Landing, Services: []string{"unpaywall"}}}
	b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
	b.web.Host("page.example", testweb.Paths{"/case": testweb.Landing("A case", doi, "https://page.example/case.pdf"), "/case.pdf": http.NotFoundHandler()})
	b.wantEnd(queue.Error, paper.Gone, 1)
	wantRequests(t, b.web.Accounts(), map[string]int{"page.example": 3, "doi.org": 1}) // page, robots.txt, file
}

// A file that is gone is looked for in the archive, once the pages have been
// searched too, and keeps what is known of it.
func TestHarvest_wayback(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	w := work()
	w.Copies = []testweb.Copy{
		{URL: "https://bad.example/never.pdf", License: "cc-by", Services: []string{"unpaywall"}, Lies: http.NotFoundHandler()},
		{URL: "https://bad.example/a.pdf", License: "cc-by", Services: []string{"unpaywall", "wayback"}, Lies: testweb.Page(410, "Gone", "")},
	}
	b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
	b.web.Host("page.example", testweb.Page(200, "A case", "Nothing to download."))
	rec := b.wantEnd(queue.Done, "", 1)
	if rec.File.Resolver != "wayback" || rec.File.License != "cc-by" || rec.File.URL != "https://web.archive.org/web/20200102030405id_/https://bad.example/a.pdf" {
		t.Errorf("file: %+v", rec.File)
	}
	if last := rec.Asked[len(rec.Asked)-1]; last.Resolver != "wayback" || last.Candidates != 1 {
		t.Errorf("asked last: %+v", last)
	}
	wantRequests(t, b.web.Accounts(), map[string]int{"bad.example": 2, "page.example": 2, "web.archive.org": 3})
}

// The archive is asked about nothing but files that are gone.
func TestHarvest_waybackIsNotAsked(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	w := work()
	w.Copies = []testweb.Copy{
		{URL: "https://bad.example/a.pdf", Services: []string{"unpaywall", "wayback"}, Lies: testweb.Page(403, "", "")},
	}
	b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
	b.web.Host("page.example", http.NotFoundHandler())
	b.wantEnd(queue.Error, paper.Forbidden, 1)
	wantRequests(t, b.web.Accounts(), map[string]int{"web.archive.org": 0})
}

// The long tail is asked when the others have nothing, the scarce ones only if
// they are named.
func TestHarvest_longTail(t *testing.T) {
	t.Parallel()
	for name, asked := range map[string]bool{"doaj": true, "openaire": false, "core": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			w := work()
			w.Copies = []testweb.Copy{{URL: "https://good.example/a.pdf", Services: []string{name}}}
			b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
			b.web.Host("page.example", testweb.Page(200, "A case", "Nothing to download."))
			if !asked {
				b.wantEnd(queue.Skipped, paper.NoOALocation, 1)
				b = newBox(t)
				b.cfg.Sources = []quire.Source{{Name: name, APIKey: "s3cret"}}
				b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
			}
			if rec := b.wantEnd(queue.Done, "", 1); rec.File.Resolver != name {
				t.Errorf("file is from %s", rec.File.Resolver)
			}
		})
	}
}
