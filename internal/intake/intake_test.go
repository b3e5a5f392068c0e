package intake_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/intake"
)

// readAll returns a line for each row, "1 doi:10.1000/a", for each reject,
// "2! reason", and for the error that ended the stream, "! error".
func readAll(t *testing.T, r io.Reader, opt intake.Options) []string {
	t.Helper()
	var got []string
	for row, err := range intake.Read(r, opt) {
		var bad *intake.Reject
		switch {
		case errors.As(err, &bad):
			checkReject(t, bad)
			got = append(got, fmt.Sprintf("%d! %s", bad.Line, bad.Reason))
		case err != nil:
			got = append(got, "! "+err.Error())
		default:
			got = append(got, fmt.Sprintf("%d %s", row.Line, row.Artifact.ID))
		}
	}
	return got
}

func checkReject(t testing.TB, bad *intake.Reject) {
	t.Helper()
	unprintable := func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' }
	if bad.Line < 1 || bad.Reason == "" || len(bad.Text) > 200 ||
		strings.ContainsFunc(bad.Text, unprintable) || strings.ContainsFunc(bad.Reason, unprintable) {
		t.Fatalf("reject %+v", bad)
	}
}

// checkRead compares what readAll returns; the end of a wanted line may be left
// out.
func checkRead(t *testing.T, r io.Reader, opt intake.Options, want ...string) {
	t.Helper()
	got := readAll(t, r, opt)
	for i := range min(len(got), len(want)) {
		if strings.Contains(want[i], "!") && strings.HasPrefix(got[i], want[i]) {
			got[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func zipped(members ...string) []byte {
	var b bytes.Buffer
	for _, text := range members {
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
	}
	return b.Bytes()
}

func TestRead_detectsFormat(t *testing.T) {
	const jsonl, csv, txt = `{"doi":"10.1000/a"}`, "title,doi\nx,10.1000/a", "10.1000/a"
	tests := map[string]struct{ name, text, want string }{
		"jsonl by name":           {"x.jsonl", jsonl, "1 doi:10.1000/a"},
		"jsonl by name, gz":       {"X.NDJSON.GZ", jsonl, "1 doi:10.1000/a"},
		"jsonl by content":        {"-", "\n " + jsonl, "2 doi:10.1000/a"},
		"jsonl in a txt":          {"x.txt", jsonl, "1 doi:10.1000/a"},
		"csv by name":             {"x.csv", csv, "2 doi:10.1000/a"},
		"csv by content":          {"", csv, "2 doi:10.1000/a"},
		"csv by content, quotes":  {"", `"Title";"PubMed ID"` + "\nx;1", "2 pmid:1"},
		"csv of a single column":  {"", "DOI\n10.1000/a", "2 doi:10.1000/a"},
		"tsv by name":             {"x.tsv", "doi\ttitle, long\n10.1000/a\tx", "2 doi:10.1000/a"},
		"txt by content":          {"works", txt, "1 doi:10.1000/a"},
		"txt by content, comment": {"", "# doi\n" + txt, "2 doi:10.1000/a"},
		"bib by name":             {"x.BIB.gz", "doi\n@misc{a,doi={10.1000/a}}", "2 doi:10.1000/a"},
		"bib by content":          {"-", "by me\n\n@misc{a,doi={10.1000/a}}", "3 doi:10.1000/a"},
		"ris by name":             {"x.ris", "1.\nTY - JOUR\nDO - 10.1000/a\nER -", "2 doi:10.1000/a"},
		"ris by content":          {"", "Record #1 of 2\nTY  - JOUR\nDO  - 10.1000/a\nER  - ", "2 doi:10.1000/a"},
		"Web of Science":          {"savedrecs.txt", "FN x\nVR 1.0\nPT J\nDI 10.1000/a\nER\n", "3 doi:10.1000/a"},
		"csl by name":             {"x.json", "[\n{\"DOI\":\"10.1000/a\"}]", "2 doi:10.1000/a"},
		"csl, an item":            {"x.json", `{"title":"x","DOI":"10.1000/a"}`, "1 doi:10.1000/a"},
		"csl by content":          {"-", `[{"id":"x","DOI":"10.1000/a"}]`, "1 doi:10.1000/a"},
		"csl by its first line":   {"x.jsonl", `{"id":"x","DOI":"10.1000/a"}`, "1 doi:10.1000/a"},
		"array of ours":           {"x.json", `[{"doi":"10.1000/a"}]`, "1 doi:10.1000/a"},
		"lines of ours":           {"x.json", jsonl, "1 doi:10.1000/a"},
		"unpaywall":               {"x.jsonl", `{"pmid":"1","doi":"10.1000/a","oa_locations":[]}`, "1 doi:10.1000/a"},
		"openalex":                {"x.json", `{"meta":{},"results":[{"id":"https://openalex.org/W1","ids":{"pmid":"1"}}]}`, "1 pmid:1"},
		"openalex, escaped":       {"", `{"id":"https:\/\/openalex.org\/W1","ids":{"pmid":"1"}}`, "1 pmid:1"},
		"enw is not ours":         {"x.enw", "%0 Journal Article\n%R 10.1000/a", `1! not an identifier`},
		"zip":                     {"works.xlsx", "PK\x03\x04...", "! this is a zip file or a spreadsheet"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := []string{tt.want}
			if tt.name == "x.enw" {
				want = append(want, "2! not an identifier")
			}
			checkRead(t, strings.NewReader(tt.text), intake.Options{Name: tt.name}, want...)
			checkRead(t, iotest.OneByteReader(strings.NewReader(tt.text)), intake.Options{Name: tt.name}, want...)
		})
	}
	t.Run("unknown", func(t *testing.T) {
		checkRead(t, strings.NewReader(txt), intake.Options{Format: "xls"}, `! no input format "xls"`)
	})
	for _, f := range intake.Formats() {
		t.Run("named "+f, func(t *testing.T) {
			checkRead(t, strings.NewReader(""), intake.Options{Format: intake.Format(f)})
		})
	}
}

func TestRead_encodings(t *testing.T) {
	const two = "{\"doi\":\"10.1000/a\"}\n{\"doi\":\"10.1000/b\"}\n"
	want := []string{"1 doi:10.1000/a", "2 doi:10.1000/b"}
	gz := zipped(two)
	tests := map[string]struct {
		name string
		data []byte
		want []string
	}{
		"BOM":                     {"x.jsonl", []byte("\ufeff" + two), want},
		"BOM, by content":         {"", []byte("\ufeff" + two), want},
		"second BOM":              {"x.jsonl", []byte("\ufeff\ufeff" + two), []string{"1! byte 1: '\\ufeff' where a JSON object", want[1]}},
		"UTF-16, little":          {"x.jsonl", []byte("\xff\xfe{\x00"), []string{"! this is UTF-16"}},
		"UTF-16, big":             {"x.jsonl", []byte("\xfe\xff\x00{"), []string{"! this is UTF-16"}},
		"UTF-16, no mark":         {"x.txt", []byte("1\x000\x00"), []string{"! this is UTF-16"}},
		"UTF-16, big, no mark":    {"x.txt", []byte("\x001\x000"), []string{"! this is UTF-16"}},
		"gzip":                    {"x.jsonl.gz", gz, want},
		"gzip without the name":   {"x.jsonl", gz, want},
		"the name without gzip":   {"x.jsonl.gz", []byte(two), want},
		"gzip, two members":       {"x.gz", zipped(two[:10], two[10:]), want},
		"gzip, BOM inside":        {"x.gz", zipped("\ufeff" + two), want},
		"gzip, UTF-16 inside":     {"x.gz", zipped("\xff\xfe{\x00"), []string{"! this is UTF-16"}},
		"gzip of nothing":         {"x.gz", zipped(""), nil},
		"gzip, checksum missing":  {"x.gz", gz[:len(gz)-8], append(want[:2:2], "! after line 2: decompress: unexpected EOF")},
		"gzip, header only":       {"x.gz", gz[:10], []string{"! decompress: unexpected EOF"}},
		"gzip, two bytes":         {"x.gz", gz[:2], []string{"! decompress: unexpected EOF"}},
		"gzip, junk behind":       {"x.gz", append(zipped(two), "junk junk junk"...), append(want[:2:2], "! after line 2: decompress: gzip: invalid header")},
		"empty":                   {"x.jsonl", nil, nil},
		"empty, by content":       {"", nil, nil},
		"BOM only":                {"x.csv", []byte("\ufeff"), nil},
		"one byte":                {"x.txt", []byte("1"), []string{"1 pmid:1"}},
		"NUL bytes":               {"x.txt", []byte("\x00\x00\n1"), []string{`1! not an identifier: "\x00\x00" is no DOI`, "2 pmid:1"}},
		"empty lines and spaces":  {"x.jsonl", []byte("\n  \t\r\n" + two + "\n\n"), []string{"3 doi:10.1000/a", "4 doi:10.1000/b"}},
		"CR LF":                   {"x.jsonl", []byte(strings.ReplaceAll(two, "\n", "\r\n")), want},
		"no final newline":        {"x.jsonl", []byte(strings.TrimSuffix(two, "\n")), want},
		"CR only":                 {"x.jsonl", []byte(strings.ReplaceAll(two, "\n", "\r")), []string{"1! byte 21: '{' after the JSON object (the line has lone carriage returns"}},
		"CR only, txt":            {"x.txt", []byte("10.1000/a\r10.1000/b\r!"), []string{"1! not an identifier: DOI"}},
		"broken off in the line":  {"x.jsonl", []byte(two[:len(two)-4]), []string{want[0], "2! line ends in a string"}},
		"gzip broken off, line 2": {"x.gz", brokenOff(two), []string{want[0], "! after line 1: decompress: unexpected EOF"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRead(t, bytes.NewReader(tt.data), intake.Options{Name: tt.name}, tt.want...)
		})
	}
}

// brokenOff returns a gzip stream that ends, though not cleanly, four bytes
// before text does.
func brokenOff(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text[:len(text)-4])
	_ = w.Flush()
	return b.Bytes()
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestRead_streamBreaks(t *testing.T) {
	errDisk := errors.New("disk on fire")
	for _, format := range []intake.Format{intake.TXT, intake.CSV, intake.JSONL} {
		text := map[intake.Format]string{
			intake.TXT:   "10.1000/a\n10.1000/b",
			intake.CSV:   "10.1000/a\n10.1000/b",
			intake.JSONL: "{\"doi\":\"10.1000/a\"}\n{\"doi\":\"10.1000/b\"}",
		}[format]
		t.Run(string(format), func(t *testing.T) {
			r := io.MultiReader(strings.NewReader(text), failing{errDisk})
			checkRead(t, r, intake.Options{Format: format}, "1 doi:10.1000/a", "! after line 1: disk on fire")
		})
	}
	t.Run("at once", func(t *testing.T) {
		for _, err := range intake.Read(failing{errDisk}, intake.Options{}) {
			if !errors.Is(err, errDisk) {
				t.Errorf("got %v, want %v", err, errDisk)
			}
		}
	})
}

func TestRead_stopsWhenTold(t *testing.T) {
	for format, text := range map[intake.Format]string{
		intake.TXT:   "1\nx\n2 3",
		intake.CSV:   "1\nx\n2",
		intake.JSONL: "{\"pmid\":1}\nx\n{\"pmid\":2}",
	} {
		for stop := 1; stop <= 3; stop++ {
			n := 0
			for range intake.Read(strings.NewReader(text), intake.Options{Format: format}) {
				if n++; n == stop {
					break
				}
			}
			if n != stop {
				t.Errorf("%s: got %d rows before stopping, want %d", format, n, stop)
			}
		}
	}
}

// repeat is an endless stream of one byte.
type repeat byte

func (c repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}

func TestRead_longLines(t *testing.T) {
	const mib = 1 << 20
	for format, row := range map[intake.Format]string{
		intake.TXT: "10.1000/%s", intake.CSV: "10.1000/%s", intake.JSONL: `{"doi":"10.1000/%s"}`,
	} {
		t.Run(string(format), func(t *testing.T) {
			long := func(n int64) io.Reader {
				return io.MultiReader(
					strings.NewReader(fmt.Sprintf(row, "a")+"\n"), io.LimitReader(repeat('x'), n),
					strings.NewReader("\n"+fmt.Sprintf(row, "b")))
			}
			opt := intake.Options{Format: format}
			before := heap()
			checkRead(t, long(64*mib), opt, "1 doi:10.1000/a", "2! line is longer than 1048576 bytes", "3 doi:10.1000/b")
			if grown := heap() - before; grown > 16*mib {
				t.Errorf("heap has grown by %d bytes", grown)
			}
			checkRead(t, long(mib+1), opt, "1 doi:10.1000/a", "2! line is longer than 1048576 bytes", "3 doi:10.1000/b")
			checkRead(t, long(mib-100), opt, "1 doi:10.1000/a", "2! ", "3 doi:10.1000/b")
			opt.MaxBytes = 2 * mib
			checkRead(t, long(64*mib), opt, "1 doi:10.1000/a", "! after line 1: the stream is longer than allowed")
		})
	}
}

// heap returns how much has been allocated in total: a bound of what was live.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// A stream without lines is given up.
func TestRead_noLines(t *testing.T) {
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Skip(err)
	}
	defer zero.Close()
	checkRead(t, zero, intake.Options{Format: intake.TXT}, "! after line 0: line 1 is longer than 4294967296 bytes")
}

func TestRead_directory(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	checkRead(t, dir, intake.Options{}, "! read "+dir.Name()+": is a directory")
}

func TestRead_manyBytes(t *testing.T) {
	line := []byte("{\"pmid\":1}\n")
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for range 1 << 16 {
		_, _ = w.Write(line)
	}
	_ = w.Close()
	got := readAll(t, &b, intake.Options{MaxBytes: 10 * int64(len(line))})
	if len(got) != 11 || got[10] != "! after line 10: the stream is longer than allowed" {
		t.Errorf("got %d rows, the last: %q", len(got), got[len(got)-1])
	}
}

func TestReject_Text(t *testing.T) {
	tests := map[string]string{
		"not an id":                      "not an id",
		"\x1b[2J\x00\tx":                 `\x1b[2J\x00\tx`,
		"é\u202eabc":                     `é\u202eabc`,
		"a\xffb":                         `a\xffb`,
		"x" + strings.Repeat("é", 300):   "x" + strings.Repeat("é", 99),
		"!" + strings.Repeat("\x01", 99): "!" + strings.Repeat(`\x01`, 49),
	}
	for line, want := range tests {
		for _, err := range intake.Read(strings.NewReader(line), intake.Options{Format: intake.TXT}) {
			var bad *intake.Reject
			if !errors.As(err, &bad) || bad.Text != want {
				t.Errorf("%.20q is shown as %+v, want text %q", line, bad, want)
			}
		}
	}
}
