package resolver_test

import (
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/paper"
)

// The parts of a book have its ISBN or title as their volume, the book itself has none.
func TestCrossref_volume(t *testing.T) {
	for text, want := range map[string]string{
		`"type":"book-chapter","ISBN":["9783319000251","9783319000268"]`: "9783319000268",
		`"type":"proceedings-article","ISBN":["9781450392686"]`:          "9781450392686",
		`"type":"book-chapter","container-title":["Series","Book"]`:      "Book",
		`"type":"journal-article","container-title":["Journal"]`:         "",
		`"type":"book","ISBN":["9783319000251"]`:                         "",
		`"type":"proceedings","ISBN":["9783319000251"]`:                  "",
		`"type":"journal-article"`:                                       "",
		`"type":"book-chapter","ISBN":"no list"`:                         "",
		`"type":"book-chapter","ISBN":[]`:                                "",
		`"type":"book-chapter","ISBN":[{}]`:                              "",
	} {
		answer, err := resolve(t, "crossref", byDOI("10.5555/a"), paper.Reply{Status: 200, Body: []byte(`{"message":{"DOI":"10.5555/a",` + text + `}}`)})
		if err != nil || answer.Volume != want {
			t.Errorf("%s: got %q, %v, want %q", text, answer.Volume, err, want)
		}
	}
}

// Recorded chapters and papers of proceedings mostly name theirs.
func TestCrossref_volumeCorpus(t *testing.T) {
	var parts, with int
	for _, r := range corpus.JSONL[struct {
		DOI    string
		Record struct {
			Type string
			ISBN []string
			Book []string `json:"container-title"`
		}
	}](t, "bulk", "crossref.jsonl.gz") {
		if r.Record.Type == "book-chapter" || r.Record.Type == "proceedings-article" {
			parts++
			if len(r.Record.ISBN)+len(r.Record.Book) > 0 {
				with++
			}
		}
	}
	t.Logf("%d of %d parts of books and proceedings name it", with, parts)
	if 10*with < 9*parts {
		t.Error("too few parts name their volume")
	}
}
