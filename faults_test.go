package quire_test

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/s3test"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

func TestMain(m *testing.M) {
	// net/http reports to the standard logger what a host sends unasked.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if err := s3test.SetKeys(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// fault is what a location answers instead of the file, with the class that it
// must get and the status that its hop shows, 0 for none.
type fault struct {
	handler http.Handler
	class   paper.Class
	status  int
}

func faults() map[string]fault {
	file := testweb.PDF("the paper", 9000)
	good := testweb.File("application/pdf", file)
	waf := testweb.Fail(http.StatusAccepted, "X-Amzn-Waf-Action", "challenge")
	return map[string]fault{
		"404":                           {http.NotFoundHandler(), paper.Gone, 404},
		"410":                           {testweb.Fail(http.StatusGone)(good), paper.Gone, 410},
		"401":                           {testweb.Fail(http.StatusUnauthorized)(good), paper.Forbidden, 401},
		"402":                           {testweb.Fail(http.StatusPaymentRequired)(good), paper.Paywall, 402},
		"403":                           {testweb.Fail(http.StatusForbidden)(good), paper.Forbidden, 403},
		"500":                           {testweb.Fail(http.StatusInternalServerError)(good), paper.Transient, 500},
		"503 without Retry-After":       {testweb.Fail(http.StatusServiceUnavailable)(good), paper.Transient, 503},
		"204":                           {testweb.Fail(http.StatusNoContent)(good), paper.InvalidContent, 204},
		"a page":                        {testweb.Page(http.StatusOK, "A journal", "<p>Welcome.</p>"), paper.WrongType, 200},
		"a soft 404":                    {testweb.SoftNotFound(), paper.Gone, 200},
		"a page that names only itself": {testweb.Landing("A case", doi, "/a.pdf"), paper.WrongType, 200},
		"an archive":                    {testweb.File("application/pdf", append([]byte("PK\x03\x04\x14"), make([]byte, 5000)...)), paper.WrongType, 200},
		"text":                          {testweb.Text("application/pdf", "Sorry, no file."), paper.InvalidContent, 200},
		"nothing":                       {testweb.File("application/pdf", nil), paper.InvalidContent, 200},
		"five bytes":                    {testweb.Text("application/pdf", "%PDF-"), paper.InvalidContent, 200},
		"half a file":                   {testweb.File("application/pdf", file[:4000]), paper.InvalidContent, 200},
		"a cut":                         {testweb.Truncate(500)(good), paper.Transient, 200},
		"a cut in a chunk":              {testweb.Cut("application/pdf", 700), paper.Transient, 200},
		"a length too long":             {testweb.WrongLength(10)(good), paper.Transient, 200},
		"a length too short":            {testweb.WrongLength(-4000)(good), paper.InvalidContent, 200},
		"a reset":                       {testweb.Reset()(good), paper.Transient, 0},
		"a reset in the body":           {testweb.ResetAfter(3000)(good), paper.Transient, 200},
		"silence":                       {testweb.Hang()(good), paper.Transient, 0},
		"a stall":                       {testweb.Stall(3000)(good), paper.Transient, 200},
		"no HTTP":                       {testweb.Raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), paper.Transient, 0},
		"a bomb of a header":            {testweb.HeaderBomb(2000), paper.Transient, 0},
		"a challenge with 403":          {testweb.Challenge(), paper.Challenge, 403},
		"a challenge with 202":          {waf(good), paper.Challenge, 202},
		"a captcha":                     {testweb.Captcha(), paper.Challenge, 200},
		"gzip that is not declared":     {testweb.Gzip(false)(good), paper.WrongType, 200},
		"gzip that is none":             {testweb.GzipLie()(good), paper.InvalidContent, 200},
	}
}

// TestHarvest_faults lets a location fail in every way, once with another behind
// it, which must give the file in the same attempt, and once alone, where only
// what may pass is asked again. All works are got in one run.
func TestHarvest_faults(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.HTTP.Timeouts.Header, b.cfg.HTTP.Timeouts.Idle = 300*time.Millisecond, 300*time.Millisecond
	all := faults()
	names := slices.Sorted(maps.Keys(all))
	world := testweb.World{Placeholders: true}
	for i := range names {
		world.Works = append(world.Works, faultyWork(i, "alone"), faultyWork(i, "first", fmt.Sprintf("https://good%d.example/a.pdf", i)))
	}
	b.web.Serve(world)
	b.web.Host("page.example", testweb.Page(http.StatusOK, "A case", "Nothing to download."))
	for i, name := range names {
		b.web.Host(fmt.Sprintf("alone%d.example", i), all[name].handler)
		b.web.Host(fmt.Sprintf("first%d.example", i), all[name].handler)
	}
	b.get(world.Identifiers()...)
	checkFiles(t, b.data)
	accounts := b.web.Accounts()
	b.with(func(s *quire.System) {
		for i, name := range names {
			t.Run(name+", then the file", func(t *testing.T) { wantSecond(t, s, accounts, i, all[name]) })
			t.Run(name+", alone", func(t *testing.T) { wantFault(t, s, accounts, i, all[name]) })
		}
	})
}

// requests is how many a candidate costs: a whole answer that is no whole file is
// asked for once more.
func (f fault) requests() int {
	if f.class == paper.InvalidContent {
		return 2
	}
	return 1
}

// faultyWork is the work whose first location is at a host of its own.
func faultyWork(i int, kind string, more ...string) testweb.Work {
	w := work(append([]string{fmt.Sprintf("https://%s%d.example/a.pdf", kind, i)}, more...)...)
	w.DOI = fmt.Sprintf("10.5555/%s%d", kind, i)
	return w
}

func wantSecond(t *testing.T, s *quire.System, accounts map[string]testweb.Account, i int, f fault) {
	t.Helper()
	w := faultyWork(i, "first", fmt.Sprintf("https://good%d.example/a.pdf", i))
	job, rec := lookIn(t, s, w.Identifier())
	if job.State != queue.Done || job.Attempts != 1 || rec.File == nil || rec.File.URL != w.Copies[1].URL {
		t.Fatalf("ended as %s %q after %d attempts with %+v", job.State, job.Class, job.Attempts, rec.File)
	}
	first := rec.Tried[0]
	for i := range first.Hops {
		first.Hops[i].Note = ""
	}
	want := []paper.Hop{{URL: w.Copies[0].URL, Status: f.status, Class: f.class}}
	if diff := cmp.Diff(want, first.Hops); diff != "" || first.Class != f.class || first.Note == "" {
		t.Errorf("first location ended as %q (%s), hops (-want +got):\n%s", first.Class, first.Note, diff)
	}
	if got := rec.Tried[1]; got.Class != "" || len(got.Hops) != 1 || got.Hops[0].Status != http.StatusOK {
		t.Errorf("second location: %+v", got)
	}
	wantRequests(t, accounts, map[string]int{fmt.Sprintf("first%d.example", i): f.requests(), fmt.Sprintf("good%d.example", i): 1})
	wantAsked(t, accounts, w.DOI)
}

func wantFault(t *testing.T, s *quire.System, accounts map[string]testweb.Account, i int, f fault) {
	t.Helper()
	w := faultyWork(i, "alone")
	job, _ := lookIn(t, s, w.Identifier())
	state, attempts := queue.Error, 1
	switch f.class {
	case paper.Transient:
		attempts = 3
	case paper.Paywall:
		state = queue.Skipped
	default: // final at once, and an error
	}
	if job.State != state || job.Class != string(f.class) || job.Attempts != attempts {
		t.Errorf("ended as %s %q after %d attempts, want %s %q after %d: %s",
			job.State, job.Class, job.Attempts, state, f.class, attempts, job.LastError)
	}
	wantRequests(t, accounts, map[string]int{fmt.Sprintf("alone%d.example", i): attempts * f.requests()})
	wantAsked(t, accounts, w.DOI)
}

// wantAsked wants Unpaywall to have been asked about a DOI once, however often
// the file was tried.
func wantAsked(t *testing.T, accounts map[string]testweb.Account, doi string) {
	t.Helper()
	asked := 0
	for url, n := range accounts["api.unpaywall.org"].URLs {
		if strings.Contains(url, doi+"?") {
			asked += n
		}
	}
	if asked != 1 {
		t.Errorf("Unpaywall was asked %d times about %s", asked, doi)
	}
}

// wantRequests compares how many requests hosts have seen, and wants none while
// a Retry-After was running or against a robots.txt.
func wantRequests(t *testing.T, accounts map[string]testweb.Account, want map[string]int) {
	t.Helper()
	got := make(map[string]int)
	for host := range want {
		a := accounts[host]
		got[host] = a.Requests
		if a.Gated != 0 || a.Disallowed != 0 {
			t.Errorf("%s got %d requests while gated, %d against its robots.txt", host, a.Gated, a.Disallowed)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests by host (-want +got):\n%s", diff)
	}
}
