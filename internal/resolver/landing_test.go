package resolver_test

import (
	"net/url"
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
		if len(got.Candidates) > 0 {
			first = got.Candidates[0].URL
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

// bare leaves out the query of lingbuzz, which is a session's mark.
func bare(raw string) string {
	u, err := url.Parse(raw)
	if err == nil && u.Host == "ling.auf.net" {
		u.RawQuery = ""
		return u.String()
	}
	return raw
}
