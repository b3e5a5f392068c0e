package intake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
)

// artifacts reads a file that has good rows only.
func artifacts(t *testing.T, name string) []paper.Artifact {
	t.Helper()
	var as []paper.Artifact
	for row, err := range intake.Read(bytes.NewReader(corpus.Read(t, name)), intake.Options{Name: name}) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		as = append(as, row.Artifact)
	}
	return as
}

func TestRead_corpusWorks(t *testing.T) {
	asJSONL, asCSV, asTXT := artifacts(t, "works.jsonl"), artifacts(t, "works.csv"), artifacts(t, "dois.txt")
	if len(asJSONL) != 1890 || len(asTXT) != 1819 {
		t.Errorf("got %d works and %d DOIs, want 1890 and 1819", len(asJSONL), len(asTXT))
	}
	if diff := cmp.Diff(asJSONL, asCSV); diff != "" {
		t.Errorf("works (-jsonl +csv):\n%s", diff)
	}
	var withDOI []string // arXiv's own DOIs name arXiv artifacts
	for i, row := range corpus.JSONL[struct{ DOI string }](t, "works.jsonl") {
		if row.DOI != "" {
			withDOI = append(withDOI, asJSONL[i].ID)
		}
	}
	var ids []string
	for _, a := range asTXT {
		ids = append(ids, a.ID)
	}
	if diff := cmp.Diff(withDOI, ids); diff != "" {
		t.Errorf("works with a DOI (-jsonl +txt):\n%s", diff)
	}
}

func TestRead_corpusMessyIDs(t *testing.T) {
	const name = "messy_ids.txt"
	lines := strings.Split(string(corpus.Read(t, "biblio", name)), "\n")
	rows, rejects := 0, 0
	for row, err := range intake.Read(bytes.NewReader(corpus.Read(t, "biblio", name)), intake.Options{Name: name}) {
		if bad, ok := errors.AsType[*intake.Reject](err); ok {
			rejects++
			row.Line = bad.Line
		} else {
			rows++
		}
		want, wantErr := paper.ParseID(lines[row.Line-1])
		if want.ID != row.Artifact.ID || (wantErr == nil) != (err == nil) {
			t.Errorf("line %d: %q gives %q, %v, want %q", row.Line, lines[row.Line-1], row.Artifact.ID, err, want.ID)
		}
	}
	if rows != 468 || rejects != 13 { // of 483 lines two are blank
		t.Errorf("got %d rows and %d rejects, want 468 and 13", rows, rejects)
	}
}

// checkAgainstJSON checks that what is accepted is JSON, and that what is JSON is
// refused only for reasons encoding/json does not know.
func checkAgainstJSON(t *testing.T, text string) {
	t.Helper()
	line, _, _ := strings.Cut(text, "\n")
	for _, err := range intake.Read(strings.NewReader(line), intake.Options{Format: intake.JSONL}) {
		var bad *intake.Reject
		if err == nil && !json.Valid([]byte(strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")))) {
			t.Fatalf("%q is accepted but no JSON", line)
		}
		if errors.As(err, &bad) && strings.Contains(bad.Reason, "should be") && json.Valid([]byte(line)) && line[0] == '{' {
			t.Fatalf("%q is refused but JSON: %s", line, bad.Reason)
		}
	}
}

// rows is a stream of n rows that are made as they are read.
type rows struct {
	format string
	i, n   int
	rest   []byte
}

func (r *rows) Read(p []byte) (int, error) {
	p = p[:min(len(p), 64<<10)]
	for len(r.rest) < len(p) && r.i < r.n {
		r.i++
		r.rest = fmt.Appendf(r.rest, r.format, r.i)
	}
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[:copy(r.rest, r.rest[n:])]
	return n, nil
}

const (
	doiRow  = `{"doi":"10.1234/abc.%06d"}` + "\n"
	workRow = `{"id":"A%[1]06d","doi":"10.1234/abc.%[1]06d","title":"A title of some length, as titles are","authors":["Doe, Jane","Doe, John"],"year":2020,"is_oa":true}` + "\n"
)

const (
	bibRow = "@article{k%[1]d,\n  title = {A {T}itle of some length, as titles are},\n  author = {Doe, Jane},\n  doi = {10.1234/abc\\_%06[1]d},\n}\n"
	risRow = "TY  - JOUR\nAU  - Doe, Jane\nTI  - A title of some length, as titles are\nDO  - 10.1234/abc.%06d\nER  - \n\n"
	cslRow = `{"id":"A%[1]06d","type":"article","DOI":"10.1234/abc.%[1]06d","title":"A title of some length","author":[{"family":"Doe"}]},` + "\n"
)

func TestRead_memoryIsFlat(t *testing.T) {
	tests := map[string]struct {
		begin, row string
		format     intake.Format
		most       int64
	}{
		"jsonl":     {"", doiRow, intake.JSONL, 8 << 20},
		"bibtex":    {"", bibRow, intake.BibTeX, 8 << 20},
		"ris":       {"", risRow, intake.RIS, 8 << 20},
		"csl array": {"[", cslRow, intake.CSL, 8 << 20},
		"openalex":  {`{"results":[`, workRow, intake.OpenAlex, 24 << 20},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			n := 0
			stream := io.MultiReader(strings.NewReader(tt.begin), &rows{format: tt.row, n: 50_000})
			for _, err := range intake.Read(stream, intake.Options{Format: tt.format}) {
				if bad, ok := errors.AsType[*intake.Reject](err); ok || err == nil && n == 50_000 {
					t.Fatal(bad)
				}
				if err != nil {
					break // the list is not closed
				}
				if n++; n == 45_000 {
					runtime.GC()
					runtime.ReadMemStats(&after)
				}
			}
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); n != 50_000 || grown > tt.most {
				t.Errorf("%d rows hold %d bytes", n, grown)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for name, format := range map[string]string{
		"jsonl": doiRow, "jsonl works": workRow, "txt": "10.1234/abc.%06d\n", "csv": "x,10.1234/abc.%06d,2020\n",
		"bib": bibRow, "ris": risRow,
	} {
		b.Run(name, func(b *testing.B) {
			opt := intake.Options{Name: "rows." + strings.Fields(name)[0]}
			const n = 100_000
			var text bytes.Buffer
			_, _ = text.ReadFrom(&rows{format: format, n: n})
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range intake.Read(bytes.NewReader(text.Bytes()), opt) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
