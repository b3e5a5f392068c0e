package verdict_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
)

// Every file of the corpus is judged as JATS: those that the index calls so are, TEI
// and deposits at Crossref are not.
func TestJudge_corpusAsXML(t *testing.T) {
	rows := corpus.JSONL[struct{ File, Format string }](t, "xml", "index.jsonl")
	articles := 0
	for _, row := range rows {
		body := corpus.Read(t, row.File)
		v := judge(body, verdict.Expect{Format: paper.XML})
		if row.Format != "jats" {
			if v.Level.Usable() || v.Class != paper.WrongType || !strings.Contains(v.Reason, "root element") {
				t.Errorf("%s: %+v", row.File, v)
			}
			continue
		}
		articles++
		if v.Level != verdict.OK || v.MediaType != "application/jats+xml" || v.Ext != ".xml" || v.Bytes != int64(len(body)) {
			t.Errorf("%s: %+v", row.File, v)
		}
		whole := len(bytes.TrimSpace(body))
		for _, cut := range []int{whole / 3, whole - 8, whole - 1} {
			if v := judge(body[:cut], verdict.Expect{Format: paper.XML}); v.Class != paper.InvalidContent {
				t.Errorf("%s, %d of %d bytes: %+v", row.File, cut, len(body), v)
			}
		}
	}
	if len(rows) != 27 || articles != 20 {
		t.Errorf("%d articles in %d files", articles, len(rows))
	}
}

// hasFullText are the pages that hold the text of the work, whatever else their
// class says of them.
var hasFullText = []string{
	"fulltext_html__firstmonday.org_9729", "fulltext_html__www.dlib.org_05vanhyning",
	"dx.plos.org_journal.pmed.1001062", "dx.plos.org_journal.pone.0035089", "dx.plos.org_journal.pbio.0000021",
	"journals.plos.org_article", "www.biomedcentral.com_425", "www.biomedcentral.com_1092", "europepmc.org_PMC4062894",
}

func TestJudge_corpusAsHTML(t *testing.T) {
	rows := corpus.JSONL[struct{ File, Class string }](t, "html", "index.jsonl")
	want := map[string]paper.Class{
		"challenge_js": paper.Challenge, "captcha": paper.Challenge, "waf_redirect": paper.Challenge,
		"access_denied": paper.Challenge, "doi_not_found": paper.Gone,
	}
	full := 0
	for _, row := range rows {
		v := judge(corpus.Read(t, row.File), verdict.Expect{Format: paper.HTML})
		class, ok := want[row.Class]
		if !ok {
			class = paper.WrongType
		}
		for _, name := range hasFullText {
			if strings.Contains(row.File, name) {
				class = ""
				full++
			}
		}
		if v.Class != class || v.Level.Usable() != (class == "") || v.MediaType != "text/html" || v.Ext != ".html" {
			t.Errorf("%s: %s %q %s %q, want %q", row.File, v.Level, v.Class, v.MediaType, v.Reason, class)
		}
	}
	if full != len(hasFullText) {
		t.Errorf("%d of %d full texts are in the corpus", full, len(hasFullText))
	}
}

// A file that is no supplement or source is refused as such, and a PDF is judged as
// a PDF is.
func TestJudge_corpusAsOthers(t *testing.T) {
	for _, row := range corpus.JSONL[struct{ File string }](t, "html", "index.jsonl") {
		for _, format := range []paper.Kind{paper.Source, paper.Supplement, paper.XML} {
			v := judge(corpus.Read(t, row.File), verdict.Expect{Format: format})
			if v.Class != paper.WrongType && v.Class != paper.Challenge {
				t.Errorf("%s as %s: %+v", row.File, format, v)
			}
		}
	}
	for _, row := range corpus.JSONL[struct{ File string }](t, "pdf", "index.jsonl") {
		body := corpus.Read(t, row.File)
		as, of := judge(body, verdict.Expect{}), judge(body, verdict.Expect{Format: paper.Supplement})
		if as.MediaType == "application/pdf" && as != of {
			t.Errorf("%s: as a PDF %+v, as a supplement %+v", row.File, as, of)
		}
		if v := judge(body, verdict.Expect{Format: paper.Source}); v.Level.Usable() {
			t.Errorf("%s as a source: %+v", row.File, v)
		}
	}
}
