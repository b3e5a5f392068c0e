package resolver_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/paper"
)

// TestTogether_Bulk: every real record is answered in company as it is alone.
func TestTogether_Bulk(t *testing.T) {
	for source, form := range map[string]struct{ alone, list string }{
		"crossref":        {`{"status":"ok","message":%s}`, `{"status":"ok","message":{"items":[%s]}}`},
		"openalex":        {`%s`, `{"meta":{},"results":[%s]}`},
		"semanticscholar": {`%s`, `[%s]`},
	} {
		rows := corpus.JSONL[bulkRow](t, "bulk", source+".jsonl.gz")
		r := newSource(t, source, nil)
		requests := 0
		for group := range slices.Chunk(rows, r.Batch()) {
			var as []paper.Artifact
			var records []string
			want := make(map[string]paper.Answer)
			for _, row := range group {
				a := byDOI(row.DOI)
				answer, err := resolve(t, source, a, ok(fmt.Sprintf(form.alone, row.Record)))
				if _, twice := want[a.ID]; err != nil || twice || strings.Contains(row.DOI, ",") {
					continue // and no neighbour of others
				}
				want[a.ID] = answer
				as, records = append(as, a), append(records, string(row.Record))
			}
			if source != "semanticscholar" {
				slices.Reverse(records) // a list has an order of its own
			}
			get := &web{replies: map[string]paper.Reply{"*": ok(fmt.Sprintf(form.list, strings.Join(records, ",")))}}
			for len(as) > 0 {
				answers, err := newSource(t, source, get).Resolve(t.Context(), as)
				if err != nil {
					t.Fatalf("%s: %v", source, err)
				}
				var left []paper.Artifact
				for i, answer := range answers {
					if answer.Again > 0 && source != "semanticscholar" {
						left = append(left, as[i])
					} else if diff := cmp.Diff(want[as[i].ID], answer); diff != "" {
						t.Errorf("%s: %s (-alone +together):\n%s", source, as[i].ID, diff)
					}
				}
				as = left
			}
			requests += len(get.asked)
		}
		t.Logf("%s: %d records in %d requests", source, len(rows), requests)
	}
}

// TestTogether_Recordings replays the recorded answers for several works.
func TestTogether_Recordings(t *testing.T) {
	replayed := 0
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		var as []paper.Artifact
		switch {
		case r.Service == "openalex" && strings.Contains(r.URL, "filter=openalex%3A"):
			as = []paper.Artifact{{IDs: paper.IDs{OpenAlex: "W3045921891"}}, {IDs: paper.IDs{OpenAlex: "W3046863325"}}}
		case r.Service == "semanticscholar" && strings.Contains(r.URL, "/paper/batch"):
			var sent struct{ IDs []string }
			if err := json.Unmarshal([]byte(strings.TrimPrefix(r.Note, "request_body: ")), &sent); err != nil {
				t.Fatal(err)
			}
			for _, id := range sent.IDs { // most are of kinds that we do not ask by
				as = append(as, byDOI(map[string]string{"CorpusId:470667": "10.2139/ssrn.288970"}[id]+id))
			}
			for i := range as {
				as[i].IDs.DOI = strings.TrimSuffix(as[i].IDs.DOI, "CorpusId:470667")
			}
		default:
			continue
		}
		replayed++
		get := &web{replies: map[string]paper.Reply{"*": r.reply(t)}}
		answers, err := newSource(t, r.Service, get).Resolve(t.Context(), as)
		if r.Status == 403 {
			if classOf(t, err) != paper.Forbidden {
				t.Errorf("%s: %v", r.URL, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", r.URL, err)
			continue
		}
		for i, answer := range answers {
			checkAnswer(t, answer)
			known := strings.HasPrefix(as[i].IDs.DOI, "10.2139/") && strings.Contains(r.URL, "openAccessPdf")
			if known && (len(answer.Candidates) != 1 || answer.IDs.DOI != as[i].IDs.DOI) {
				t.Errorf("%s: %s: %+v", r.URL, as[i].IDs.DOI, answer)
			}
			if id := as[i].IDs.OpenAlex; id != "" && answer.IDs.OpenAlex != id && answer.Again != 1 {
				t.Errorf("%s: %s: %+v", r.URL, id, answer)
			}
		}
	}
	if replayed < 6 {
		t.Errorf("%d recordings of answers for several works, want all six of the corpus", replayed)
	}
}
