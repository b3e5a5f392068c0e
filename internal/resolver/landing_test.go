package resolver_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

type pageRow struct {
	File     string
	URL      string
	Class    string
	DOI      string
	Expected struct {
		PDF string `json:"pdf_url"`
		Via string
	}
}

// TestParseLanding_Corpus holds the parser to recorded pages: every file that
// a page names is found, and no other.
func TestParseLanding_Corpus(t *testing.T) {
	right, all := map[string]int{}, map[string]int{}
	for _, row := range corpus.JSONL[pageRow](t, "html", "index.jsonl") {
		got := resolver.ParseLanding(corpus.Read(t, strings.Split(row.File, "/")...), row.URL, nil)
		first := "none"
		if files := found(got, paper.PDF); len(files) > 0 {
			first = files[0]
		}
		all[row.Class]++
		if bare(first) != bare(row.Expected.PDF) {
			t.Errorf("%s: got %s by %q, want %s", row.File, first, got.Note, row.Expected.PDF)
			continue
		}
		if want := wantClass[row.Class]; got.Class != want {
			t.Errorf("%s: class %q (%s), want %q", row.File, got.Class, got.Note, want)
			continue
		}
		if want := wantOthers[row.File]; want != "" && !slices.ContainsFunc(got.Candidates, func(c paper.Candidate) bool {
			return want == string(c.Kind)+" "+c.URL
		}) {
			t.Errorf("%s: got %v, want %s among them", row.File, got.Candidates, want)
		}
		if isWall[row.Class] && len(got.Candidates) > 0 {
			t.Errorf("%s: took %v of a wall", row.File, got.Candidates)
		}
		right[row.Class]++
	}
	for class, n := range all {
		t.Logf("%-26s %d of %d", class, right[class], n)
	}
}

var wantClass = map[string]paper.Class{
	"challenge_js": paper.Challenge, "captcha": paper.Challenge, "access_denied": paper.Challenge,
	"waf_redirect": paper.Challenge, "doi_not_found": paper.NotFoundID,
	"landing_no_pdf": paper.NoPDFLink, "fulltext_html": paper.NoPDFLink, "toc_many_pdfs": paper.NoPDFLink,
	"dataset_landing": paper.NoPDFLink, "not_a_paper": paper.NoPDFLink, "blog_post": paper.NoPDFLink,
	"wayback_error_page": paper.NoPDFLink,
}

// isWall says of which classes nothing may be taken, whatever its kind.
var isWall = map[string]bool{
	"challenge_js": true, "captcha": true, "access_denied": true, "waf_redirect": true, "doi_not_found": true,
}

// wantOthers are files that are no PDF, as one sees them on the page.
var wantOthers = map[string]string{
	"html/landing_citation_pdf_url__www.biomedcentral.com_1092.html":     "xml http://www.biomedcentral.com/content/download/xml/1471-2458-13-1092.xml",
	"html/landing_citation_pdf_url__www.biomedcentral.com_425.html":      "xml http://www.biomedcentral.com/bmcgenomics/content/download/xml/1471-2164-13-425.xml",
	"html/landing_citation_pdf_url__journals.plos.org_article.html":      "xml https://journals.plos.org/plosone/article/file?id=10.1371/journal.pone.0213978&type=manuscript",
	"html/landing_citation_pdf_url__europepmc.org_PMC4062894.html":       "html http://europepmc.org/articles/PMC4062894",
	"html/landing_citation_pdf_url__elife.elifesciences.org_e00160.html": "html http://elife.elifesciences.org/content/2/e00160.full",
	"html/landing_no_pdf__firstmonday.org_10274.html":                    "html https://firstmonday.org/ojs/index.php/fm/article/view/10274/9729",
}

// TestParseLanding_Recordings reads the pages among the recorded answers: error
// pages, redirects and archived home pages, of which none names a work's file.
func TestParseLanding_Recordings(t *testing.T) {
	rows := corpus.JSONL[struct {
		URL      string
		Status   int
		Headers  map[string]any `json:"response_headers"`
		BodyFile string         `json:"body_file"`
	}](t, "recordings.jsonl")
	pages := 0
	for _, row := range rows {
		header := http.Header{}
		for name, value := range row.Headers {
			header.Set(name, fmt.Sprint(value))
		}
		if !strings.Contains(header.Get("Content-Type"), "html") {
			continue
		}
		pages++
		got := resolver.ParseLanding(corpus.Read(t, strings.Split(row.BodyFile, "/")...), row.URL, header)
		if len(got.Candidates) > 0 || got.Class == "" {
			t.Errorf("%s (%d): %+v", row.URL, row.Status, got)
		}
	}
	if pages < 50 {
		t.Errorf("only %d pages among the recordings", pages)
	}
}

// bare leaves out the query of lingbuzz, which is a session's mark.
func bare(raw string) string {
	u, err := url.Parse(raw)
	if err == nil && u.Host == "ling.auf.net" {
		u.RawQuery = ""
		return u.String()
	}
	return raw
}
