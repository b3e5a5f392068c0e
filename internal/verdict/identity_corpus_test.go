package verdict_test

import (
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
)

type corpusPDF struct {
	File, Category, DOI, Title string
	Pages                      *int // nil: poppler could not tell
}

func corpusPDFs(t testing.TB) []corpusPDF {
	t.Helper()
	return corpus.JSONL[corpusPDF](t, "pdf", "index.jsonl")
}

func papers(t testing.TB) []corpusPDF {
	t.Helper()
	var papers []corpusPDF
	for _, row := range corpusPDFs(t) {
		if row.Category == "scholarly" {
			papers = append(papers, row)
		}
	}
	return papers
}

// Of the pages that can be counted none is missed or made up.
func TestJudge_corpusPageCounts(t *testing.T) {
	for _, row := range corpusPDFs(t) {
		v := judge(corpus.Read(t, row.File), verdict.Expect{})
		if v.Level.Usable() && row.Pages != nil && v.Pages != *row.Pages {
			t.Errorf("%s: %d pages, want %d", row.File, v.Pages, *row.Pages)
		}
	}
}

// The papers are confirmed as what they are, by DOI, by title or by both. Three
// print their DOI in a font that says nothing of its codes, and the corpus knows no
// title of them.
func TestJudge_corpusIdentity(t *testing.T) {
	var got struct{ both, title, doi, unknown, contradicted int }
	for _, row := range papers(t) {
		body := corpus.Read(t, row.File)
		identity := func(w verdict.Work) verdict.Identity { return judge(body, verdict.Expect{Work: w}).Identity }
		switch v := judge(body, verdict.Expect{Work: verdict.Work{DOI: row.DOI, Title: row.Title}}); v.Identity {
		case verdict.Confirmed:
			got.both++
		case verdict.Contradicted:
			got.contradicted++
			t.Errorf("%s: %s", row.File, v.Reason)
		default:
			got.unknown++
			t.Logf("unknown: %s", row.File)
		}
		if identity(verdict.Work{Title: row.Title}) == verdict.Confirmed {
			got.title++
		}
		if identity(verdict.Work{DOI: row.DOI}) == verdict.Confirmed {
			got.doi++
		}
	}
	t.Logf("%+v", got)
	if got.both < 23 || got.title < 20 || got.doi < 17 {
		t.Errorf("confirmed %d papers, %d by title alone, %d by DOI alone; want 23, 20, 17", got.both, got.title, got.doi)
	}
}

// No paper passes for another: each is held against the DOIs and titles of all.
func TestJudge_corpusMistaken(t *testing.T) {
	counts := map[verdict.Identity]int{}
	rows := papers(t)
	for _, row := range rows {
		body := corpus.Read(t, row.File)
		for _, other := range rows {
			if other.File == row.File {
				continue
			}
			v := judge(body, verdict.Expect{Work: verdict.Work{DOI: other.DOI, Title: other.Title}})
			counts[v.Identity]++
			if v.Identity == verdict.Confirmed {
				t.Errorf("%s passes for %s", row.File, other.DOI)
			}
			if (v.Identity == verdict.Contradicted) != (v.Level == verdict.Suspect && v.Class == paper.WrongWork && v.Reason != "") {
				t.Errorf("%s as %s: at odds with itself: %+v", row.File, other.DOI, v)
			}
		}
	}
	t.Logf("of %d pairs: %d contradicted, %d say nothing", len(rows)*(len(rows)-1), counts[verdict.Contradicted], counts[""])
	if counts[verdict.Contradicted] < 200 {
		t.Errorf("only %d pairs are contradicted", counts[verdict.Contradicted])
	}
}
