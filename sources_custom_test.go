package quire_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// A source of the user's own is asked like any other: at its key, one request for
// each redirect, and robots.txt holds for what its page names.
func TestHarvest_customSource(t *testing.T) {
	t.Parallel()
	html := quire.CustomSource{URL: "https://mine.example/find/{doi}", Mode: "html", Selector: "a.pdf", Attribute: "href"}
	json := quire.CustomSource{
		URL: "https://mine.example/api?doi={doi}", Mode: "json", Selector: ".hits",
		Mappings: map[string]string{"url": "file", "pageURL": "page", "license": "terms"},
	}
	for name, tt := range map[string]struct {
		custom   quire.CustomSource
		requests int // at mine.example
		license  string
	}{
		"page": {html, 2, ""},
		"json": {json, 1, "cc-by-4.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.cfg.Sources = []quire.Source{{Name: "mine", Custom: &tt.custom}}
			b.cfg.Limits["resolver:mine"] = b.cfg.Limits["resolver:unpaywall"]
			b.web.Serve(testweb.World{Works: []testweb.Work{work()}, Placeholders: true})
			b.web.Host("good.example", testweb.Paths{"/a.pdf": good()})
			b.web.Host("mine.example", testweb.Paths{
				"/find/10.5555/case":      testweb.Redirect(302, "/case"),
				"/case":                   testweb.Page(200, "A case", `<a href="/">home</a> <a class=pdf href="https://good.example/a.pdf">PDF</a>`),
				"/api?doi=10.5555%2Fcase": testweb.Text("application/json", `{"hits":[{"file":"https://good.example/a.pdf","terms":"https://creativecommons.org/licenses/by/4.0/"}]}`),
			})
			rec := b.wantEnd(queue.Done, "", 1)
			if rec.File.Resolver != "mine" || rec.File.License != tt.license || len(rec.Asked) != 1 || rec.Asked[0].Candidates != 1 {
				t.Errorf("file %+v, asked %+v", rec.File, rec.Asked)
			}
			wantRequests(t, b.web.Accounts(), map[string]int{"mine.example": tt.requests})
		})
	}
}

func TestHarvest_customSourceIsDown(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.Sources = []quire.Source{
		{Name: "mine", Custom: &quire.CustomSource{URL: "https://mine.example/{doi}", Mode: "json", Selector: ".url"}}, {Name: "unpaywall"},
	}
	b.cfg.Limits["resolver:mine"] = b.cfg.Limits["resolver:unpaywall"]
	w := work()
	w.Copies = []testweb.Copy{{URL: "https://good.example/a.pdf"}}
	b.web.Serve(testweb.World{Works: []testweb.Work{w}, Placeholders: true})
	b.web.Host("mine.example", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusForbidden)
	}))
	if rec := b.wantEnd(queue.Done, "", 1); askedClasses(rec)["mine"] != paper.Forbidden {
		t.Errorf("asked %+v", rec.Asked)
	}
}

func TestOpen_badCustomSource(t *testing.T) {
	cfg := quire.Config{
		Data:    t.TempDir(),
		Sources: []quire.Source{{Name: "crossref", Custom: &quire.CustomSource{URL: "https://mine.example/{doi}", Mode: "json", Selector: ".url"}}},
	}
	if s, err := quire.Open(t.Context(), cfg); !errors.Is(err, quire.ErrConfig) {
		t.Errorf("got %v, %v", s, err)
	}
}
