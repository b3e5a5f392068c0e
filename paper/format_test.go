package paper_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/paper"
)

func TestArtifact_As(t *testing.T) {
	for _, text := range []string{
		"10.1371/journal.pone.0000001", "arXiv:math/0309136v2", "PMC123", "pmid:5", "W7", "https://example.org/a.pdf?x=1",
	} {
		work, err := paper.ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, format := range paper.Formats() {
			a := work.As(format)
			if a.Wants() != format || a.IDs != work.IDs || a.Version != work.Version {
				t.Errorf("%s as %s: %+v", text, format, a)
			}
			if seen[a.ID] || seen[a.Path()] {
				t.Errorf("%s as %s has the id or path of another format: %s, %s", text, format, a.ID, a.Path())
			}
			seen[a.ID], seen[a.Path()] = true, true
			again, err := paper.ParseID(a.ID)
			if again.Version = a.Version; err != nil || !cmp.Equal(again, a) {
				t.Errorf("ParseID(%q) = %+v, %v; want %+v", a.ID, again, err, a)
			}
			if back := a.As(paper.PDF); !cmp.Equal(back, work) {
				t.Errorf("%s as %s and back: %+v", text, format, back)
			}
		}
	}
}

func TestParseID_format(t *testing.T) {
	for text, want := range map[string]string{
		"xml:doi:10.5555/a":     "xml:doi:10.5555/a",
		"source:arxiv:2101.1":   "",
		"html:pmcid:PMC1":       "html:pmcid:PMC1",
		"pdf:doi:10.5555/a":     "",
		"xml:xml:doi:10.5555/a": "",
		"supplement:10.5555/a":  "",
		"doi:10.5555/xml:doi:a": "doi:10.5555/xml:doi:a",
	} {
		a, err := paper.ParseID(text)
		if (err == nil) != (want != "") || a.ID != want && err == nil {
			t.Errorf("ParseID(%q) = %q, %v; want %q", text, a.ID, err, want)
		}
	}
}
