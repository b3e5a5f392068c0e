package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// bibReader reads the entries of a BibTeX file. What stands between them is a
// comment.
type bibReader struct {
	in     *input
	macros macros
	entry  bibEntry
	any    bool // something of BibTeX is there
}

var (
	errNoRow     = errors.New("no row") // a macro or a comment was read
	errLongEntry = fmt.Errorf("entry is longer than %d bytes, or its brace is not closed", maxLine)
)

func readBibTeX(in *input, _ Options, yield func(Row, error) bool) error {
	r := bibReader{in: in}
	for {
		data, err := r.seek()
		if errors.Is(err, io.EOF) {
			if !r.any && in.line > 0 {
				return errors.New("no entry begins with @ at the start of a line: is it BibTeX?")
			}
			return nil
		}
		if err != nil {
			return err
		}
		r.any = true
		row, err := r.next(data)
		var bad *Reject
		switch {
		case errors.Is(err, errNoRow):
		case err != nil && !errors.As(err, &bad):
			return err
		case !yield(row, err):
			return nil
		}
	}
}

// seek moves to the next entry, which begins on a line of its own or right behind
// the entry before, and returns what is buffered from its @ on.
func (r *bibReader) seek() (data []byte, err error) {
	passed := 0
	for fresh := true; ; {
		data = r.in.peek()
		switch {
		case len(data) == 0:
			_, err = r.in.grow(0)
			return nil, err
		case fresh && isSpace(data[0]):
			err = r.in.pass(skipSpace(data, 0), data, &passed)
		case fresh && data[0] == '@':
			var begins bool
			if data, begins, err = r.begins(data); begins {
				return data, nil
			}
			fresh = false
		default:
			end := bytes.IndexByte(data, '\n') + 1
			fresh = end > 0
			if !fresh {
				end = len(data)
			}
			err = r.in.pass(end, data, &passed)
		}
		if err != nil {
			return nil, err
		}
	}
}

// begins reports whether data, from an @ on, is an entry or was meant to be one.
func (r *bibReader) begins(data []byte) ([]byte, bool, error) {
	word, n, more := entryStart(data, false)
	for more {
		grown, err := r.in.grow(len(data))
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, err
		}
		data = grown
		word, n, more = entryStart(data, err != nil)
	}
	return data, n > 0 || isStandardType(word), nil
}

// isStandardType reports whether a word is a common type of entry. Others, behind
// an @ and without a brace, may be part of a comment.
func isStandardType(word string) bool {
	switch strings.ToLower(word) {
	case "article", "book", "inbook", "incollection", "inproceedings", "conference", "proceedings",
		"misc", "online", "phdthesis", "mastersthesis", "techreport", "report", "unpublished":
		return true
	}
	return false
}

// next reads the entry that data begins with. If it is not well formed, the error
// is its Reject, and reading goes on at the line after its first.
func (r *bibReader) next(data []byte) (Row, error) {
	line := r.in.line + 1
	row, n, err := r.parse(data, line, false)
	for errors.Is(err, errIncomplete) {
		if len(data) > maxLine {
			err = errLongEntry
			break
		}
		grown, readErr := r.in.grow(len(data))
		switch {
		case readErr == nil:
			data = grown
			row, n, err = r.parse(data, line, false)
		case errors.Is(readErr, io.EOF):
			data = r.in.peek()
			row, n, err = r.parse(data, line, true)
		default:
			return Row{}, readErr
		}
	}
	if err != nil && n == 0 {
		data = r.in.head(shownBytes, true)
		err = newReject(line, firstLine(data), err)
		n = 1
	}
	if tooMuch := r.in.consume(n, data); tooMuch != nil {
		return Row{}, tooMuch
	}
	return row, err
}

// parse reads the entry that data begins with and returns how long it is. If that
// is not known, n is 0.
func (r *bibReader) parse(data []byte, line int, atEnd bool) (row Row, n int, err error) {
	word, n, more := entryStart(data, atEnd)
	switch {
	case more:
		return row, 0, errIncomplete
	case n == 0:
		return row, 0, errNoBrace
	}
	s := bibScanner{data: data, pos: n, atEnd: atEnd, macros: &r.macros}
	closer := byte('}')
	if data[n-1] == '(' {
		closer = ')'
	}
	switch strings.ToLower(word) {
	case "comment", "preamble":
		s.pos--
		if _, err := s.enclosed(closer); errors.Is(err, errIncomplete) && len(data) <= maxLine {
			return row, 0, err
		} else if err != nil {
			return row, 1, errNoRow // BibTeX, too, reads what is within, if on a line of its own
		}
		return row, s.pos, errNoRow
	case "string":
		if err := s.fields(closer, r.macros.set); err != nil {
			return row, 0, err
		}
		return row, s.pos, errNoRow
	}
	r.entry.reset()
	key, err := s.key(closer)
	if err == nil {
		err = s.fields(closer, r.entry.field)
	}
	if err != nil {
		return row, 0, err
	}
	what := "the entry"
	if key != "" {
		what = fmt.Sprintf("the entry %.40q", key)
	}
	r.entry.eprints()
	row, err = r.entry.row(line, data[:s.pos], what)
	return row, s.pos, err
}

const (
	// maxMacros and maxMacroBytes bound what @string entries may define. The
	// largest lists of journals define a few thousand.
	maxMacros     = 20_000
	maxMacroBytes = 1 << 20
)

// macros are the abbreviations that @string entries define.
type macros struct {
	text map[string]string // by name in lower case
	size int               // of all names and texts
}

// set defines a macro, unless there are too many; then it is as if it were not
// defined.
func (m *macros) set(name string, v bibValue) {
	size := len(name) + len(v.text)
	if before, again := m.text[name]; again {
		size -= len(name) + len(before)
	}
	if v.unknown != "" || len(m.text) >= maxMacros || m.size+size > maxMacroBytes {
		return
	}
	if m.text == nil {
		m.text = make(map[string]string)
	}
	m.size += size
	m.text[name] = v.text
}

func (m *macros) get(name string) (text string, ok bool) {
	text, ok = m.text[strings.ToLower(name)]
	return text, ok
}
