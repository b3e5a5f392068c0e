package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// document walks through JSON and gives its objects, which it holds one at a time.
type document struct {
	in     *input
	schema *schema
	each   func(line int, object []byte) bool
}

// errStopped says that each was false.
var errStopped = errors.New("stopped")

// read reads arrays, list answers and objects up to the end of the stream.
func (d *document) read() error {
	for {
		c, err := d.space()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case c == '[':
			err = d.array()
		case c == '{':
			if listAnswer.Match(d.in.peek()) {
				err = d.answer()
			} else {
				err = d.object()
			}
		default:
			err = d.unexpected(c, "an object or array")
		}
		if errors.Is(err, errStopped) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (d *document) unexpected(c byte, want string) error {
	return fmt.Errorf("line %d: %q where %s should begin", d.in.line+1, rune(c), want)
}

// space skips white space and returns the byte behind it.
func (d *document) space() (byte, error) {
	passed := 0
	for {
		data := d.in.peek()
		if len(data) == 0 {
			_, err := d.in.grow(0)
			return 0, err
		}
		n := skipSpace(data, 0)
		if n < len(data) {
			return data[n], d.in.consume(n, data)
		}
		if err := d.in.pass(n, data, &passed); err != nil {
			return 0, err
		}
	}
}

// within is space where the document must go on.
func (d *document) within() (byte, error) {
	c, err := d.space()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return c, err
}

// take consumes one byte.
func (d *document) take() error { return d.in.consume(1, d.in.peek()) }

// array gives the objects of an array; anything else in it is a row that is none.
func (d *document) array() error {
	if err := d.take(); err != nil {
		return err
	}
	for {
		c, err := d.within()
		switch {
		case err != nil:
			return err
		case c == ']':
			return d.take()
		case c == ',':
			err = d.take()
		case c == '}' || c == ':':
			return d.unexpected(c, "an object")
		default:
			err = d.object()
		}
		if err != nil {
			return err
		}
	}
}

// answer reads the fields of a list answer and gives the objects of its list.
func (d *document) answer() error {
	if err := d.take(); err != nil {
		return err
	}
	name, colon := "", false
	for {
		c, err := d.within()
		switch {
		case err != nil:
			return err
		case c == '}':
			return d.take()
		case c == ',' || c == ':':
			colon = c == ':'
			err = d.take()
		case colon && c == '[' && name == d.schema.list:
			colon = false
			err = d.array()
		default:
			var value []byte
			if value, err = d.value(); err == nil && !colon {
				name = string(bytes.Trim(value, `"`))
			}
		}
		if err != nil {
			return err
		}
	}
}

// object gives the value that begins here to each.
func (d *document) object() error {
	line := d.in.line + 1
	value, err := d.value()
	if err == nil && !d.each(line, value) {
		return errStopped
	}
	return err
}

// value consumes a value and returns it; it is good until more is read. What it
// is made of is not checked.
func (d *document) value() ([]byte, error) {
	var s splitter
	data := d.in.peek()
	for {
		n, whole := s.split(data)
		if whole {
			return data[:n], d.in.consume(n, data)
		}
		if len(data) > d.in.limit {
			return nil, fmt.Errorf("line %d: a value is longer than %d bytes, or not closed", d.in.line+1, d.in.limit)
		}
		grown, err := d.in.grow(len(data))
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: what begins here is not closed: %w", d.in.line+1, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return nil, err
		}
		data = grown
	}
}

// splitter finds the end of a JSON value. It goes on where it was when there is
// more data.
type splitter struct {
	pos      int
	depth    int
	inString bool
}

// split returns the length of the value that data begins with, if that is there.
func (s *splitter) split(data []byte) (n int, whole bool) {
	for ; s.pos < len(data); s.pos++ {
		switch c := data[s.pos]; {
		case s.inString && c == '\\':
			if s.pos+1 == len(data) {
				return 0, false // the escaped character is yet to come
			}
			s.pos++
		case c == '"':
			s.inString = !s.inString
			if !s.inString && s.depth == 0 {
				return s.pos + 1, true
			}
		case s.inString:
		case c == '{' || c == '[':
			s.depth++
		case s.depth > 0 && (c == '}' || c == ']'):
			if s.depth--; s.depth == 0 {
				return s.pos + 1, true
			}
		case s.depth == 0 && (c == '}' || c == ']' || c == ',' || c == ':' || isSpace(c)):
			return max(s.pos, 1), true // the end of a number or word
		}
	}
	return 0, false
}
