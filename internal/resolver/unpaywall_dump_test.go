package resolver_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

// TestUnpaywallDump_Bulk: what is kept of a record gives the answer that the whole
// record gives.
func TestUnpaywallDump_Bulk(t *testing.T) {
	kept := map[string][]byte{}
	whole, reduced := 0, 0
	rows := corpus.JSONL[bulkRow](t, "bulk", "unpaywall.jsonl.gz")
	for _, row := range rows {
		doi, record, err := resolver.ReduceUnpaywall(row.Record)
		if err != nil || doi != strings.ToLower(row.DOI) {
			t.Fatalf("%s: kept as %q, %v", row.DOI, doi, err)
		}
		kept[doi] = record
		whole, reduced = whole+len(row.Record), reduced+len(record)
	}
	source := resolver.NewUnpaywallDump(func(_ context.Context, doi string) ([]byte, error) { return kept[doi], nil })
	for _, row := range rows {
		want, err := resolve(t, "unpaywall", byDOI(row.DOI), ok(string(row.Record)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := source.Resolve(t.Context(), []paper.Artifact{byDOI(strings.ToUpper(row.DOI))})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Errorf("%s (-online +dump):\n%s", row.DOI, diff)
		}
	}
	t.Logf("%d records, %d bytes of %d are kept", len(rows), reduced, whole)
}

func TestUnpaywallDump(t *testing.T) {
	broken := errors.New("disk on fire")
	source := resolver.NewUnpaywallDump(func(_ context.Context, doi string) ([]byte, error) {
		switch doi {
		case "10.5555/other":
			return []byte(`{"doi":"10.5555/a"}`), nil
		case "10.5555/damaged":
			return []byte(`{"doi":`), nil
		case "10.5555/broken":
			return nil, broken
		}
		return nil, nil
	})
	if source.Name() != "unpaywall" || !source.Local() || source.Batch() != 1 || source.Accepts(byPMCID("PMC1")) || !source.Accepts(byDOI("10.5555/a")) {
		t.Errorf("%+v", source)
	}
	answers, err := source.Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/none"), byPMCID("PMC1"), byDOI("10.5555/other")})
	if err != nil || len(answers) != 3 || answers[0].Note != "not in the dump" || answers[1].Note == "" || !strings.HasPrefix(answers[2].Note, "answered for another") {
		t.Errorf("%+v, %v", answers, err)
	}
	for _, doi := range []string{"10.5555/damaged", "10.5555/broken"} {
		if _, err := source.Resolve(t.Context(), []paper.Artifact{byDOI(doi)}); classOf(t, err) != paper.Config {
			t.Errorf("%s: %v", doi, err)
		}
	}
}

func TestReduceUnpaywall_refused(t *testing.T) {
	for _, line := range []string{"", "x", "[]", "null", `"10.5555/a"`, "{}", `{"doi":null}`, `{"doi":"urgent"}`, `{"doi":"10.5555/a"`, `{"doi":"10.5555/a"}}`} {
		if doi, reduced, err := resolver.ReduceUnpaywall([]byte(line)); err == nil {
			t.Errorf("%s: kept as %q: %s", line, doi, reduced)
		}
	}
}

func FuzzReduceUnpaywall(f *testing.F) {
	f.Add([]byte(`{"doi":"10.5555/A","is_oa":"yes","title":7,"oa_locations":[{"url_for_pdf":"https://x.org/a.pdf"},{}],"best_oa_location":null}`))
	f.Add([]byte("{\"doi\":\"10.5555/\\u00e9\",\"title\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		doi, reduced, err := resolver.ReduceUnpaywall(line)
		if err != nil {
			return
		}
		want, err := resolve(t, "unpaywall", byDOI(doi), ok(string(line)))
		if err != nil {
			t.Fatalf("kept, but not read: %v", err)
		}
		got, err := resolve(t, "unpaywall", byDOI(doi), ok(string(reduced)))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-whole +reduced):\n%s", err, diff)
		}
	})
}
