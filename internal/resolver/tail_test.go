package resolver_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

func TestScarce(t *testing.T) {
	for _, name := range resolver.Names() {
		if want := name == "core" || name == "openaire"; resolver.Scarce(name) != want {
			t.Errorf("Scarce(%s) = %v", name, !want)
		}
	}
}

func TestTail_requests(t *testing.T) {
	const doi = "10.5555/A(1)/b"
	dead := paper.Artifact{Dead: []paper.Candidate{{URL: "https://old.example/a b.pdf?x=1&y", Kind: paper.PDF}}}
	for name, tt := range map[string]struct {
		asked paper.Artifact
		want  string
	}{
		"doaj":     {byDOI("10.5555/a/b"), "https://doaj.org/api/v4/search/articles/doi:10.5555%2Fa%2Fb?pageSize=10"},
		"openaire": {byDOI(doi), "https://api.openaire.eu/graph/v3/research-products?pid=10.5555%2FA%281%29%2Fb"},
		"core":     {byDOI(doi), "https://api.core.ac.uk/v3/search/works/?q=doi:%2210.5555%2FA%281%29%2Fb%22&limit=10"},
		"wayback": {
			dead, "https://web.archive.org/cdx/search/cdx?url=https%3A%2F%2Fold.example%2Fa%20b.pdf%3Fx%3D1%26y" +
				"&output=json&fl=timestamp,original,digest&filter=statuscode:200&filter=mimetype:application/pdf&limit=-5",
		},
	} {
		get := &web{replies: map[string]paper.Reply{"*": {Status: 404}}}
		if _, err := newSource(t, name, get).Resolve(t.Context(), []paper.Artifact{tt.asked}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{tt.want}, get.asked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestTail_keys: a key goes into the header of the one request to the API, and
// without one there is no header.
func TestTail_keys(t *testing.T) {
	for _, name := range []string{"core", "openaire"} {
		for key, want := range map[string]string{"": "", "s3cret": "Bearer s3cret"} {
			get := &web{replies: map[string]paper.Reply{"*": {Status: 302, Header: map[string][]string{"Location": {"https://elsewhere.example/"}}}}}
			r, err := resolver.New(name, resolver.Config{APIKey: key, BaseURL: "https://mirror.example/api"}, get)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a")})
			if classOf(t, err) != paper.Transient || strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("%s: a redirect: %v", name, err)
			}
			if len(get.asked) != 1 || !strings.HasPrefix(get.asked[0], "https://mirror.example/api/") || get.headers[0].Get("Authorization") != want {
				t.Errorf("%s: asked %v with %v", name, get.asked, get.headers)
			}
			get.replies["*"] = paper.Reply{Status: 401}
			wantClass := paper.Forbidden
			if key != "" {
				wantClass = paper.Config
			}
			if _, err := r.Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a")}); classOf(t, err) != wantClass {
				t.Errorf("%s: key %q refused: %v", name, key, err)
			}
		}
	}
}

func TestCORE_answer(t *testing.T) {
	answer, err := resolve(t, "core", byDOI("10.5555/a"), ok(`{"totalHits":2,"results":[
		{"doi":"10.5555/other","downloadUrl":"https://core.ac.uk/download/1.pdf"},
		{"doi":null,"identifiers":[{"type":"CORE_ID","identifier":"7"},{"type":"DOI","identifier":"10.5555/A"}],"title":"A","pubmedId":"12",
		 "arxivId":"2101.00001","downloadUrl":"https://core.ac.uk/download/2.pdf",
		 "sourceFulltextUrls":["https://api.core.ac.uk/v3/works/2/download","https://repo.example/handle/3","https://repo.example/bitstream/3/a.pdf"]}]}`))
	want := paper.Answer{
		IDs: paper.IDs{DOI: "10.5555/a", PMID: "12", ArXiv: "2101.00001"}, Title: "A", Note: "has a copy",
		Candidates: []paper.Candidate{
			{URL: "https://core.ac.uk/download/2.pdf", Kind: paper.PDF, Source: "core"},
			{URL: "https://repo.example/handle/3", Kind: paper.Landing, Source: "core", Guessed: true},
			{URL: "https://repo.example/bitstream/3/a.pdf", Kind: paper.PDF, Source: "core"},
		},
	}
	if diff := cmp.Diff(want, answer); diff != "" || err != nil {
		t.Errorf("%v: -want +got\n%s", err, diff)
	}
}

// TestOpenAIRE_answer: of a product that merges versions the open instances count.
func TestOpenAIRE_answer(t *testing.T) {
	answer, err := resolve(t, "openaire", byDOI("10.5555/a"), ok(`{"header":{"numFound":1},"results":[{"mainTitle":"A",
		"pids":[{"scheme":"doi","value":"10.5555/preprint"},{"scheme":"pmid","value":"7"},{"scheme":"pmc","value":"PMC8"},{"scheme":"pmid","value":"9"}],
		"instances":[
			{"pids":[{"scheme":"doi","value":"10.5555/A"}],"accessRight":{"code":"c_14cb","label":"CLOSED"},"urls":["https://press.example/a"]},
			{"accessRight":null,"urls":["https://nobody.example/a"]},
			{"accessRight":{"code":"c_abf2"},"type":"Preprint","license":"CC BY","urls":["https://repo.example/a.pdf","https://repo.example/a"]}]}]}`))
	want := paper.Answer{
		IDs: paper.IDs{DOI: "10.5555/a", PMCID: "PMC8"}, Title: "A", Note: "open copy",
		Candidates: []paper.Candidate{
			{URL: "https://repo.example/a.pdf", Kind: paper.PDF, Source: "openaire", Version: paper.Submitted, License: "cc-by"},
			{URL: "https://repo.example/a", Kind: paper.Landing, Source: "openaire", Version: paper.Submitted, License: "cc-by", Guessed: true},
		},
	}
	if diff := cmp.Diff(want, answer); diff != "" || err != nil {
		t.Errorf("%v: -want +got\n%s", err, diff)
	}
}

func deadAt(urls ...string) paper.Artifact {
	a := byDOI("10.5555/a")
	for _, u := range urls {
		a.Dead = append(a.Dead, paper.Candidate{URL: u, Kind: paper.PDF, Version: paper.Accepted, License: "cc-by"})
	}
	return a
}

func TestWayback_accepts(t *testing.T) {
	r := newSource(t, "wayback", nil)
	for name, tt := range map[string]struct {
		a    paper.Artifact
		want bool
	}{
		"nothing dead": {byDOI("10.5555/a"), false},
		"a file":       {deadAt("https://old.example/a.pdf"), true},
		"a page":       {paper.Artifact{Dead: []paper.Candidate{{URL: "https://old.example/", Kind: paper.Landing}}}, false},
		"a capture":    {deadAt("https://web.archive.org/web/20200101000000id_/https://old.example/a.pdf"), false},
	} {
		if r.Accepts(tt.a) != tt.want {
			t.Errorf("%s: accepted %v", name, !tt.want)
		}
	}
}

// TestWayback_walk: the dead files are asked about in turn until there is a capture.
func TestWayback_walk(t *testing.T) {
	a := deadAt("https://old.example/1.pdf", "https://old.example/2.pdf", "https://old.example/3.pdf", "https://old.example/4.pdf")
	get := &web{replies: map[string]paper.Reply{"*": ok("[]")}}
	r := newSource(t, "wayback", get)
	for n := 1; n <= 3; n++ {
		answers, err := r.Resolve(t.Context(), []paper.Artifact{a})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(get.asked[n-1])
		if want := fmt.Sprintf("https://old.example/%d.pdf", n); err != nil || u.Query().Get("url") != want {
			t.Errorf("asked about %s, want %s", get.asked[n-1], want)
		}
		a.Cursor = answers[0].Cursor
		if (a.Cursor == "") != (n == 3) || answers[0].Note == "" {
			t.Errorf("after %d requests: %+v", n, answers[0])
		}
	}
}

func TestWayback_captures(t *testing.T) {
	row := func(timestamp, original, digest string) string {
		return fmt.Sprintf(`,[%q,%q,%q]`, timestamp, original, digest)
	}
	head := `[["timestamp","original","digest"]`
	tests := map[string]struct {
		body string
		want []string // captures
	}{
		"none":            {"[]", nil},
		"only the header": {head + "]", nil},
		"the latest of what differs": {
			head + row("20010101000000", "http://www.old.example:80/a.pdf", "A") + row("20020101000000", "http://old.example/a.pdf", "B") +
				row("20030101000000", "https://old.example/a.pdf", "B") + row("20040101000000", "https://old.example/a.pdf", "C") + "]",
			[]string{"20040101000000id_/https://old.example/a.pdf", "20030101000000id_/https://old.example/a.pdf"},
		},
		"other columns":     {`[["digest","original","x","timestamp"],["A","https://old.example/a.pdf",1,"20200101000000"]]`, []string{"20200101000000id_/https://old.example/a.pdf"}},
		"another file":      {head + row("20200101000000", "https://old.example/b.pdf", "A") + "]", nil},
		"another host":      {head + row("20200101000000", "https://evil.example/a.pdf", "A") + "]", nil},
		"no time":           {head + row("../../x", "https://old.example/a.pdf", "A") + "]", nil},
		"short rows":        {head + `,[],["20200101000000"],null,7,{}]`, nil},
		"no names":          {`[[],["20200101000000","https://old.example/a.pdf","A"]]`, nil},
		"no arrays":         {`["timestamp"]`, nil},
		"a thousand others": {head + strings.Repeat(row("20200101000000", "https://old.example/a.pdf", "A"), 5000) + "]", []string{"20200101000000id_/https://old.example/a.pdf"}},
	}
	for name, tt := range tests {
		answer, err := resolve(t, "wayback", deadAt("https://old.example/a.pdf"), ok(tt.body))
		var got []string
		for _, c := range answer.Candidates {
			got = append(got, strings.TrimPrefix(c.URL, "https://web.archive.org/web/"))
			if c.Kind != paper.PDF || c.Version != paper.Accepted || c.License != "cc-by" || c.Source != "wayback" {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || answer.Note == "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		checkAnswer(t, answer)
	}
	for _, body := range []string{"", "null", "{}", "com,cnn)/ 2001", "<html>", `[["timestamp"`, `"a"`} {
		if _, err := resolve(t, "wayback", deadAt("https://old.example/a.pdf"), ok(body)); classOf(t, err) != paper.Transient {
			t.Errorf("%q: %v", body, err)
		}
	}
}
