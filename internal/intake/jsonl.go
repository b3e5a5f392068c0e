package intake

import (
	"fmt"
	"slices"
)

func readJSONL(in *input, opt Options, yield func(Row, error) bool) error {
	scan := scanner{idField: opt.IDColumn}
	must := none
	if opt.IDColumn != "" {
		if must = fieldColumn([]byte(opt.IDColumn)); must == none || must == title {
			must = chosenID
		}
	}
	return in.eachLine(yield, func(line []byte) bool {
		f, err := scan.row(line)
		if err != nil {
			return yield(Row{}, in.reject(line, err))
		}
		a, err := f.artifact(must)
		if err != nil {
			return yield(Row{}, in.reject(line, err))
		}
		return yield(Row{Line: in.line, Artifact: a, Title: f.text[title]}, nil)
	})
}

// row reads a line that is one JSON object (RFC 8259), and is strict about it:
// two readings of one row would be two works. Fields it does not know are
// checked and skipped.
func (s *scanner) row(line []byte) (*fields, error) {
	s.reset(line)
	if c := s.space(); c != '{' {
		return nil, fmt.Errorf("%s where a JSON object should begin", s.found())
	}
	s.pos++
	err := s.members(func() error {
		key, err := s.key()
		if err != nil {
			return err
		}
		return s.field(key)
	})
	if err != nil {
		return nil, err
	}
	if s.space() != 0 || s.pos < len(s.line) {
		return nil, fmt.Errorf("%s after the JSON object", s.found())
	}
	return &s.fields, nil
}

// field reads the value of a field of the row.
func (s *scanner) field(key []byte) error {
	c := fieldColumn(key)
	if s.idField != "" && string(key) == s.idField && (c == none || c == title) {
		c = chosenID
	}
	if c == none {
		return s.skip(0)
	}
	s.fields.hasKind = s.fields.hasKind || c.isKind()
	start := s.pos
	switch first := s.line[s.pos]; {
	case first == '"':
		text, err := s.str()
		if err != nil {
			return err
		}
		if slices.Contains(text, 0) {
			return fmt.Errorf("%s has a NUL character in it", c)
		}
		s.fields.text[c] = string(text)
		return nil
	case first == 'n':
		return s.skip(0)
	case c == title:
		return s.skip(0)
	case c == id:
		s.fields.idIsOther = true
		return s.skip(0)
	case (c == pmid || c == chosenID) && (first == '-' || isDigit(first)):
		if err := s.skip(0); err != nil {
			return err
		}
		s.fields.text[c] = integer(s.line[start:s.pos])
		return nil
	}
	return fmt.Errorf("%s is not a string", c)
}

// integer returns a JSON number as it is, but without a fraction of zeros.
func integer(number []byte) string {
	for i, c := range number {
		if c != '.' {
			continue
		}
		for _, digit := range number[i+1:] {
			if digit != '0' {
				return string(number)
			}
		}
		return string(number[:i])
	}
	return string(number)
}
