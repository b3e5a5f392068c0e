package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// risReader reads the records of a RIS file, from TY to ER, and of Web of
// Science's own format, which is like it: from PT to ER, with a space behind the
// tag. What stands between records is skipped.
type risReader struct {
	in    *input
	entry risEntry
	open  bool
	wos   bool
	line  int // where the record begins
	first []byte
	tag   string // of the line before
	fault error  // of the record
	any   bool   // a record has begun
}

var errNotEnded = errors.New("the record has no ER line")

func readRIS(in *input, _ Options, yield func(Row, error) bool) error {
	r := risReader{in: in}
	for {
		line, tooLong, err := in.next()
		if errors.Is(err, io.EOF) {
			if r.open { // its ER line may have been forgotten
				yield(r.end())
			}
			if !r.any && in.line > 0 {
				return errors.New("no record begins with a TY line: is it RIS?")
			}
			return nil
		}
		if err != nil {
			return err
		}
		if tooLong {
			if r.open {
				r.fault = r.in.tooLong()
			}
			continue
		}
		if !r.read(bytes.TrimRight(line, " \t\r"), yield) {
			return nil
		}
	}
}

// read takes one line. It is false once yield was.
func (r *risReader) read(line []byte, yield func(Row, error) bool) bool {
	tag, value, wos := risTag(line)
	switch {
	case tag == "TY" && !wos, tag == "PT" && wos && (r.wos || !r.open):
		goOn := true
		if r.open {
			r.fault = errNotEnded
			goOn = yield(r.end())
		}
		r.begin(line, wos)
		return goOn
	case !r.open:
		return true
	case tag == "ER" && value == "":
		return yield(r.end())
	case tag == "" || wos != r.wos: // a line that goes on
		r.entry.field(r.tag, strings.TrimSpace(string(line)), r.wos, true)
	default:
		r.tag = tag
		r.entry.field(tag, value, r.wos, false)
	}
	return true
}

func (r *risReader) begin(line []byte, wos bool) {
	r.entry.reset()
	r.open, r.any, r.wos, r.line, r.tag, r.fault = true, true, wos, r.in.line, "", nil
	r.first = append(r.first[:0], line[:min(len(line), shownBytes)]...)
}

// end makes the row of the record, or its Reject.
func (r *risReader) end() (Row, error) {
	r.open = false
	if r.fault != nil {
		return Row{}, newReject(r.line, r.first, r.fault)
	}
	r.entry.rest()
	what := "the record"
	if r.entry.title != "" {
		what = fmt.Sprintf("the record %.60q", r.entry.title)
	}
	return r.entry.row(r.line, r.first, what)
}

// risTag returns the tag of a line and what follows; no tag if it has none. A
// tag is a capital and a capital or digit, two spaces, a dash and a space; real
// files have one to three spaces, and none behind the dash.
func risTag(line []byte) (tag, value string, wos bool) {
	if len(line) < 2 || line[0] < 'A' || line[0] > 'Z' || !isDigit(line[1]) && (line[1] < 'A' || line[1] > 'Z') {
		return "", "", false
	}
	tag, rest := string(line[:2]), line[2:]
	if len(rest) == 0 {
		return tag, "", true
	}
	text := bytes.TrimLeft(rest, " \t")
	blanks := len(rest) - len(text)
	switch {
	case blanks == 0 || blanks > 3:
		return "", "", false
	case text[0] == '-' && (len(text) == 1 || text[1] == ' ' || text[1] == '\t'):
		return tag, string(bytes.TrimSpace(text[1:])), false
	case text[0] == '-' && blanks == 2: // DO  -10.1000/a
		return tag, string(bytes.TrimSpace(text[1:])), false
	case blanks == 1:
		return tag, string(text), true
	}
	return "", "", false
}

// risEntry is what the fields of a record say.
type risEntry struct {
	entry
	titleTag  string
	links     []string // other than UR
	accession string   // AN: a number of some database
	database  string   // which
}

func (e *risEntry) reset() {
	e.entry.reset()
	e.titleTag, e.accession, e.database, e.links = "", "", "", e.links[:0]
}

// field notes a line. If it goes on, it belongs to the tag of the line before:
// the text of a title, or another value of the same kind.
func (e *risEntry) field(tag, value string, wos, goesOn bool) {
	s := ignored
	switch tag {
	case "DO", "DI":
		s = slot(doi)
	case "UR":
		s = slot(webURL)
	case "L1", "L2", "LK":
		e.links = limited(e.links, value)
	case "C2", "M3", "C7", "M1": // EndNote's PMCID; a type of work, a number of the article, or a DOI
		s = maybeID
	case "N1":
		s = note
	case "JO", "JF", "JA", "T2": // Google Scholar's "arXiv preprint arXiv:1706.03762"
		s = arxivNote
	case "AN":
		e.accession = value
	case "DB", "DP":
		e.database += " " + strings.ToLower(value[:min(len(value), 100)])
	case "PM":
		if wos {
			s = slot(pmid)
		}
	case "TI", "T1":
		e.heading(tag, value, goesOn)
	}
	if s != ignored {
		e.add(s, value)
	}
}

// heading notes a line of the title: of the first of several.
func (e *risEntry) heading(tag, value string, goesOn bool) {
	switch {
	case e.title == "" && !goesOn:
		e.titleTag = tag
		e.add(slot(title), value)
	case goesOn && tag == e.titleTag && len(e.title) < maxValue:
		whole := e.title + " " + value
		e.title = ""
		e.add(slot(title), whole)
	}
}

// rest makes something of what counts after all else. AN is a PMID if the
// database is PubMed, or is not said and the number is as long as PMIDs are, at
// most 8 digits. Other databases have numbers, too.
func (e *risEntry) rest() {
	for _, link := range e.links {
		e.add(slot(webURL), link)
	}
	digits := strings.Trim(e.accession, "0123456789") == "" && e.accession != ""
	switch {
	case !digits:
		e.add(maybeID, e.accession)
	case strings.Contains(e.database, "medline"), strings.Contains(e.database, "pubmed"), strings.Contains(e.database, "nlm"),
		e.database == "" && len(e.accession) <= 8:
		e.add(slot(pmid), e.accession)
	}
}
