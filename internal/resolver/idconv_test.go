package resolver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/paper"
)

func TestIDConverter_Accepts(t *testing.T) {
	r := newSource(t, "idconv", nil)
	for name, tt := range map[string]struct {
		ids  paper.IDs
		want bool
	}{
		"DOI":              {paper.IDs{DOI: "10.5555/a"}, true},
		"PMID":             {paper.IDs{PMID: "7"}, true},
		"PMCID is known":   {paper.IDs{DOI: "10.5555/a", PMCID: "PMC1"}, false},
		"arXiv":            {paper.IDs{ArXiv: "2101.00001"}, false},
		"DOI with a comma": {paper.IDs{DOI: "10.5555/a,b"}, false},
	} {
		if got := r.Accepts(paper.Artifact{IDs: tt.ids}); got != tt.want {
			t.Errorf("%s: accepted %v, want %v", name, got, tt.want)
		}
	}
}

func TestIDConverter_Answers(t *testing.T) {
	get := &web{replies: map[string]paper.Reply{"*": ok(`{"status":"ok","records":[
		{"requested-id":"10.5555/b","doi":"10.5555/B","pmcid":"PMC2","pmid":22},
		{"requested-id":"10.5555/none","status":"error","errmsg":"Identifier not found in PMC"},
		{"doi":"10.5555/a","pmcid":"PMC1","versions":[{"pmcid":"PMC1.1"}]},
		{"requested-id":"10.5555/d","doi":"10.5555/e","pmcid":"PMC4"}]}`)}}
	answers, err := newSource(t, "idconv", get).Resolve(t.Context(), []paper.Artifact{
		byDOI("10.5555/a"), byDOI("10.5555/b"), byDOI("10.5555/none"), byDOI("10.5555/d"),
	})
	want := []paper.Answer{
		{IDs: paper.IDs{DOI: "10.5555/a", PMCID: "PMC1"}, Note: "only identifiers: PMC1"},
		{IDs: paper.IDs{DOI: "10.5555/b", PMCID: "PMC2", PMID: "22"}, Note: "only identifiers: PMC2"},
		{Note: "not in PMC: Identifier not found in PMC"},
		{Note: "answered for another DOI: 10.5555/e"},
	}
	if diff := cmp.Diff(want, answers); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
