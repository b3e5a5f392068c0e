package resolver_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

// TestCapabilities holds each source to what it declares: the identifiers by which it
// is asked, how many at a time, and whether a key goes along.
func TestCapabilities(t *testing.T) {
	samples := map[string][]paper.IDs{
		"doi": {
			{DOI: "10.5555/a"},
			{DOI: "10.5281/zenodo.12345"},
			{DOI: "10.6084/m9.figshare.12345"},
			{DOI: "10.31219/osf.io/abcde"},
			{DOI: "10.1101/2020.01.01.20000001"},
		},
		"arxiv": {{ArXiv: "2101.00001"}}, "pmcid": {{PMCID: "PMC1"}}, "pmid": {{PMID: "1"}}, "openalex": {{OpenAlex: "W1"}},
		"url": {{URL: "https://example.org/a.pdf"}},
	}
	dead := []paper.Candidate{{URL: "https://example.org/gone.pdf", Kind: paper.PDF}}
	for _, name := range resolver.Names() {
		can := resolver.CapabilitiesOf(name)
		get := &web{replies: map[string]paper.Reply{"*": {Status: 404}}}
		r, err := resolver.New(name, resolver.Config{Contact: contact, APIKey: "s3cret"}, get)
		if err != nil {
			t.Fatal(err)
		}
		if can.Batch != r.Batch() {
			t.Errorf("%s: batch %d, want %d", name, can.Batch, r.Batch())
		}
		var accepted []string
		for id, all := range samples {
			for _, ids := range all {
				a := paper.Artifact{IDs: ids, Dead: dead}
				if !r.Accepts(a) {
					continue
				}
				accepted = append(accepted, id)
				if _, err := r.Resolve(t.Context(), []paper.Artifact{a}); err != nil {
					classOf(t, err)
				}
			}
		}
		slices.Sort(accepted)
		want := slices.Sorted(slices.Values(can.IDs))
		if diff := cmp.Diff(want, slices.Compact(accepted)); diff != "" {
			t.Errorf("%s is asked by (-declared +accepted):\n%s", name, diff)
		}
		sent := strings.Contains(strings.Join(get.asked, " "), "s3cret")
		for _, h := range get.headers {
			for _, values := range h {
				sent = sent || strings.Contains(strings.Join(values, " "), "s3cret")
			}
		}
		if sent != can.Key {
			t.Errorf("%s sends its key: %v, declared: %v", name, sent, can.Key)
		}
	}
	if none := resolver.CapabilitiesOf("scihub"); len(none.IDs) > 0 || none.Key {
		t.Errorf("a source that is none can do %+v", none)
	}
}

// TestCapabilities_docs holds the page on sources to the table.
func TestCapabilities_docs(t *testing.T) {
	page, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range resolver.Names() {
		if !strings.Contains(string(page), "| `"+name+"` |") {
			t.Errorf("docs/sources.md has no row for %s", name)
		}
	}
}
