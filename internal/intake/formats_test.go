package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
)

func TestTXT(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"kinds": {
			"10.1000/a\narXiv:2101.00001v2\nPMC1\n1\nW1\nhttps://example.org/a?b,c",
			[]string{"1 doi:10.1000/a", "2 arxiv:2101.00001", "3 pmcid:PMC1", "4 pmid:1", "5 openalex:W1", "6 url:https://example.org/a?b,c"},
		},
		"comments":             {"# mine\n\n  # more\n10.1000/a", []string{"4 doi:10.1000/a"}},
		"labels":               {"DOI: 10.1000/a\nPMID 123", []string{"1 doi:10.1000/a", "2 pmid:123"}},
		"rejects":              {"x\n10.1000/a\nN/A", []string{`1! not an identifier: "x" is no`, "2 doi:10.1000/a", `3! not an identifier: "N/A" is no`}},
		"several, commas":      {"10.1000/a,10.1000/b", []string{"1 doi:10.1000/a", "1 doi:10.1000/b"}},
		"several, spaces":      {"10.1000/a 123\tPMC1", []string{"1 doi:10.1000/a", "1 pmid:123", "1 pmcid:PMC1"}},
		"several, semicolons":  {"123; 456;", []string{"1 pmid:123", "1 pmid:456"}},
		"several URLs":         {"https://example.org/a,https://example.org/b", []string{"1 url:https://example.org/a", "1 url:https://example.org/b"}},
		"a DOI with a comma":   {"10.1000/a,10b", []string{"1 doi:10.1000/a,10b"}},
		"a DOI, comma, number": {"10.1000/a,10", []string{"1 doi:10.1000/a,10"}},
		"not clearly several":  {"10.1000/a and 10.1000/b", []string{"1! not an identifier: DOI"}},
		"quoted":               {`"10.1000/a"`, []string{"1 doi:10.1000/a"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRead(t, strings.NewReader(tt.text), intake.Options{Format: intake.TXT}, tt.want...)
		})
	}
}

func TestCSV(t *testing.T) {
	tests := map[string]struct {
		idColumn, text string
		want           []string
	}{
		"best kind":               {"", "pmid,arxiv,doi\n1,2101.00001,10.1000/a\n2,2101.00002,\n3,,n/a", []string{"2 doi:10.1000/a", "3 arxiv:2101.00002", "4 pmid:3"}},
		"quotes":                  {"", "title,doi\n\"a, \"\"b\"\"\",\"10.1000/a\"\nx, \"10.1000/b\" \n", []string{"2 doi:10.1000/a", "3 doi:10.1000/b"}},
		"lines in quotes":         {"", "title,doi\r\n\"a\r\nb\n\",10.1000/a\r\nx,10.1000/b", []string{"2 doi:10.1000/a", "5 doi:10.1000/b"}},
		"quote at the very end":   {"", "title,doi\nx,\"10.1000/a\"", []string{"2 doi:10.1000/a"}},
		"empty lines":             {"", "\n\ndoi,title\n\n,,\n10.1000/a\n", []string{"6 doi:10.1000/a"}},
		"quote never closed":      {"", "doi,title\n10.1000/a,\"x\n10.1000/b,y\n", []string{"2! a quote is opened and never closed", "3 doi:10.1000/b"}},
		"quote closed by another": {"", "doi,title\n10.1000/a,\"x\n10.1000/b,\"y\"\n10.1000/c,z", []string{"2! text follows a closing quote", "3 doi:10.1000/b", "4 doi:10.1000/c"}},
		"quote within a cell":     {"", "doi,title\n10.1000/a,5\" disk\n", []string{"2 doi:10.1000/a"}},
		"short row":               {"", "doi,title,year\n10.1000/a", []string{"2 doi:10.1000/a"}},
		"long row":                {"", "doi,title\n10.1000/a,x,y\n10.1000/b,x,,\n", []string{"2! 3 cells where the header has 2", "3 doi:10.1000/b"}},
		"no identifier":           {"", "doi,title\n,x\n10.1000/a,y", []string{"2! no identifier in the row", "3 doi:10.1000/a"}},
		"bad identifier":          {"", "doi,pmid\nx,\ny,1", []string{"2! doi: not an identifier: \"x\"", "3 pmid:1"}},
		"NUL and not UTF-8":       {"", "doi,title\n10.1000/\x00,x\n10.1000/\xff,x\n10.1000/a,\xff", []string{"2! doi: not an identifier: DOI", "3! doi: not an identifier:", "4 doi:10.1000/a"}},
		"spreadsheet numbers":     {"", "pmid,pmcid\n123.0,\n,45.0", []string{"2 pmid:123", "3 pmcid:PMC45"}},
		"row numbers":             {"", "id,doi\n1,10.1000/a\n2,", []string{"2 doi:10.1000/a", "3! no identifier in the row"}},
		"ids of any kind":         {"", "id,title\n1,x\nPMC2,y", []string{"2 pmid:1", "3 pmcid:PMC2"}},
		"semicolons":              {"", "title;doi\nx;10.1000/a", []string{"2 doi:10.1000/a"}},
		"tabs":                    {"", "title\tdoi\n\"x\ty\"\t10.1000/a", []string{"2 doi:10.1000/a"}},
		"no header":               {"", "x,10.1000/a,2020\ny,10.1000/b,2021", []string{"1 doi:10.1000/a", "2 doi:10.1000/b"}},
		"no header, years":        {"", "x,2020\ny,2021", []string{`! after line 1: no column is known to hold identifiers: name one of ["x" "2020"]`}},
		"nothing known":           {"", "a,b\n10.1000/a,x", []string{`! after line 1: no column is known to hold identifiers: name one of ["a" "b"]`}},
		"column by name":          {"Ref", "doi,ref\n10.1000/a,PMC1\n10.1000/b,", []string{"2 pmcid:PMC1", "3! no identifier in the row"}},
		"column, bad":             {"ref", "doi,ref\n10.1000/a,x", []string{`2! not an identifier: "x"`}},
		"column of a kind":        {"pmcid", "doi,pmcid\n10.1000/a,1", []string{"2 pmcid:PMC1"}},
		"column called id":        {"id", "doi,id\n10.1000/a,1", []string{"2 pmid:1"}},
		"column called title":     {"title", "doi,title\n10.1000/a,PMC1", []string{"2 pmcid:PMC1"}},
		"column by number":        {"2", "a,b\nx,10.1000/a", []string{"2 doi:10.1000/a"}},
		"column by number, bare":  {"2", "x,10.1000/a\ny,10.1000/b", []string{"1 doi:10.1000/a", "2 doi:10.1000/b"}},
		"column not there":        {"ref", "doi,pmid\n10.1000/a,1", []string{`! after line 1: no column "ref": the columns are ["doi" "pmid"]`}},
		"column number too big":   {"3", "doi,pmid\n10.1000/a,1", []string{`! after line 1: no column "3"`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			opt := intake.Options{Format: intake.CSV, IDColumn: tt.idColumn}
			checkRead(t, strings.NewReader(tt.text), opt, tt.want...)
		})
	}
	t.Run("quote over the limit", func(t *testing.T) {
		text := "doi,title\n10.1000/a,\"x\n" + strings.Repeat(",\n", 1<<19) + "10.1000/b,z"
		checkRead(t, strings.NewReader(text), intake.Options{Format: intake.CSV},
			"2! a quote is opened and never closed", "524291 doi:10.1000/b")
	})
}

func TestJSONL(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	many := "{"
	for i := range 1001 {
		many += fmt.Sprintf(`"f%d":0,`, i)
	}
	tests := map[string]struct{ idColumn, text, want string }{
		"doi":                   {"", `{"doi":"10.1000/a"}`, "1 doi:10.1000/a"},
		"spaces":                {"", " { \"doi\" :\t\"10.1000/a\" , \"x\" : [ ] , \"y\" : { } } ", "1 doi:10.1000/a"},
		"artifact_id":           {"", `{"artifact_id":"arxiv:2101.00001"}`, "1 arxiv:2101.00001"},
		"id":                    {"", `{"id":"https://openalex.org/W1"}`, "1 openalex:W1"},
		"id is a label":         {"", `{"id":"A00001","doi":"10.1000/a"}`, "1 doi:10.1000/a"},
		"id is a number":        {"", `{"id":1,"artifact_id":"pmid:2"}`, "1 pmid:2"},
		"id is a row number":    {"", `{"id":"1","doi":null}`, "1! no identifier in the row"},
		"id of digits alone":    {"", `{"id":"1"}`, "1 pmid:1"},
		"pmid as a number":      {"", `{"pmid":123}`, "1 pmid:123"},
		"pmid, integral":        {"", `{"pmid":123.00}`, "1 pmid:123"},
		"pmcid, arxiv":          {"", `{"pmcid":"PMC1","arxiv":"2101.00001"}`, "1 arxiv:2101.00001"},
		"url":                   {"", `{"url":"https://example.org/a"}`, "1 url:https://example.org/a"},
		"url of a known kind":   {"", `{"url":"https://doi.org/10.1000/a"}`, "1 doi:10.1000/a"},
		"id column":             {"ref", `{"ref":"PMC1","doi":"10.1000/a"}`, "1 pmcid:PMC1"},
		"id column, number":     {"ref", `{"ref":5,"doi":"10.1000/a"}`, "1 pmid:5"},
		"id column of a kind":   {"pmid", `{"pmid":5,"doi":"10.1000/a"}`, "1 pmid:5"},
		"id column missing":     {"ref", `{"doi":"10.1000/a"}`, "1! no identifier in the row"},
		"escapes":               {"", `{"d\u006fi":"10.1000\/\u0061\ud83d\ude00"}`, "1! doi: not an identifier: DOI \"10.1000/a😀\" has the character '😀'"},
		"all escapes":           {"", `{"doi":"10.1000/a","x":"\"\\\/\b\f\n\r\t\u00E9\u0000"}`, "1 doi:10.1000/a"},
		"unknown fields":        {"", `{"a":[1,-0,1e400,{"b":null,"b":[true,false]}],"doi":"10.1000/a","c":"\ud83d\ude00é"}`, "1 doi:10.1000/a"},
		"title of another type": {"", `{"title":["x"],"doi":"10.1000/a"}`, "1 doi:10.1000/a"},

		"not UTF-8":              {"", "{\"doi\":\"10.1000/\xff\"}", "1! a string is not UTF-8"},
		"not UTF-8, overlong":    {"", "{\"x\":\"\xc0\xaf\",\"doi\":\"10.1000/a\"}", "1! a string is not UTF-8"},
		"not UTF-8, then escape": {"", "{\"x\":\"\xff\\n\",\"doi\":\"10.1000/a\"}", "1! a string is not UTF-8"},
		"deep":                   {"", `{"x":` + deep + "}", "1! nested deeper than 100"},
		"deep objects":           {"", strings.Repeat(`{"x":`, 100_000), "1! nested deeper than 100"},
		"duplicate":              {"", `{"id":"a","id":"b"}`, `1! field "id" is there twice`},
		"duplicate, escaped":     {"", `{"doi":"10.1000/a","\u0064oi":"10.1000/b"}`, `1! field "doi" is there twice`},
		"duplicate, unknown":     {"", `{"doi":"10.1000/a","x":1,"x":2}`, `1! field "x" is there twice`},
		"too many fields":        {"", many + `"doi":"10.1000/a"}`, "1! more than 1000 fields"},
		"NUL escaped":            {"", `{"doi":"10.1000/a\u0000"}`, "1! doi has a NUL character in it"},
		"NUL escaped, title":     {"", `{"doi":"10.1000/a","title":"\u0000"}`, "1! title has a NUL character in it"},
		"NUL":                    {"", "{\"doi\":\"10.1000/a\x00\"}", `1! byte 18: '\x00' in a string`},
		"NUL between":            {"", "{\"doi\":\x00\"10.1000/a\"}", `1! doi is not a string`},
		"NUL after":              {"", "{\"doi\":\"10.1000/a\"}\x00", `1! byte 20: '\x00' after the JSON object`},
		"tab in a string":        {"", "{\"doi\":\"10.1000/a\tb\"}", `1! byte 18: '\t' in a string`},
		"missing":                {"", `{"title":"x"}`, "1! no identifier in the row"},
		"empty object":           {"", `{}`, "1! no identifier in the row"},
		"null":                   {"", `{"doi":null}`, "1! no identifier in the row"},
		"wrong type":             {"", `{"doi":5}`, "1! doi is not a string"},
		"wrong type, list":       {"", `{"url":["https://example.org/"]}`, "1! url is not a string"},
		"wrong type, bool":       {"", `{"doi":true}`, "1! doi is not a string"},
		"wrong type, id alone":   {"", `{"id":5}`, "1! id is not a string"},
		"number too big":         {"", `{"pmid":9223372036854775808}`, "1! pmid: not an identifier:"},
		"number with exponent":   {"", `{"pmid":1e400}`, "1! pmid: not an identifier:"},
		"number negative":        {"", `{"pmid":-0}`, "1! pmid: not an identifier:"},
		"number, fraction":       {"", `{"pmid":1.5}`, "1! pmid: not an identifier:"},
		"number, leading zero":   {"", `{"pmid":012}`, "1! byte 9: not a number"},
		"number, no digits":      {"", `{"pmid":-}`, "1! byte 9: not a number"},
		"number, plus":           {"", `{"pmid":+1}`, "1! pmid is not a string"},
		"number, bare point":     {"", `{"x":1.,"pmid":1}`, "1! byte 6: not a number"},
		"array":                  {"", `["10.1000/a"]`, "1! byte 1: '[' where a JSON object should begin"},
		"string":                 {"", `"10.1000/a"`, `1! byte 1: '"' where a JSON object should begin`},
		"two objects":            {"", `{"doi":"10.1000/a"}{"doi":"10.1000/b"}`, "1! byte 20: '{' after the JSON object"},
		"two objects, comma":     {"", `{"doi":"10.1000/a"},`, "1! byte 20: ',' after the JSON object"},
		"trailing comma":         {"", `{"doi":"10.1000/a",}`, "1! byte 20: '}' where a field should begin"},
		"trailing comma, list":   {"", `{"x":[1,],"doi":"10.1000/a"}`, "1! byte 9: ']' where a value should be"},
		"comment":                {"", `{"doi":"10.1000/a"/* */}`, "1! byte 19: '/' where a comma or '}' should be"},
		"single quotes":          {"", `{'doi':'10.1000/a'}`, `1! byte 2: '\'' where a field should begin`},
		"NaN":                    {"", `{"x":NaN,"doi":"10.1000/a"}`, "1! byte 6: 'N' where a value should be"},
		"NaN for a pmid":         {"", `{"pmid":NaN}`, "1! pmid is not a string"},
		"nul":                    {"", `{"doi":nul}`, "1! byte 8: 'n' where a value should be"},
		"nullx":                  {"", `{"doi":nullx}`, "1! byte 12: 'x' where a comma or '}' should be"},
		"no colon":               {"", `{"doi" "10.1000/a"}`, `1! byte 8: '"' where a colon should be`},
		"wrong closer":           {"", `{"doi":"10.1000/a"]`, "1! byte 19: ']' where a comma or '}' should be"},
		"lone surrogate":         {"", `{"x":"\ud800","doi":"10.1000/a"}`, `1! a \u escape is no character`},
		"lone low surrogate":     {"", `{"x":"\udc00","doi":"10.1000/a"}`, `1! a \u escape is no character`},
		"surrogate and letter":   {"", `{"x":"\ud800\u0041","doi":"10.1000/a"}`, `1! a \u escape is no character`},
		"short escape":           {"", `{"x":"\u12"}`, `1! a \u escape is no character`},
		"unknown escape":         {"", `{"x":"\x"}`, "1! byte 8: 'x' after a backslash"},
		"a word":                 {"", `x`, "1! byte 1: 'x' where a JSON object should begin"},
	}
	for _, cut := range []string{`{`, `{"doi`, `{"doi"`, `{"doi":`, `{"doi":"`, `{"doi":"\`, `{"doi":"\u00`, `{"x":1`, `{"x":[`, `{"x":[1,`, `{"x":-`, `{"x":1,`} {
		tests["cut off after "+cut] = struct{ idColumn, text, want string }{"", cut, "1! "}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			opt := intake.Options{Format: intake.JSONL, IDColumn: tt.idColumn}
			checkRead(t, strings.NewReader(tt.text+"\n{\"pmid\":2}"), opt, tt.want, ifMissing(tt.idColumn, "2 pmid:2"))
		})
	}
}

// ifMissing returns what the row of a pmid gives when another column is asked
// for.
func ifMissing(idColumn, row string) string {
	if idColumn != "" && idColumn != "pmid" {
		return "2! no identifier in the row"
	}
	return row
}

// A row keeps all identifiers, its title and the version it asks for.
func TestRead_row(t *testing.T) {
	want := intake.Row{
		Line: 1, Title: "Ünïcode \"q\"",
		Artifact: paper.Artifact{
			ID: "arxiv:2101.00001", Version: 2,
			IDs: paper.IDs{ArXiv: "2101.00001", PMCID: "PMC3", PMID: "4", OpenAlex: "W5", URL: "https://example.org/"},
		},
	}
	texts := map[intake.Format]string{
		intake.JSONL: `{"id":"W5","title":"Ünïcode \"q\"","url":"https://example.org","pmid":"4","pmcid":"PMC3.1","doi":"10.48550/arXiv.2101.00001v2","arxiv":"2101.00001"}`,
		intake.CSV:   "id,title,url,pmid,pmcid,doi,arxiv\nW5,\"Ünïcode \"\"q\"\"\",https://example.org,4,PMC3.1,10.48550/arXiv.2101.00001v2,2101.00001",
	}
	for format, text := range texts {
		for row, err := range intake.Read(strings.NewReader(text), intake.Options{Format: format}) {
			row.Line = 1
			if diff := cmp.Diff(want, row); diff != "" || err != nil {
				t.Errorf("%s: %v, row (-want +got):\n%s", format, err, diff)
			}
		}
	}
}

func FuzzJSONL(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","doi":"10.1000/a","x":[1,-0.5e+3,{"y":null}]}`, `{"pmid":1.0,"title":"\ud83d\ude00\n"}`,
		"{\"doi\":\"\xff\"}", `{"\u0069d":"W1"`, `{"x":[[[[`, `{}{}`, "\ufeff{}\r{}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkAgainstJSON(t, text)
		checkRows(t, text, intake.JSONL)
	})
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"doi,title\n10.1000/a,\"x, \"\"y\"\"\n\"\n", "10.1000/a;x\n", "a\tdoi\r\n\"\t10.1000/a", "doi\n\"\n\"\n1\n", "id,\xff\n1,\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkRows(t, text, intake.CSV) })
}

func FuzzTXT(f *testing.F) {
	for _, seed := range []string{"# x\n10.1000/a, 10.1000/b\nPMC1 2", "\x1f\x8b", "a\rb", "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkRows(t, text, intake.Auto) })
}

// checkRows checks what holds for every input: rows have canonical artifacts and
// come in the order of their lines, within the lines there are.
func checkRows(t *testing.T, text string, format intake.Format) {
	t.Helper()
	line, ended := 1, false
	for row, err := range intake.Read(strings.NewReader(text), intake.Options{Format: format}) {
		var bad *intake.Reject
		switch {
		case ended:
			t.Fatalf("%q: a row after the end", text)
		case errors.As(err, &bad):
			checkReject(t, bad)
			row.Line = bad.Line
		case err != nil:
			ended = true
			continue
		default:
			if a, err := paper.ParseID(row.Artifact.ID); err != nil || a.ID != row.Artifact.ID {
				t.Fatalf("%q: artifact %+v is not canonical: %v", text, row.Artifact, err)
			}
		}
		if row.Line < line || row.Line > 1+strings.Count(text, "\n") && !strings.HasPrefix(text, "\x1f\x8b") {
			t.Fatalf("%q: line %d after line %d", text, row.Line, line)
		}
		line = row.Line
	}
}
