package intake_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
)

func TestCSL(t *testing.T) {
	const a = `{"id":"key","type":"article","DOI":"10.1000/a"}`
	const b = `{"id":2,"DOI":"10.1000/b"}`
	tests := map[string]struct {
		text string
		want []string
	}{
		"array":                 {"[" + a + "," + b + "]", []string{"1 doi:10.1000/a", "1 doi:10.1000/b"}},
		"array over lines":      {"[\n  {\n    \"DOI\": \"10.1000/a\"\n  },\n  {\"DOI\": \"10.1000/b\"}\n]\n", []string{"2 doi:10.1000/a", "5 doi:10.1000/b"}},
		"array, a row a line":   {"[\n" + a + ",\n" + b + "\n]", []string{"2 doi:10.1000/a", "3 doi:10.1000/b"}},
		"lines":                 {a + "\n\n" + b + "\n", []string{"1 doi:10.1000/a", "3 doi:10.1000/b"}},
		"one over lines":        {"{\n  \"DOI\": \"10.1000/a\"\n}\n{\n\"DOI\": \"10.1000/b\"}", []string{"1 doi:10.1000/a", "4 doi:10.1000/b"}},
		"Zotero's answer":       {`{"items": [` + a + "," + b + "]}", []string{"1 doi:10.1000/a", "1 doi:10.1000/b"}},
		"empty array":           {"[]", nil},
		"arrays":                {"[" + a + "]\n[" + b + "]", []string{"1 doi:10.1000/a", "2 doi:10.1000/b"}},
		"bad lines":             {a + "\n{\"DOI\": \"10.1000/\n{\n" + b, []string{"1 doi:10.1000/a", "2! line ends in a string", "3! line ends", "4 doi:10.1000/b"}},
		"bad rows in an array":  {`[{"DOI":"x"},` + "\n" + `{"DOI":1},{"a":1,,},{"DOI":"\ud800"},{"DOI":"` + "\xff" + `"},{},5,"x",null,[1],` + a + "]", []string{`1! doi: not an identifier`, "2! DOI is not a string", "2! byte 8: ','", "2! a \\u escape is no character", "2! a string is not UTF-8", "2! no identifier in the item", "2! byte 1: '5' where a JSON object should begin", "2! byte 1: '\"' where", "2! byte 1: 'n' where", "2! byte 1: '[' where", "2 doi:10.1000/a"}},
		"array not closed":      {"[" + a + ",\n" + b, []string{"1 doi:10.1000/a", "2 doi:10.1000/b", "! after line 1: unexpected EOF"}},
		"object not closed":     {"[" + a + ",\n{\"DOI\": [", []string{"1 doi:10.1000/a", "! after line 1: line 2: what begins here is not closed: unexpected EOF"}},
		"cut in an escape":      {"[" + a + ",\n{\"DOI\": \"\\", []string{"1 doi:10.1000/a", "! after line 1: line 2: what begins here is not closed: unexpected EOF"}},
		"closed too often":      {"[" + a + "]]", []string{"1 doi:10.1000/a", "! after line 0: line 1: ']' where an object or array should begin"}},
		"brace closes an array": {"[" + a + "}", []string{"1 doi:10.1000/a", "! after line 0: line 1: '}' where an object should begin"}},
		"key twice":             {`{"DOI":"10.1000/a","DOI":"10.1000/b"}`, []string{`1! field "DOI" is there twice`}},
		"lower case":            {`{"doi":"10.1000/a"}`, []string{"1 doi:10.1000/a"}},
		"pmid as a number":      {`{"PMID":123}`, []string{"1 pmid:123"}},
		"id of a library":       {`{"id":"http://zotero.org/users/1/items/A","title":"x"}`, []string{"1! no identifier in the item"}},
		"id is a number":        {`{"id":"123"}`, []string{"1! no identifier in the item"}},
		"id is a doi":           {`{"id":"https://doi.org/10.1000/a"}`, []string{"1 doi:10.1000/a"}},
		"arXiv number":          {`{"number":"arXiv:2101.00001"}`, []string{"1 arxiv:2101.00001"}},
		"note with labels":      {`{"note":"Publisher: x\nPMID: 123\nPMCID: PMC4"}`, []string{"1 pmcid:PMC4"}},
		"note with a doi":       {`{"note":"see doi:10.1000/a","URL":"https://example.org/"}`, []string{"1 doi:10.1000/a"}},
		"title of several":      {`{"DOI":["10.1000/a","10.1000/b"],"title":[]}`, []string{"1 doi:10.1000/a"}},
		"doi null":              {`{"DOI":null,"URL":"https://example.org/"}`, []string{"1 url:https://example.org/"}},
		"doi is a number":       {`{"DOI":10.1,"PMID":"1"}`, []string{"1 pmid:1"}},
		"NUL":                   {`{"DOI":"10.1000/a\u0000"}`, []string{"1! DOI has a NUL character in it"}},
		"deep":                  {"[" + strings.Repeat(`{"x":`, 200) + "1" + strings.Repeat("}", 200) + "]", []string{"1! nested deeper than 100"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRead(t, strings.NewReader(tt.text), intake.Options{Format: intake.CSL}, tt.want...)
			checkRead(t, iotest.OneByteReader(strings.NewReader(tt.text)), intake.Options{Format: intake.CSL}, tt.want...)
		})
	}
}

func TestOpenAlex(t *testing.T) {
	const a = `{"id":"https://openalex.org/W1","doi":"https://doi.org/10.1000/a","ids":{"pmid":"https://pubmed.ncbi.nlm.nih.gov/2","pmcid":"https://www.ncbi.nlm.nih.gov/pmc/articles/3"}}`
	const b = `{"id":"https://openalex.org/W2","doi":null,"ids":{"openalex":"https://openalex.org/W2","mag":5}}`
	tests := map[string]struct {
		text string
		want []string
	}{
		"lines":             {a + "\n" + b, []string{"1 doi:10.1000/a", "2 openalex:W2"}},
		"array":             {"[" + a + "," + b + "]", []string{"1 doi:10.1000/a", "1 openalex:W2"}},
		"list":              {`{"meta":{"count":2},"results":[` + a + "," + b + `],"group_by":[{"key":"x"}]}`, []string{"1 doi:10.1000/a", "1 openalex:W2"}},
		"lists":             {`{"meta":{},"results":[` + a + "]}\n" + `{"results":[` + b + `],"meta":{}}`, []string{"1 doi:10.1000/a", "2 openalex:W2"}},
		"list of something": {`{"meta":{},"results":[{"id":"https://openalex.org/A1"}]}`, []string{"1! openalex: not an identifier: labelled as openalex but is \"url:https://openalex.org/A1\""}},
		"empty list":        {`{"meta":{"count":0},"results":[]}`, nil},
		"list is no list":   {`{"meta":{},"results":5,"x":"y"}` + b, []string{"1 openalex:W2"}},
		"list not closed":   {`{"meta":{},"results":[` + a, []string{"1 doi:10.1000/a", "! after line 0: unexpected EOF"}},
		"ids is no object":  {`{"id":"https://openalex.org/W1","ids":[]}`, []string{"1 openalex:W1"}},
		"no id":             {`{"title":"x"}`, []string{"1! no identifier in the work"}},
		"large":             {`{"x":"` + strings.Repeat("x", 15<<20) + `","id":"W1"}` + "\n" + b, []string{"1 openalex:W1", "2 openalex:W2"}},
		"large, in a list":  {`{"results":[{"x":"` + strings.Repeat("x", 15<<20) + `","id":"W1"},` + b + "]}", []string{"1 openalex:W1", "1 openalex:W2"}},
		"too large":         {`{"x":"` + strings.Repeat("x", 17<<20) + `","id":"W1"}` + "\n" + b, []string{"1! line is longer than 16777216 bytes", "2 openalex:W2"}},
		"too large, list":   {"[" + b + `,{"x":"` + strings.Repeat("x", 17<<20) + `","id":"W1"}]`, []string{"1 openalex:W2", "! after line 0: line 1: a value is longer than 16777216 bytes, or not closed"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRead(t, strings.NewReader(tt.text), intake.Options{Format: intake.OpenAlex}, tt.want...)
		})
	}
}

func TestUnpaywall(t *testing.T) {
	const text = `{"doi":"10.1000/a","is_oa":true,"title":"A","best_oa_location":{"url":"https://example.org/a.pdf","pmh_id":"x"},"oa_locations":[]}
{"doi":"10.1000/b","is_oa":false,"title":null,"best_oa_location":null,"oa_locations":[]}
{"doi":null,"doi_url":"https://doi.org/10.1000/c"}
`
	want := []string{"1 doi:10.1000/a", "2 doi:10.1000/b", "3! no identifier in the record"}
	checkRead(t, strings.NewReader(text), intake.Options{Format: intake.Unpaywall}, want...)
	checkRead(t, strings.NewReader(text), intake.Options{Name: "unpaywall_snapshot.jsonl"}, want...)
	checkRead(t, strings.NewReader(`{"doi":"`+strings.Repeat("x", 1<<20)+"\"}\n"+text[:0]+`{"doi":"10.1000/a"}`), intake.Options{Format: intake.Unpaywall},
		"1! line is longer than 1048576 bytes", "2 doi:10.1000/a")
}

// An object with several identifiers is one artifact with all of them.
func TestObjects_row(t *testing.T) {
	want := intake.Row{
		Line: 1, Title: "A title",
		Artifact: paper.Artifact{ID: "doi:10.1000/a", IDs: paper.IDs{DOI: "10.1000/a", PMCID: "PMC3", PMID: "2"}},
	}
	for format, text := range map[intake.Format]string{
		intake.CSL:      `{"id":"x","title":" A\n title","DOI":"10.1000/A","PMID":2,"PMCID":"PMC3"}`,
		intake.OpenAlex: `{"display_name":"A title","title":"A title","ids":{"pmcid":"3","pmid":"https://pubmed.ncbi.nlm.nih.gov/2"},"doi":"https://doi.org/10.1000/a","id":null}`,
	} {
		for row, err := range intake.Read(strings.NewReader(text), intake.Options{Format: format}) {
			if diff := cmp.Diff(want, row); diff != "" || err != nil {
				t.Errorf("%s: %v, row (-want +got):\n%s", format, err, diff)
			}
		}
	}
}

// A stream of which nothing can be made is given up.
func TestRead_givesUp(t *testing.T) {
	for format, r := range map[intake.Format]io.Reader{
		intake.BibTeX: same('x'), intake.CSL: io.MultiReader(strings.NewReader("["), same(' ')),
	} {
		var last error
		for _, err := range intake.Read(r, intake.Options{Format: format}) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), "no row in 268435456 bytes") {
			t.Errorf("%s: %v", format, last)
		}
	}
}

// same is a stream of one byte without end.
type same byte

func (s same) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s)
	}
	return len(p), nil
}

func FuzzObjects(f *testing.F) {
	for _, seed := range []string{
		`[{"DOI":"10.1000/a","title":["x"]},{"PMID":1}]`, `{"meta":{},"results":[{"id":"W1","ids":{"doi":"10.1000/a"}}]}`,
		"{\n\"DOI\": \"10.1000/a\",\n\"note\":\"PMID: 1\\nx\"}\n{}", `{"items":[1,"\"",{}]}`, "{\"id\":\"W1\"}\n{\"id\"", `[[{"x":[`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []intake.Format{intake.CSL, intake.OpenAlex, intake.Unpaywall} {
			checkRows(t, text, format)
		}
		checkPieces(t, text, intake.CSL)
	})
}
