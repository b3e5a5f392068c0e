package intake

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// Format is a format of input.
type Format string

// The formats.
const (
	Auto      Format = "auto"      // told from the name and the first bytes
	TXT       Format = "txt"       // an identifier a line, of any kind; # begins a comment
	CSV       Format = "csv"       // with commas, semicolons or tabs
	JSONL     Format = "jsonl"     // an object a line
	BibTeX    Format = "bibtex"    // also biblatex
	RIS       Format = "ris"       // also Web of Science's tagged format
	CSL       Format = "csl-json"  // an array of items, or an item a line
	Unpaywall Format = "unpaywall" // a record a line
	OpenAlex  Format = "openalex"  // answers with lists of works, an array of works, or a work a line
)

// Formats lists the names of the formats that can be read.
func Formats() []string {
	return []string{
		string(Auto), string(TXT), string(CSV), string(JSONL), string(BibTeX), string(RIS), string(CSL), string(Unpaywall), string(OpenAlex),
	}
}

// reader reads one format. It returns an error only if the stream breaks, and
// nil once yield has returned false.
type reader func(in *input, opt Options, yield func(Row, error) bool) error

func readerOf(f Format) reader {
	switch f {
	case TXT:
		return readTXT
	case CSV:
		return readCSV
	case JSONL:
		return readJSONL
	case BibTeX:
		return readBibTeX
	case RIS:
		return readRIS
	case CSL:
		return readCSL
	case Unpaywall:
		return readUnpaywall
	case OpenAlex:
		return readOpenAlex
	default:
		return nil
	}
}

// What tells formats that begin alike. Only their first objects are looked at.
var (
	risHead       = regexp.MustCompile(`(?m)^(?:TY {1,3}- ?[A-Za-z]|(?:FN|PT|VR) [^\n]*\n(?s:.*)^PT [A-Z]\r?$)`)
	bibHead       = regexp.MustCompile(`(?im)^[ \t]*@[a-z]+\s*[{(]`)
	openAlexHead  = regexp.MustCompile(`"id"\s*:\s*"https?:\\?/\\?/openalex\.org\\?/W`)
	unpaywallHead = regexp.MustCompile(`"(?:best_oa_location|oa_locations|first_oa_location|doi_url)"\s*:`)
	cslHead       = regexp.MustCompile(`"(?:DOI|PMID|PMCID|URL|issued|container-title|citation-key)"\s*:`)
)

// detectBytes is how much of a stream is looked at. Abstracts come before what
// tells formats apart.
const detectBytes = 64 << 10

// detect tells the format of a stream. Where the first line does not it looks at
// more, for which it may have to wait.
func (in *input) detect(name string) (Format, error) {
	f, err := detect(name, in.head(detectBytes, false))
	if err == nil && (f == TXT || f == CSL) {
		first, _, _ := bytes.Cut(bytes.TrimSpace(in.peek()), []byte("\n"))
		if _, bad := paper.ParseID(string(first)); bad == nil {
			return f, nil
		}
		f, err = detect(name, in.head(detectBytes, true))
	}
	return f, err
}

// detect tells the format of a stream by the extension of its name, else by its
// first bytes.
func detect(name string, head []byte) (Format, error) {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	head = bytes.TrimLeft(head, " \t\r\n")
	head = head[:min(len(head), detectBytes)]
	switch path.Ext(name) {
	case ".jsonl", ".ndjson":
		return detectJSON(head, JSONL), nil
	case ".json":
		return detectJSON(head, layout(head)), nil
	case ".csv", ".tsv", ".tab":
		return CSV, nil
	case ".bib", ".bibtex", ".biblatex":
		return BibTeX, nil
	case ".ris":
		return RIS, nil
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "", errors.New("this is a zip file or a spreadsheet: export it as CSV")
	case stranger(head) != "":
		return "", fmt.Errorf("this is %s: give a list of identifiers, as text, CSV or a bibliography", stranger(head))
	case bytes.HasPrefix(head, []byte("{")), bytes.HasPrefix(head, []byte("[")):
		return detectJSON(head, layout(head)), nil
	}
	first, _, _ := bytes.Cut(head, []byte("\n"))
	for cell := range strings.FieldsFuncSeq(string(first), isDelimiter) {
		if c := looseColumn(cell); c != none && c != title {
			return CSV, nil
		}
	}
	switch {
	case bibHead.Match(head):
		return BibTeX, nil
	case risHead.Match(head):
		return RIS, nil
	}
	return TXT, nil
}

// stranger says what a file is of which no row could be read, by its first bytes;
// empty if it may be text. They are those of file's magic database.
func stranger(head []byte) string {
	for _, kind := range []struct{ begins, name string }{
		{"%PDF-", "a PDF"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old spreadsheet or document of Office"},
		{"SQLite format 3\x00", "a SQLite database"},
		{"\x7fELF", "a program"},
		{"\x89PNG\r\n", "a picture"},
		{"\xff\xd8\xff", "a picture"},
		{"\xfd7zXZ\x00", "compressed with xz"},
		{"\x28\xb5\x2f\xfd", "compressed with zstd"},
		{"BZh", "compressed with bzip2"},
		{"7z\xbc\xaf\x27\x1c", "a 7z archive"},
		{"Rar!\x1a\x07", "a RAR archive"},
	} {
		if bytes.HasPrefix(head, []byte(kind.begins)) {
			return kind.name
		}
	}
	return ""
}

// layout returns the format of JSON of which only the layout is known.
func layout(head []byte) Format {
	if isDocument(head) {
		return CSL // in any layout
	}
	return JSONL
}

// detectJSON tells the formats of JSON apart.
func detectJSON(head []byte, otherwise Format) Format {
	switch {
	case openAlexHead.Match(head):
		return OpenAlex
	case unpaywallHead.Match(head):
		return Unpaywall
	case cslHead.Match(head):
		return CSL
	default:
		return otherwise
	}
}

func isDelimiter(r rune) bool { return r == ',' || r == ';' || r == '\t' }
