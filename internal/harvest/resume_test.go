package harvest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

const tag = `"v1"`

// versions are two files of the same size that are both whole: the hash alone tells
// a mixture of them.
func versions() (one, two []byte) {
	return testweb.PDF("the first version", 90_000), testweb.PDF("another version", 90_000)
}

// end runs the job's steps until its attempt is over.
func (b *bench) end() queue.Outcome {
	b.t.Helper()
	for range 20 {
		if out := b.step(); out.Verb == queue.Finish || out.Verb == queue.Retry {
			return out
		}
	}
	b.t.Fatal("20 steps, and no end")
	return queue.Outcome{}
}

// checkNothingLeft wants no file to wait for its rest, and none in the temporary
// directory.
func (b *bench) checkNothingLeft() {
	b.t.Helper()
	left, err := os.ReadDir(b.temps)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(b.h.parts.list) != 0 || len(left) != 0 {
		b.t.Errorf("%d parts kept, temporary files %v", len(b.h.parts.list), left)
	}
}

func TestStep_resume(t *testing.T) {
	one, two := versions()
	file := testweb.File("application/pdf", one)
	first := func(b testweb.Behaviour) testweb.Behaviour { return testweb.First(1, b) }
	cut := testweb.Truncate(40_000)
	later := testweb.After(1, testweb.Instead(testweb.File("application/pdf", two)))
	onlyDate := func(modified string) testweb.Behaviour {
		return func(h http.Handler) http.Handler {
			dated := testweb.Announce("Last-Modified", modified)(testweb.Without("Etag")(h))
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Header.Get("If-Range") == modified { // File has an ETag, and no date to compare with
					r.Header.Del("If-Range")
				}
				dated.ServeHTTP(rw, r)
			})
		}
	}
	tests := map[string]struct {
		behaviours []testweb.Behaviour // of the file, the outermost first
		requests   int
		ranges     []string // that were asked for
		want       []byte   // nil: none is stored
	}{
		"D 100: cut, then the rest":               {[]testweb.Behaviour{first(cut)}, 2, []string{"bytes=40000-"}, one},
		"D 100: cut three times":                  {[]testweb.Behaviour{testweb.First(3, testweb.Truncate(20_000))}, 4, []string{"bytes=20000-", "bytes=40000-", "bytes=60000-"}, one},
		"D 100: cut for ever":                     {[]testweb.Behaviour{testweb.Truncate(10_000)}, 4, []string{"bytes=10000-", "bytes=20000-", "bytes=30000-"}, nil},
		"D 100: cut, then trouble, then the rest": {[]testweb.Behaviour{first(cut), testweb.First(2, testweb.OnRange(testweb.Fail(500)))}, 3, []string{"bytes=40000-", "bytes=40000-"}, one},
		"D 106: no validator":                     {[]testweb.Behaviour{first(cut), testweb.Without("Etag")}, 1, nil, nil},
		"D 106: weak ETag":                        {[]testweb.Behaviour{first(cut), testweb.Announce("Etag", "W/"+tag)}, 1, nil, nil},
		"D 106: ranges ruled out":                 {[]testweb.Behaviour{first(cut), testweb.Announce("Accept-Ranges", "none")}, 1, nil, nil},
		"D 106: Last-Modified, long ago":          {[]testweb.Behaviour{first(cut), onlyDate("Mon, 02 Jan 2006 15:04:05 GMT")}, 2, []string{"bytes=40000-"}, one},
		"D 106: Last-Modified, but tomorrow":      {[]testweb.Behaviour{first(cut), onlyDate("Mon, 02 Jan 2090 15:04:05 GMT")}, 1, nil, nil},
		"D 106: ignored Range":                    {[]testweb.Behaviour{first(cut), testweb.IgnoreRange()}, 2, []string{"bytes=40000-"}, one},
		"D 106: changed file, honest server":      {[]testweb.Behaviour{first(cut), later}, 2, []string{"bytes=40000-"}, two},
		"D 106: changed file, If-Range ignored": {
			[]testweb.Behaviour{first(cut), withoutIfRange, later}, 3, []string{"bytes=40000-"}, two,
		},
		"D 106: another ETag":                {[]testweb.Behaviour{first(cut), testweb.PartTag(`"v2"`)}, 3, []string{"bytes=40000-"}, one},
		"D 106: no ETag in the part":         {[]testweb.Behaviour{first(cut), testweb.PartTag("")}, 3, []string{"bytes=40000-"}, one},
		"D 106: wrong offset":                {[]testweb.Behaviour{first(cut), testweb.LyingRange("bytes 39999-89999/90000")}, 3, []string{"bytes=40000-"}, one},
		"D 106: shorter total":               {[]testweb.Behaviour{first(cut), testweb.LyingRange("bytes 40000-79999/80000")}, 3, []string{"bytes=40000-"}, one},
		"D 106: longer total":                {[]testweb.Behaviour{first(cut), testweb.LyingRange("bytes 40000-99999/100000")}, 3, []string{"bytes=40000-"}, one},
		"D 106: no end":                      {[]testweb.Behaviour{first(cut), testweb.LyingRange("bytes 40000-89999/*")}, 3, []string{"bytes=40000-"}, one},
		"D 106: multipart":                   {[]testweb.Behaviour{first(cut), testweb.PartMultipart()}, 3, []string{"bytes=40000-"}, one},
		"D 106: coded part":                  {[]testweb.Behaviour{first(cut), testweb.PartCoded("gzip")}, 3, []string{"bytes=40000-"}, one},
		"D 106: more bytes than the range":   {[]testweb.Behaviour{first(cut), testweb.PartLonger("and more")}, 3, []string{"bytes=40000-"}, one},
		"D 106: the first bytes as the rest": {[]testweb.Behaviour{first(cut), testweb.FromTheStart()}, 3, []string{"bytes=40000-"}, one},
		"D 106: 416 on a complete file":      {[]testweb.Behaviour{first(testweb.Unended())}, 2, []string{"bytes=90000-"}, one},
		"D 106: 416 on an incomplete file":   {[]testweb.Behaviour{first(cut), testweb.OnRange(testweb.Fail(416, "Content-Range", "bytes */40000"))}, 3, []string{"bytes=40000-"}, one},
		"D 106: 416 without a size":          {[]testweb.Behaviour{first(cut), testweb.OnRange(testweb.Fail(416))}, 3, []string{"bytes=40000-"}, one},
		"D 106: unasked 206, a part":         {[]testweb.Behaviour{testweb.Unasked(40_000)}, 2, nil, nil},
		"D 106: unasked 206, all of it":      {[]testweb.Behaviour{testweb.Unasked(90_000)}, 2, nil, nil},
		"D 106: the rest is refused":         {[]testweb.Behaviour{first(cut), testweb.OnRange(testweb.Fail(403))}, 3, []string{"bytes=40000-"}, one},
		"D 106: the rest is elsewhere": {
			[]testweb.Behaviour{first(cut), testweb.OnRange(testweb.Instead(testweb.Redirect(302, "/b.pdf")))}, 3, []string{"bytes=40000-"}, one,
		},
		"D 112: throttled before the rest": {
			[]testweb.Behaviour{first(cut), testweb.First(2, testweb.OnRange(testweb.Fail(429)))}, 3, []string{"bytes=40000-", "bytes=40000-"}, one,
		},
		"D 97: cut in gzip": {[]testweb.Behaviour{first(cut), testweb.Gzip(true)}, 1, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, same)
			var ranges []string
			note := func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if asked := r.Header.Get("Range"); asked != "" {
						ranges = append(ranges, asked)
					}
					h.ServeHTTP(rw, r)
				})
			}
			b.web.Host("site.example", file, slices.Concat([]testweb.Behaviour{note}, tt.behaviours)...)
			checkStored(t, b.end(), tt.want)
			if diff := cmp.Diff(tt.ranges, ranges); diff != "" {
				t.Errorf("ranges asked for (-want +got):\n%s", diff)
			}
			if n := b.web.Accounts()["site.example"].Requests; n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
			if b.job.Attempts > 1 {
				t.Errorf("%d attempts used, want 1", b.job.Attempts)
			}
			b.checkNothingLeft()
		})
	}
}

// withoutIfRange is a server that answers ranges of whatever version it has.
func withoutIfRange(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Del("If-Range")
		h.ServeHTTP(rw, r)
	})
}

func checkStored(t *testing.T, out queue.Outcome, want []byte) {
	t.Helper()
	if want == nil {
		if out.State == queue.Done {
			t.Errorf("stored: %s", out.Result)
		}
		return
	}
	sum := sha256.Sum256(want)
	var file paper.File
	if err := json.Unmarshal(out.Result, &file); err != nil {
		t.Errorf("result %q: %v", out.Result, err)
	}
	if out.State != queue.Done || file.SHA256 != hex.EncodeToString(sum[:]) || file.Bytes != int64(len(want)) {
		t.Errorf("ended as %s %s (%s) with %+v, want %d bytes of hash %x", out.Verb, out.State, out.Error, file, len(want), sum)
	}
}

// Of the files that broke off only so many are kept; the others start anew, and
// the end of a run drops them all.
func TestStep_resumeKeepsFewParts(t *testing.T) {
	b := newBench(t, same)
	one, _ := versions()
	b.web.Host("site.example", testweb.File("application/pdf", one), testweb.First(maxParts+3, testweb.Truncate(40_000)))
	first := b.job
	var last queue.Job
	for n := range maxParts + 3 {
		b.job = first
		b.job.ID = int64(n + 1)
		if out := b.step(); out.Verb != queue.Advance || out.Key != first.Key {
			t.Fatalf("job %d: %+v", n, out)
		}
		last = b.job
	}
	temps, err := os.ReadDir(b.temps)
	if err != nil || len(b.h.parts.list) != maxParts || len(temps) != maxParts {
		t.Errorf("%d parts, %d temporary files (%v), want %d of each", len(b.h.parts.list), len(temps), err, maxParts)
	}
	before := b.web.Accounts()["site.example"].Bytes
	b.job = last
	checkStored(t, b.end(), one)
	if n := b.web.Accounts()["site.example"].Bytes - before; n != 50_000 {
		t.Errorf("the last one cost %d bytes more, want 50,000", n)
	}
	before += 50_000
	b.job.ID, b.job.Progress = 1, last.Progress // the first one's part is gone
	checkStored(t, b.end(), one)
	if n := b.web.Accounts()["site.example"].Bytes - before; n != 90_000 {
		t.Errorf("the first one cost %d bytes more, want 90,000", n)
	}
	b.h.EndRun()
	b.checkNothingLeft()
}

// A part is dropped when its job turns to something else, or is told to stop.
func TestStep_resumeGivenUp(t *testing.T) {
	one, _ := versions()
	tests := map[string]func(*bench) queue.Outcome{
		"the host is given up": func(b *bench) queue.Outcome {
			return b.h.Step(b.t.Context(), queue.Step{Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 3, Down: true, Send: func() {}, Leave: func() {}})[0]
		},
		"the step is stopped": func(b *bench) queue.Outcome {
			ctx, cancel := context.WithCancel(b.t.Context())
			return b.h.Step(ctx, queue.Step{Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 3, Send: cancel, Leave: func() {}})[0]
		},
		"the job lost its progress": func(b *bench) queue.Outcome { b.job.Progress = []byte("{"); return b.step() },
	}
	for name, next := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, same)
			b.web.Host("site.example", testweb.File("application/pdf", one), testweb.Truncate(40_000))
			if b.step(); len(b.h.parts.list) != 1 {
				t.Fatal("no part is kept")
			}
			if out := next(b); out.Verb == queue.Advance || out.State == queue.Done {
				t.Errorf("then %+v", out)
			}
			b.checkNothingLeft()
		})
	}
}

// The record tells of each exchange.
func TestStep_resumeIsOnRecord(t *testing.T) {
	b := newBench(t, same)
	one, _ := versions()
	b.web.Host("site.example", testweb.File("application/pdf", one), testweb.First(1, testweb.Truncate(40_000)))
	var rec paper.Record
	if err := json.Unmarshal(b.end().Record, &rec); err != nil {
		t.Fatal(err)
	}
	hops := rec.Tried[0].Hops
	if len(hops) != 2 || hops[0].Status != 200 || hops[0].Class != paper.Transient || hops[1].Status != 206 || hops[1].Class != "" {
		t.Errorf("hops %+v", hops)
	}
}
