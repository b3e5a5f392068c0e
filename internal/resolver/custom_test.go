package resolver_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

func page(selector, attribute string) resolver.Custom {
	return resolver.Custom{URL: "https://mine.example/find/{doi}", Mode: resolver.CustomHTML, Selector: selector, Attribute: attribute}
}

func askCustom(t testing.TB, c resolver.Custom, a paper.Artifact, reply paper.Reply) (paper.Answer, *web, error) {
	t.Helper()
	get := &web{replies: map[string]paper.Reply{"*": reply}}
	r, err := resolver.NewCustom("mine", c, get)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := r.Resolve(t.Context(), []paper.Artifact{a})
	if err != nil {
		return paper.Answer{}, get, err
	}
	return answers[0], get, nil
}

func TestNewCustom_refused(t *testing.T) {
	good := page("a", "href")
	with := func(change func(*resolver.Custom)) resolver.Custom {
		c := good
		change(&c)
		return c
	}
	tests := map[string]struct {
		name string
		c    resolver.Custom
		want string
	}{
		"no name":           {"", good, `name ""`},
		"capitals":          {"My Source", good, "a-z"},
		"long name":         {strings.Repeat("a", 41), good, "up to 40"},
		"built in":          {"crossref", good, "taken"},
		"nowhere":           {"none", good, "taken"},
		"no url":            {"m", with(func(c *resolver.Custom) { c.URL = "" }), "{doi}"},
		"no doi":            {"m", with(func(c *resolver.Custom) { c.URL = "https://x.example/" }), "{doi}"},
		"two dois":          {"m", with(func(c *resolver.Custom) { c.URL = "https://x.example/{doi}/{doi}" }), "once"},
		"doi as host":       {"m", with(func(c *resolver.Custom) { c.URL = "https://{doi}/" }), "elsewhere"},
		"doi as fragment":   {"m", with(func(c *resolver.Custom) { c.URL = "https://x.example/#{doi}" }), "elsewhere"},
		"ftp":               {"m", with(func(c *resolver.Custom) { c.URL = "ftp://x.example/{doi}" }), "http"},
		"no host":           {"m", with(func(c *resolver.Custom) { c.URL = "https:///{doi}" }), "http"},
		"password":          {"m", with(func(c *resolver.Custom) { c.URL = "https://u:hunter2@x.example/{doi}" }), "password"},
		"no mode":           {"m", with(func(c *resolver.Custom) { c.Mode = "" }), "mode"},
		"xml":               {"m", with(func(c *resolver.Custom) { c.Mode = "xml" }), `mode "xml"`},
		"no selector":       {"m", with(func(c *resolver.Custom) { c.Selector = "" }), "selector"},
		"bad selector":      {"m", with(func(c *resolver.Custom) { c.Selector = "a:has(b)" }), `at ":has(b)"`},
		"index":             {"m", with(func(c *resolver.Custom) { c.Index = -1 }), "index"},
		"mappings of pages": {"m", with(func(c *resolver.Custom) { c.Mappings = map[string]string{"url": "a"} }), "mode json"},
		"attribute of json": {"m", resolver.Custom{URL: good.URL, Mode: "json", Selector: ".a", Attribute: "href"}, "mode html"},
		"bad path":          {"m", resolver.Custom{URL: good.URL, Mode: "json", Selector: "a"}, "path"},
		"predicate":         {"m", resolver.Custom{URL: good.URL, Mode: "json", Selector: ".a{.b > 1}"}, "path"},
		"unknown mapping":   {"m", resolver.Custom{URL: good.URL, Mode: "json", Selector: ".a", Mappings: map[string]string{"pdf": "b"}}, `"pdf"`},
		"no address mapped": {"m", resolver.Custom{URL: good.URL, Mode: "json", Selector: ".a", Mappings: map[string]string{"license": "b"}}, "neither"},
	}
	for name, tt := range tests {
		_, err := resolver.NewCustom(tt.name, tt.c, nil)
		if !errors.Is(err, resolver.ErrBadCustom) || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\n") ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v, want one with %q", name, err, tt.want)
		}
	}
}

func TestCustom_request(t *testing.T) {
	for pattern, want := range map[string]string{
		"https://mine.example/{doi}":         "https://mine.example/10.5555/a%28b%29%3Fc",
		"http://mine.example/x?id={doi}&k=1": "http://mine.example/x?id=10.5555%2Fa%28b%29%3Fc&k=1",
	} {
		c := page("a", "href")
		c.URL = pattern
		_, get, err := askCustom(t, c, byDOI("10.5555/a(b)?c"), paper.Reply{Status: 404})
		if err != nil || len(get.asked) != 1 || get.asked[0] != want || !strings.HasPrefix(get.headers[0].Get("Accept"), "text/html") {
			t.Errorf("%s: asked %v, %v, %v", pattern, get.asked, get.headers, err)
		}
	}
	r, err := resolver.NewCustom("mine", page("a", "href"), nil)
	if err != nil || r.Name() != "mine" || r.Local() || r.Batch() != 1 || r.Accepts(byPMCID("PMC1")) || !r.Accepts(byDOI("10.5555/a")) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestCustom_page: what is selected becomes an address, from the page on.
func TestCustom_page(t *testing.T) {
	body := `<a class=pdf href="../a b.pdf">https://text.example/t.pdf</a><a class=pdf href="javascript:x()">no</a><iframe src="//cdn.example/c.pdf"></iframe>`
	tests := map[string]struct {
		c    resolver.Custom
		want string
	}{
		"attribute":          {page(".pdf", "href"), "https://mine.example/find/a%20b.pdf"},
		"attribute, capital": {page(".pdf", "HREF"), "https://mine.example/find/a%20b.pdf"},
		"text":               {page("a", ""), "https://text.example/t.pdf"},
		"other host":         {page("iframe", "src"), "https://cdn.example/c.pdf"},
		"no attribute":       {page("a", "src"), ""},
		"nothing":            {page("b", ""), ""},
		"the second":         {resolver.Custom{URL: page("", "").URL, Mode: "html", Selector: "a", Attribute: "href", Index: 1}, ""},
		"the seventh":        {resolver.Custom{URL: page("", "").URL, Mode: "html", Selector: "a", Attribute: "href", Index: 6}, ""},
	}
	for name, tt := range tests {
		answer, _, err := askCustom(t, tt.c, byDOI("10.5555/a"), ok(body))
		got := ""
		for _, c := range answer.Candidates {
			got += c.URL
			if c.Kind != paper.PDF || !c.Guessed || c.Source != "mine" {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if err != nil || got != tt.want || answer.Note == "" {
			t.Errorf("%s: got %q, note %q, %v; want %q", name, got, answer.Note, err, tt.want)
		}
	}
}

// TestCustom_json has Zotero's own examples, on recorded Unpaywall answers.
func TestCustom_json(t *testing.T) {
	plain := resolver.Custom{URL: "https://api.unpaywall.org/v2/{doi}?email=me@university.edu", Mode: resolver.CustomJSON, Selector: ".oa_locations.url_for_pdf"}
	whole := plain
	whole.Selector = ".oa_locations"
	whole.Mappings = map[string]string{"url": "url_for_pdf", "pageURL": "url_for_landing_page", "version": "version", "license": ".license"}
	files, pages := 0, 0
	for _, row := range corpus.JSONL[bulkRow](t, "bulk", "unpaywall.jsonl.gz") {
		want, err := resolve(t, "unpaywall", byDOI(row.DOI), ok(string(row.Record)))
		if err != nil {
			t.Fatal(err)
		}
		known := urls(want)
		for _, c := range []resolver.Custom{plain, whole} {
			answer, _, err := askCustom(t, c, byDOI(row.DOI), ok(string(row.Record)))
			if err != nil {
				t.Fatalf("%s: %v", row.DOI, err)
			}
			checkAnswer(t, answer)
			for u, got := range urls(answer) {
				if w, found := known[u]; !found || got.Kind == paper.PDF && w.Kind != paper.PDF {
					t.Errorf("%s: %+v, which Unpaywall has as %+v", row.DOI, got, w)
				}
				if got.Kind == paper.PDF {
					files++
				} else {
					pages++
				}
			}
			for u, w := range known {
				if w.Kind == paper.PDF && urls(answer)[u].URL == "" {
					t.Errorf("%s: %s is not found by %s", row.DOI, u, c.Selector)
				}
			}
		}
	}
	t.Logf("%d files, %d pages", files, pages)
	if files < 1000 || pages < 100 {
		t.Errorf("only %d files, %d pages", files, pages)
	}
}

func TestCustom_paths(t *testing.T) {
	const body = `{"a":{"b c":"https://x.example/1.pdf","d":["https://x.example/2.pdf","https://x.example/3.pdf"]},
		"l":[{"u":"https://x.example/4.pdf"},7,null,{"u":["https://x.example/5.pdf"]},{"v":1},[{"u":"https://x.example/6.pdf"}]],"n":5,"é":"https://x.example/7.pdf"}`
	for path, want := range map[string]string{
		`.a."b c"`: "1", ".a.d": "2 3", ".a.d[0]": "2", ".a.d[-1]": "3", ".a.d[7]": "", ".l.u": "4 5", ".l[0].u": "4", ".n": "", ".n.x": "",
		".nothing.at.all": "", ".l": "", ".é": "7", ".a": "",
	} {
		answer, _, err := askCustom(t, resolver.Custom{URL: "https://mine.example/{doi}", Mode: "json", Selector: path}, byDOI("10.5555/a"), ok(body))
		var got []string
		for _, c := range answer.Candidates {
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(c.URL, "https://x.example/"), ".pdf"))
		}
		if strings.Join(got, " ") != want || err != nil {
			t.Errorf("%s: got %v, %v; want %s", path, got, err, want)
		}
	}
}

func TestCustom_redirects(t *testing.T) {
	moved := func(to string) paper.Reply {
		return paper.Reply{Status: 302, Header: http.Header{"Location": {to}}}
	}
	a := byDOI("10.5555/a")
	get := &web{replies: map[string]paper.Reply{
		"https://mine.example/find/10.5555/a": moved("/page?x=1"),
		"https://mine.example/page?x=1":       moved("https://mine.example/page"),
		"https://mine.example/page":           ok(`<a href=f.pdf>PDF</a>`),
		"*":                                   moved("/more"),
	}}
	r, err := resolver.NewCustom("mine", page("a", "href"), get)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		answers, err := r.Resolve(t.Context(), []paper.Artifact{a})
		if err != nil {
			t.Fatal(err)
		}
		if a.Cursor = answers[0].Cursor; a.Cursor == "" && (len(answers[0].Candidates) != 1 || answers[0].Candidates[0].URL != "https://mine.example/f.pdf") {
			t.Errorf("answer %+v", answers[0])
		}
	}
	if len(get.asked) != 3 || a.Cursor != "" {
		t.Errorf("asked %v, cursor %q", get.asked, a.Cursor)
	}
	for to, note := range map[string]string{
		"": "nowhere", "ftp://mine.example/": "nowhere", "https://other.example/x": "another host: other.example", "http://[": "nowhere",
	} {
		answer, _, err := askCustom(t, page("a", "href"), byDOI("10.5555/a"), moved(to))
		if err != nil || !strings.Contains(answer.Note, note) || answer.Cursor != "" {
			t.Errorf("redirect to %q: %+v, %v", to, answer, err)
		}
	}
	a.Cursor = ""
	get.replies = map[string]paper.Reply{"*": moved("/more")}
	for n := range 4 {
		answers, err := r.Resolve(t.Context(), []paper.Artifact{a})
		if err != nil || (answers[0].Cursor == "") != (n == 3) {
			t.Fatalf("redirect %d: %+v, %v", n, answers, err)
		}
		a.Cursor = answers[0].Cursor
	}
}

func TestCustom_hostile(t *testing.T) {
	asJSON := resolver.Custom{URL: "https://mine.example/{doi}", Mode: "json", Selector: ".u", Mappings: map[string]string{"url": "f"}}
	deep := strings.Repeat("<div>", 600) + "<a href=/a.pdf>x</a>"
	many := strings.Repeat(`{"f":"https://x.example/a.pdf"},`, 40_000)
	tests := map[string]struct {
		c     resolver.Custom
		reply paper.Reply
		class paper.Class
	}{
		"no JSON":        {asJSON, ok("<html>"), paper.Transient},
		"no end":         {asJSON, ok(`{"u":`), paper.Transient},
		"deep":           {asJSON, ok(strings.Repeat("[", 200_000)), paper.Transient},
		"numbers":        {asJSON, ok(`{"u":[{"f":7},{"f":{}},{"f":null},5]}`), ""},
		"many":           {asJSON, ok(`{"u":[` + many + `{}]}`), ""},
		"too large":      {asJSON, ok(`{"u":"` + strings.Repeat("x", 2<<20) + `"}`), ""},
		"deep page":      {page("a", "href"), ok(deep), ""},
		"large page":     {page("a", "href"), ok(strings.Repeat("<a href=/a.pdf>", 2<<20)), ""},
		"no page":        {page("a", "href"), ok("\x00\xff"), ""},
		"long text":      {page("p", ""), ok("<p>" + strings.Repeat("https://x.example/", 50_000)), ""},
		"throttled":      {asJSON, paper.Reply{Status: 429}, paper.Throttled},
		"down":           {asJSON, paper.Reply{Status: 500}, paper.Transient},
		"refused":        {asJSON, paper.Reply{Status: 403}, paper.Forbidden},
		"made-up cursor": {asJSON, paper.Reply{Status: 404}, ""},
	}
	for name, tt := range tests {
		a := byDOI("10.5555/a")
		if name == "made-up cursor" {
			a.Cursor = "PMC1.1"
		}
		answer, get, err := askCustom(t, tt.c, a, tt.reply)
		if class := classOf(t, err); class != tt.class || err == nil && answer.Note == "" || err != nil && len(err.Error()) > 400 {
			t.Errorf("%s: class %q, %+v, %.200v", name, class, answer, err)
		}
		if len(answer.Candidates) > 1 || !strings.HasPrefix(get.asked[0], "https://mine.example/") {
			t.Errorf("%s: %d candidates, asked %v", name, len(answer.Candidates), get.asked)
		}
		checkAnswer(t, answer)
	}
}

// TestCustom_corpusPages finds on recorded pages what the tag names that they have
// for it.
func TestCustom_corpusPages(t *testing.T) {
	type row struct {
		File, URL string
		Class     string
		Expected  struct {
			PDF string `json:"pdf_url"`
			Via string
		}
	}
	n := 0
	for _, r := range corpus.JSONL[row](t, "html", "index.jsonl") {
		if r.Expected.Via != "citation_pdf_url" {
			continue
		}
		c := page("meta[name=citation_pdf_url i]", "content")
		answer, _, err := askCustom(t, c, byDOI("10.5555/a"), ok(string(corpus.Read(t, strings.Split(r.File, "/")...))))
		if err != nil || len(answer.Candidates) > 1 {
			t.Errorf("%s: %+v, %v", r.URL, answer, err)
		}
		for u := range urls(answer) {
			if want := same(r.Expected.PDF); strings.HasPrefix(want, "http") && u == want {
				n++
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d pages give the file", n)
	}
	t.Logf("%d pages", n)
}

func FuzzCustomJSON(f *testing.F) {
	f.Add(".a.b[0]", "c", []byte(`{"a":[{"b":{"c":"https://x.example/a.pdf"}}]}`))
	f.Add(`."a b"`, ".u[-1]", []byte(`{"a b":[{"u":["https://x.example/a.pdf"]},[[]]]}`))
	f.Fuzz(func(t *testing.T, selector, field string, body []byte) {
		c := resolver.Custom{URL: "https://mine.example/{doi}", Mode: "json", Selector: selector, Mappings: map[string]string{"url": field, "pageURL": field}}
		r, err := resolver.NewCustom("mine", c, &web{replies: map[string]paper.Reply{"*": {Status: 200, Body: body}}})
		if err != nil {
			if strings.ContainsAny(fmt.Sprint(err), "\n\x1b") {
				t.Errorf("%q", err)
			}
			return
		}
		answers, err := r.Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a")})
		if classOf(t, err); err == nil {
			checkAnswer(t, answers[0])
		}
	})
}

func FuzzCustomPage(f *testing.F) {
	f.Add("https://mine.example/{doi}", []byte(`<a href="a.pdf">`), "/next")
	f.Add("http://mine.example/?d={doi}&x", []byte(`<table><a href=//x>`), "https://mine.example/x y")
	f.Fuzz(func(t *testing.T, address string, body []byte, location string) {
		c := resolver.Custom{URL: address, Mode: "html", Selector: "a", Attribute: "href"}
		for _, reply := range []paper.Reply{{Status: 200, Body: body}, {Status: 301, Header: http.Header{"Location": {location}}}} {
			get := &web{replies: map[string]paper.Reply{"*": reply}}
			r, err := resolver.NewCustom("mine", c, get)
			if err != nil {
				return
			}
			answers, err := r.Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a")})
			if classOf(t, err); err == nil {
				checkAnswer(t, answers[0])
			}
		}
	})
}

func TestCustom_keepsItsName(t *testing.T) {
	r, err := resolver.NewCustom("my-own_2", page("a", "href"), &web{err: errors.New("reset")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a")})
	if diff := cmp.Diff("ask my-own_2: reset", fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
}
