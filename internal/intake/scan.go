package intake

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxDepth  = 100  // of nesting; works nest less than ten deep
	maxFields = 1000 // of one row; every two are compared
)

// scanner reads JSON without building it, in one pass and without allocating.
// encoding/json takes several times as long and lets duplicate keys and lone
// surrogates pass.
type scanner struct {
	idField string // Options.IDColumn
	line    []byte
	pos     int
	fields  fields
	keys    [][]byte // of the row, decoded
	decoded []byte   // strings of the row that have escapes
}

func (s *scanner) reset(line []byte) {
	s.line, s.pos = line, 0
	s.fields = fields{}
	s.keys, s.decoded = s.keys[:0], s.decoded[:0]
}

// space skips white space and returns the byte after it, 0 at the end.
func (s *scanner) space() byte {
	for ; s.pos < len(s.line); s.pos++ {
		switch c := s.line[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// found describes where the scanner stands, for errors.
func (s *scanner) found() string {
	if s.pos >= len(s.line) {
		return "line ends"
	}
	r, _ := utf8.DecodeRune(s.line[s.pos:])
	return fmt.Sprintf("byte %d: %q", s.pos+1, r)
}

// members reads what separates the members of an object or array that has been
// opened, up to its end. do reads a member.
func (s *scanner) members(do func() error) error {
	closer := s.line[s.pos-1] + 2 // "}" for "{", "]" for "["
	if s.space() == closer {
		s.pos++
		return nil
	}
	for {
		s.space()
		if err := do(); err != nil {
			return err
		}
		switch s.space() {
		case closer:
			s.pos++
			return nil
		case ',':
			s.pos++
		default:
			return fmt.Errorf("%s where a comma or %q should be", s.found(), closer)
		}
	}
}

// key reads the key of a member of the row, and its colon.
func (s *scanner) key() ([]byte, error) {
	key, err := s.name()
	if err != nil {
		return nil, err
	}
	for _, before := range s.keys {
		if bytes.Equal(before, key) {
			return nil, fmt.Errorf("field %.40q is there twice", key)
		}
	}
	if len(s.keys) == maxFields {
		return nil, fmt.Errorf("more than %d fields", maxFields)
	}
	s.keys = append(s.keys, key)
	return key, nil
}

func (s *scanner) name() ([]byte, error) {
	if s.pos >= len(s.line) || s.line[s.pos] != '"' {
		return nil, fmt.Errorf("%s where a field should begin", s.found())
	}
	name, err := s.str()
	if err != nil {
		return nil, err
	}
	if s.space() != ':' {
		return nil, fmt.Errorf("%s where a colon should be", s.found())
	}
	s.pos++
	if s.space() == 0 && s.pos >= len(s.line) {
		return nil, errors.New("line ends where a value should be")
	}
	return name, nil
}

// skip reads a value of any kind and forgets it.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if s.pos >= len(s.line) {
		return errors.New("line ends where a value should be")
	}
	switch c := s.line[s.pos]; {
	case c == '"':
		kept := len(s.decoded)
		_, err := s.str()
		s.decoded = s.decoded[:kept]
		return err
	case c == '{':
		s.pos++
		return s.members(func() error {
			if _, err := s.name(); err != nil {
				return err
			}
			return s.skip(depth + 1)
		})
	case c == '[':
		s.pos++
		return s.members(func() error { return s.skip(depth + 1) })
	case c == '-' || isDigit(c):
		return s.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.line[s.pos:], []byte(word)) {
			s.pos += len(word)
			return nil
		}
	}
	return fmt.Errorf("%s where a value should be", s.found())
}

func (s *scanner) number() error {
	start := s.pos
	if s.line[s.pos] == '-' {
		s.pos++
	}
	whole := s.digits()
	ok := whole == 1 || whole > 1 && s.line[s.pos-whole] != '0'
	if ok && s.is('.') {
		s.pos++
		ok = s.digits() > 0
	}
	if ok && (s.is('e') || s.is('E')) {
		s.pos++
		if s.is('+') || s.is('-') {
			s.pos++
		}
		ok = s.digits() > 0
	}
	if !ok {
		return fmt.Errorf("byte %d: not a number", start+1)
	}
	return nil
}

func (s *scanner) is(c byte) bool { return s.pos < len(s.line) && s.line[s.pos] == c }

func (s *scanner) digits() (n int) {
	for ; s.pos < len(s.line) && isDigit(s.line[s.pos]); s.pos++ {
		n++
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// str reads a string and returns it decoded; it is good until the next row.
func (s *scanner) str() ([]byte, error) {
	s.pos++
	start, from, ascii, escaped := s.pos, len(s.decoded), true, false
	for ; s.pos < len(s.line); s.pos++ {
		switch c := s.line[s.pos]; {
		case c == '"':
			text := s.line[start:s.pos]
			if !ascii && !utf8.Valid(text) {
				return nil, errors.New("a string is not UTF-8")
			}
			if escaped {
				s.decoded = append(s.decoded, text...)
				text = s.decoded[from:]
			}
			s.pos++
			return text, nil
		case c == '\\':
			text := s.line[start:s.pos]
			if !ascii && !utf8.Valid(text) {
				return nil, errors.New("a string is not UTF-8")
			}
			s.decoded = append(s.decoded, text...)
			if err := s.escape(); err != nil {
				return nil, err
			}
			start, escaped = s.pos+1, true
		case c < ' ':
			return nil, fmt.Errorf("%s in a string", s.found())
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, errors.New("line ends in a string")
}

// escape decodes an escape sequence and stops at its last byte.
func (s *scanner) escape() error {
	s.pos++
	if s.pos >= len(s.line) {
		return errors.New("line ends in a string")
	}
	c := s.line[s.pos]
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		s.decoded = append(s.decoded, "\"\\/\b\f\n\r\t"[i])
		return nil
	}
	if c != 'u' {
		return fmt.Errorf("%s after a backslash", s.found())
	}
	r, ok := s.hex()
	if ok && utf16.IsSurrogate(r) {
		s.pos++
		ok = s.is('\\')
		s.pos++
		low := rune(0)
		if ok = ok && s.is('u'); ok {
			low, ok = s.hex()
		}
		r = utf16.DecodeRune(r, low)
		ok = ok && r != utf8.RuneError
	}
	if !ok {
		return errors.New(`a \u escape is no character`)
	}
	s.decoded = utf8.AppendRune(s.decoded, r)
	return nil
}

// hex reads the four digits after a "u" and stops at the last.
func (s *scanner) hex() (r rune, ok bool) {
	if s.pos+4 >= len(s.line) {
		return 0, false
	}
	for _, c := range s.line[s.pos+1 : s.pos+5] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	s.pos += 4
	return r, true
}
