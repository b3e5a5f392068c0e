package intake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
)

// asOne takes out of titles what a bibliography may write otherwise.
func asOne(title string) string {
	return strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "‐", "-", "–", "-", "—", "-").Replace(strings.Join(strings.Fields(title), " "))
}

// Every entry of the bibliographies made of real works gives its work and title.
func TestRead_corpusBibliographies(t *testing.T) {
	for _, name := range []string{"works.bib", "works.ris"} {
		t.Run(name, func(t *testing.T) {
			want := corpus.JSONL[struct{ DOI, ArXiv, Title, Variant string }](t, "biblio", strings.Replace(name, ".", "_", 1)+"_expected.jsonl")
			n, right, titles := 0, 0, 0
			for row, err := range intake.Read(bytes.NewReader(corpus.Read(t, "biblio", name)), intake.Options{Name: name}) {
				if n == len(want) {
					t.Fatalf("more than %d entries: line %d", n, row.Line)
				}
				w := want[n]
				n++
				id := "doi:" + w.DOI
				if w.DOI == "" {
					id = "arxiv:" + w.ArXiv
				}
				if err != nil || row.Artifact.ID != id {
					t.Errorf("entry %d (%s): got %q, %v, want %q", n, w.Variant, row.Artifact.ID, err, id)
				} else {
					right++
				}
				if got := asOne(row.Title); got != asOne(w.Title) {
					t.Errorf("entry %d: title\n%s, want\n%s", n, got, asOne(w.Title))
				} else {
					titles++
				}
			}
			t.Logf("%d of %d works, %d titles", right, len(want), titles)
			if n != len(want) {
				t.Errorf("%d entries, want %d", n, len(want))
			}
		})
	}
}

// The real bibliographies, as they are: what has no identifier says so, by the
// line it begins at.
func TestRead_corpusRealBibliographies(t *testing.T) {
	tests := map[string]struct{ rows, rejects int }{
		"real__bibWithMixedContent.bib":     {0, 1},
		"real__biblatex_software.bib":       {7, 2},
		"real__complex.bib":                 {17, 3},
		"real__crossref.bib":                {2, 2},
		"real__gbk_test.bib":                {0, 1},
		"real__testjabref_210as292.bib":     {6, 0},
		"real__utf8_bom.bib":                {0, 2},
		"real__example_bom.ris":             {1, 0},
		"real__example_extraneous_data.ris": {2, 0},
		"real__example_full.ris":            {2, 0},
		"real__example_utf_chars.ris":       {0, 1},
		"real__example_wos.ris":             {2, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := corpus.Read(t, "biblio", name)
			lines := bytes.Split(text, []byte("\n"))
			rows, rejects := 0, 0
			for row, err := range intake.Read(bytes.NewReader(text), intake.Options{}) { // told by content
				if bad, ok := errors.AsType[*intake.Reject](err); ok {
					rejects++
					row.Line = bad.Line
					if !strings.HasPrefix(bad.Reason, "no identifier in the ") {
						t.Errorf("%v", bad)
					}
				} else if rows++; err != nil {
					t.Errorf("%v", err)
				}
				first := strings.TrimSpace(strings.TrimPrefix(string(lines[row.Line-1]), "\ufeff"))
				if !strings.HasPrefix(first, "@") && !strings.HasPrefix(first, "TY  - ") && first != "PT J" {
					t.Errorf("line %d does not begin an entry: %s", row.Line, first)
				}
			}
			if rows != tt.rows || rejects != tt.rejects {
				t.Errorf("%d rows and %d rejects, want %d and %d", rows, rejects, tt.rows, tt.rejects)
			}
		})
	}
}

// Records of Unpaywall and works of OpenAlex are read from dumps and answers as
// the services send them.
func TestRead_corpusServices(t *testing.T) {
	type dumped struct {
		DOI    string
		Record json.RawMessage
	}
	for _, service := range []string{"unpaywall", "openalex"} {
		t.Run(service, func(t *testing.T) {
			var lines, array bytes.Buffer
			var want []string
			for i, row := range corpus.JSONL[dumped](t, "bulk", service+".jsonl.gz") {
				a, err := paper.ParseID("doi:" + row.DOI)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, a.ID)
				lines.Write(append(row.Record, '\n'))
				array.WriteString(map[bool]string{true: `{"meta":{"count":1},"results":[`, false: ","}[i == 0])
				if err := json.Indent(&array, row.Record, "", "  "); err != nil {
					t.Fatal(err)
				}
			}
			array.WriteString("],\n\"group_by\": []}\n")
			for layout, text := range map[string][]byte{"lines": lines.Bytes(), "list": array.Bytes()} {
				var got []string
				titles := 0
				for row, err := range intake.Read(bytes.NewReader(text), intake.Options{Name: "-"}) {
					if err != nil {
						t.Errorf("%s: %v", layout, err)
					}
					got = append(got, row.Artifact.ID)
					if row.Title != "" {
						titles++
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", layout, diff)
				}
				if titles < len(want)*9/10 {
					t.Errorf("%s: %d of %d have a title", layout, titles, len(want))
				}
			}
		})
	}
}

// What Crossref and DataCite answer to a request for CSL-JSON, one after another.
func TestRead_corpusCSL(t *testing.T) {
	n := 0
	for _, r := range corpus.JSONL[struct {
		Status  int
		Headers map[string]string    `json:"response_headers"`
		Body    string               `json:"body_file"`
		IDs     struct{ DOI string } `json:"work_ids"`
	}](t, "recordings.jsonl") {
		if r.Status != 200 || !strings.Contains(r.Headers["content-type"], "citationstyles.csl+json") || r.IDs.DOI == "" {
			continue
		}
		n++
		rows := 0
		for row, err := range intake.Read(bytes.NewReader(corpus.Read(t, strings.Split(r.Body, "/")...)), intake.Options{Format: intake.CSL}) {
			rows++
			if want, _ := paper.ParseID(r.IDs.DOI); err != nil || row.Artifact.ID != want.ID || row.Title == "" {
				t.Errorf("%s: got %q, %q, %v, want %q", r.Body, row.Artifact.ID, row.Title, err, want.ID)
			}
		}
		if rows != 1 {
			t.Errorf("%s: %d rows, want 1", r.Body, rows)
		}
	}
	if n < 30 {
		t.Errorf("only %d recordings of CSL-JSON", n)
	}
}
