package harvest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// candidates makes a story of files, each described as "host version".
func candidates(doi string, files ...string) *story {
	st := newStory(Request{Artifact: paper.Artifact{ID: "doi:" + doi, IDs: paper.IDs{DOI: doi}}})
	var found []paper.Candidate
	for i, f := range files {
		host, version, _ := strings.Cut(f, " ")
		found = append(found, paper.Candidate{
			URL: fmt.Sprintf("https://%s/%d.pdf", host, i), Kind: paper.PDF, Source: "landing", Version: paper.Version(version),
		})
	}
	st.add(found, 0)
	return st
}

func TestHarvest_choose(t *testing.T) {
	h := newBench(t, same).h
	learn := func(host string, doi string, class paper.Class, n int) {
		c := paper.Candidate{URL: "https://" + host + "/x.pdf", Source: "landing"}
		for range n {
			h.evidence.note(paper.Artifact{IDs: paper.IDs{DOI: doi}}, c, class)
		}
	}
	learn("walled.example", "10.1/a", paper.Forbidden, enough)
	learn("mixed.example", "10.2/a", paper.Challenge, enough)
	learn("mixed.example", "10.2/a", "", enough)
	learn("new.example", "10.3/a", paper.Forbidden, enough-1)
	learn("down.example", "10.4/a", paper.Transient, 9*enough)
	learn("dead.example", "10.4/a", paper.Gone, 9*enough)
	learn("elsewhere.example", "10.9/a", paper.LoginWall, enough)

	tests := map[string]struct {
		doi   string
		files []string
		want  int
	}{
		"the first of equals":                      {"10.5/x", []string{"a.example", "b.example"}, 0},
		"the published before the accepted":        {"10.5/x", []string{"a.example accepted", "b.example published"}, 1},
		"the accepted before one that is not said": {"10.5/x", []string{"a.example", "b.example accepted"}, 1},
		"a preprint last":                          {"10.5/x", []string{"a.example submitted", "b.example"}, 1},
		"a host that refuses all":                  {"10.5/x", []string{"walled.example published", "b.example submitted"}, 1},
		"only a host that refuses all":             {"10.5/x", []string{"walled.example"}, 0},
		"a host that gives half":                   {"10.5/x", []string{"mixed.example", "b.example"}, 0},
		"a host of which little is known":          {"10.5/x", []string{"new.example", "b.example"}, 0},
		"a host that is down, or lost files":       {"10.5/x", []string{"down.example", "dead.example", "b.example"}, 0},
		"a registrant whose links never work":      {"10.9/x", []string{"c.example", "d.example"}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			st := candidates(tt.doi, tt.files...)
			if !h.choose(st, paper.PDF) || st.At.Index != tt.want {
				t.Errorf("chose %+v of %v, want number %d", st.At, tt.files, tt.want)
			}
		})
	}
	st := candidates("10.5/x", "walled.example", "b.example")
	h.choose(st, paper.PDF)
	if want := "put back: walled.example gave 0 of 8 files in this run"; st.Tried[0].Note != want {
		t.Errorf("note %q, want %q", st.Tried[0].Note, want)
	}
}

// What is remembered of places has a bound.
func TestEvidence_bounded(t *testing.T) {
	var e evidence
	for i := range 3 * maxPlaces {
		c := paper.Candidate{URL: fmt.Sprintf("https://h%d.example/a.pdf", i)}
		e.note(paper.Artifact{}, c, paper.Forbidden)
		e.note(paper.Artifact{}, paper.Candidate{URL: "https://often.example/a.pdf"}, paper.Forbidden)
	}
	if len(e.places) > maxPlaces+1 {
		t.Errorf("%d places are remembered, want at most %d", len(e.places), maxPlaces)
	}
	if place, _ := e.against(paper.Artifact{}, paper.Candidate{URL: "https://often.example/b.pdf"}); place == "" {
		t.Error("what was seen often is forgotten")
	}
}

// A file that came cut is asked for once more, and only once.
func TestStep_reread(t *testing.T) {
	file := testweb.PDF("the paper", 9000)
	cut := testweb.Rewrite(func(_ *http.Request, a *testweb.Answer) { a.Body = bytes.Clone(a.Body[:4000]) })
	for name, tt := range map[string]struct {
		site  testweb.Behaviour
		state queue.State
		class paper.Class
	}{
		"whole the second time": {testweb.First(1, cut), queue.Done, ""},
		"cut each time":         {cut, queue.Error, paper.InvalidContent},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, same)
			b.web.Host("site.example", testweb.File("application/pdf", file), tt.site)
			if out := b.step(); out.Verb != queue.Advance || out.Key != "host:site.example" {
				t.Fatalf("after the first answer: %+v", out)
			}
			out := b.step()
			if out.Verb != queue.Finish || out.State != tt.state || out.Class != string(tt.class) {
				t.Errorf("after the second answer: %+v", out)
			}
			if n := b.web.Accounts()["site.example"].Requests; n != 2 {
				t.Errorf("%d requests, want 2", n)
			}
		})
	}
}

// Of what a source names a job keeps its own format and pages.
func TestStory_add_format(t *testing.T) {
	all := []paper.Candidate{
		{URL: "https://a.example/1", Kind: paper.PDF},
		{URL: "https://a.example/2", Kind: paper.XML},
		{URL: "https://a.example/3", Kind: paper.Source},
		{URL: "https://a.example/4", Kind: paper.Landing},
	}
	for format, want := range map[paper.Kind]string{paper.PDF: "14", paper.XML: "24", paper.Source: "34", paper.HTML: "4"} {
		st := newStory(Request{Artifact: paper.Artifact{ID: "doi:10.5/x"}.As(format)})
		st.add(all, 0)
		got := ""
		for _, c := range st.Tried {
			got += c.URL[len(c.URL)-1:]
		}
		if got != want {
			t.Errorf("%s keeps %s, want %s", format, got, want)
		}
	}
}
