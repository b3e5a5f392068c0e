package intake

import (
	"bytes"
	"errors"
	"strings"
)

// bibScanner reads one entry of a BibTeX file: what BibTeX reads, and what people
// write that it refuses, such as a missing comma. It knows that an entry has gone
// wrong when another one begins on a line of its own.
type bibScanner struct {
	data   []byte // from the @ of the entry
	pos    int
	atEnd  bool // data ends where the stream does
	macros *macros
}

var (
	errNotClosed = errors.New("a brace or quote is opened and not closed before the next entry")
	errOpenValue = errors.New("a quote is opened and not closed before the entry's closing brace")
	errNoBrace   = errors.New("no brace follows the type of the entry")
)

// maxWord is how long the type of an entry may be, with the space behind it. The
// longest standard one, "inproceedings", has 13 letters.
const maxWord = 64

// entryStart reports whether data begins with an @, a word and an opening brace
// or parenthesis, and where these end. If more is set, it can't tell without more
// data.
func entryStart(data []byte, atEnd bool) (word string, n int, more bool) {
	if len(data) == 0 {
		return "", 0, !atEnd
	}
	if data[0] != '@' {
		return "", 0, false
	}
	n = skipSpace(data, 1)
	start := n
	for n < len(data) && n < maxWord && isNameByte(data[n]) {
		n++
	}
	word = string(data[start:n])
	n = skipSpace(data, n)
	switch {
	case n > maxWord:
		return "", 0, false
	case n == len(data):
		return word, 0, !atEnd
	case word != "" && (data[n] == '{' || data[n] == '('):
		return word, n + 1, false
	}
	return word, 0, false
}

func skipSpace(data []byte, n int) int {
	for n < len(data) && isSpace(data[n]) {
		n++
	}
	return n
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isNameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || isDigit(c) || c == '_' || c == '-' || c == '.' || c == ':' || c == '+'
}

// newLine is called behind a line end within an entry. It is an error if the next
// entry begins there.
func (s *bibScanner) newLine() error {
	n := s.pos
	for n < len(s.data) && (s.data[n] == ' ' || s.data[n] == '\t') {
		n++
	}
	_, start, more := entryStart(s.data[n:], s.atEnd)
	switch {
	case more:
		return errIncomplete
	case start > 0:
		return errNotClosed
	}
	return nil
}

// next returns the next byte and moves behind it.
func (s *bibScanner) next() (byte, error) {
	if s.pos == len(s.data) {
		return 0, s.ends()
	}
	c := s.data[s.pos]
	s.pos++
	if c == '\n' {
		return c, s.newLine()
	}
	return c, nil
}

func (s *bibScanner) ends() error {
	if s.atEnd {
		return errNotClosed
	}
	return errIncomplete
}

// space skips white space and returns the byte behind it without moving there.
func (s *bibScanner) space() (byte, error) {
	for {
		c, err := s.next()
		if err != nil {
			return 0, err
		}
		if !isSpace(c) {
			s.pos--
			return c, nil
		}
	}
}

// key reads what stands between the opening brace and the first comma, if it is
// no field.
func (s *bibScanner) key(closer byte) (string, error) {
	for n := s.pos; n < len(s.data); n++ {
		switch c := s.data[n]; c {
		case '=', '\n':
			return "", nil
		case ',', closer:
			key := strings.TrimSpace(string(s.data[s.pos:n]))
			s.pos = n
			return key, nil
		}
	}
	return "", s.ends()
}

// fields reads the fields of an entry whose brace is open, and its end.
func (s *bibScanner) fields(closer byte, do func(name string, value bibValue)) error {
	for {
		c, err := s.space()
		if err != nil {
			return err
		}
		switch c {
		case closer:
			s.pos++
			return nil
		case ',':
			s.pos++
			continue
		}
		start := s.pos
		name, err := s.word(closer)
		if err != nil {
			return err
		}
		if c, err = s.space(); err != nil {
			return err
		}
		switch {
		case c == '=':
			s.pos++
			value, err := s.value(closer)
			if err != nil {
				return err
			}
			do(strings.ToLower(name), value)
		case s.pos == start: // a stray quote or brace
			if _, err := s.value(closer); err != nil {
				return err
			}
		}
	}
}

// word reads the name of a field.
func (s *bibScanner) word(closer byte) (string, error) {
	start := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		c := s.data[s.pos]
		if isSpace(c) || c == closer || strings.IndexByte(`,={}"#`, c) >= 0 {
			return string(s.data[start:s.pos]), nil
		}
	}
	return "", s.ends()
}

// bibValue is the value of a field.
type bibValue struct {
	text    string
	unknown string // a macro in it that is not defined
}

// value reads a value: braced, quoted and bare parts, joined by #. It takes at
// least one byte.
func (s *bibScanner) value(closer byte) (v bibValue, err error) {
	var text []byte
	for {
		c, err := s.space()
		if err != nil {
			return v, err
		}
		var part []byte
		switch c {
		case '{':
			part, err = s.enclosed('}')
		case '"':
			part, err = s.enclosed('"')
		case closer, ',':
			v.text = string(text) // doi = ,
			return v, nil
		default:
			part, err = s.bare(closer, &v)
		}
		if err != nil {
			return v, err
		}
		if len(text) <= maxValue {
			text = append(text, part...)
		}
		if c, err = s.space(); err != nil {
			return v, err
		}
		if c != '#' {
			v.text = string(text)
			return v, nil
		}
		s.pos++
	}
}

// enclosed reads what is in braces or quotes; braces within are balanced.
func (s *bibScanner) enclosed(by byte) ([]byte, error) {
	s.pos++
	start, depth := s.pos, 0
	for {
		c, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case c == by && depth == 0:
			return s.data[start : s.pos-1], nil
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth < 0 {
				return nil, errOpenValue
			}
		}
	}
}

// bare reads a number, the name of a macro, or what somebody forgot to enclose.
func (s *bibScanner) bare(closer byte, v *bibValue) ([]byte, error) {
	start := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		c := s.data[s.pos]
		if !isSpace(c) && c != closer && c != ',' && c != '#' {
			continue
		}
		word := s.data[start:s.pos]
		if len(word) == 0 { // two # in a row
			s.pos++
			return nil, nil
		}
		if isDigit(word[0]) || bytes.ContainsAny(word, "/:") {
			return word, nil
		}
		text, known := s.macros.get(string(word))
		if !known {
			v.unknown = string(word)
		}
		return []byte(text), nil
	}
	return nil, s.ends()
}
