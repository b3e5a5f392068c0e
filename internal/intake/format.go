package intake

import (
	"bytes"
	"errors"
	"path"
	"strings"
)

// Format is a format of input.
type Format string

// The formats.
const (
	Auto  Format = "auto"  // told from the name and the first bytes
	TXT   Format = "txt"   // an identifier a line, of any kind; # begins a comment
	CSV   Format = "csv"   // with commas, semicolons or tabs
	JSONL Format = "jsonl" // an object a line
)

// Formats lists the names of the formats that can be read.
func Formats() []string {
	return []string{string(Auto), string(TXT), string(CSV), string(JSONL)}
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
	default:
		return nil
	}
}

// detect tells the format of a stream by the extension of its name, else by its
// first bytes.
func detect(name string, head []byte) (Format, error) {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	switch path.Ext(name) {
	case ".jsonl", ".ndjson":
		return JSONL, nil
	case ".csv", ".tsv", ".tab":
		return CSV, nil
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "", errors.New("this is a zip file or a spreadsheet: export it as CSV")
	case bytes.HasPrefix(head, []byte("{")):
		return JSONL, nil
	}
	first, _, _ := bytes.Cut(head, []byte("\n"))
	if bytes.HasPrefix(first, []byte("#")) {
		return TXT, nil
	}
	for cell := range strings.FieldsFuncSeq(string(first), isDelimiter) {
		if c := looseColumn(cell); c != none && c != title {
			return CSV, nil
		}
	}
	return TXT, nil
}

func isDelimiter(r rune) bool { return r == ',' || r == ';' || r == '\t' }
