package paper_test

import (
	"testing"

	"github.com/quire-dev/quire/paper"
)

func TestIDs_Without(t *testing.T) {
	told := paper.IDs{DOI: "10.5555/b", ArXiv: "2101.00001", PMCID: "PMC1", PMID: "2", OpenAlex: "W1", URL: "https://a.example/"}
	known := paper.IDs{DOI: "10.5555/a", PMID: "2"}
	want := paper.IDs{ArXiv: "2101.00001", PMCID: "PMC1", OpenAlex: "W1", URL: "https://a.example/"}
	if got := told.Without(known); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := told.Without(told); got != (paper.IDs{}) {
		t.Errorf("got %+v, want nothing that is new", got)
	}
	if got := told.Without(paper.IDs{}); got != told {
		t.Errorf("got %+v, want all of it", got)
	}
}
