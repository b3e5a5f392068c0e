package intake

import (
	"bytes"
	"errors"
	"io"
)

// csvReader splits a stream into records (RFC 4180, with any delimiter, spaces
// around quotes, and records of different lengths).
type csvReader struct {
	in       *input
	comma    byte
	cells    [][]byte // of the record, within the buffer or unquoted
	unquoted []byte
}

var (
	errIncomplete = errors.New("the record goes on")
	errOpenQuote  = errors.New("a quote is opened and never closed")
	errStrayQuote = errors.New("text follows a closing quote")
)

// next returns the next record and the line it begins at; the cells are good
// until the next call. If a record is not well formed, the error is the Reject
// of its first line, and the next record begins at the line after.
func (r *csvReader) next() (cells [][]byte, line int, err error) {
	data := r.in.peek()
	for {
		n, err := r.parse(data, false)
		if errors.Is(err, errIncomplete) {
			if len(data) <= maxLine {
				if data, err = r.in.grow(len(data)); err == nil {
					continue
				}
			}
			switch {
			case errors.Is(err, io.EOF) && len(data) == 0:
				return nil, 0, io.EOF
			case errors.Is(err, io.EOF):
				n, err = r.parse(data, true)
			case errors.Is(err, errIncomplete): // and is too long for that
			default:
				return nil, 0, err
			}
		}
		if err != nil {
			return nil, 0, r.reject(err)
		}
		line = r.in.line + 1
		return r.cells, line, r.in.consume(n, data)
	}
}

// reject consumes one line.
func (r *csvReader) reject(why error) error {
	line, tooLong, err := r.in.next()
	if err != nil {
		return err
	}
	switch {
	case tooLong:
		why = r.in.tooLong()
	case errors.Is(why, errIncomplete):
		why = errOpenQuote
	}
	return r.in.reject(line, why)
}

// text returns the record's beginning, for a Reject.
func (r *csvReader) text(cells [][]byte) []byte {
	var text []byte
	for i, cell := range cells {
		if i > 0 {
			text = append(text, r.comma)
		}
		if text = append(text, cell...); len(text) > shownBytes {
			break
		}
	}
	return text
}

// parse reads the record that data begins with into r.cells and returns its
// length. If atEnd, data ends where the stream does.
func (r *csvReader) parse(data []byte, atEnd bool) (n int, err error) {
	r.cells, r.unquoted = r.cells[:0], r.unquoted[:0]
	for {
		cell, size, err := r.cell(data[n:], atEnd)
		if err != nil {
			return 0, err
		}
		r.cells = append(r.cells, cell)
		n += size
		switch {
		case n == len(data):
			return n, nil
		case data[n] == '\n':
			return n + 1, nil
		}
		n++ // the comma
	}
}

// cell returns the cell that data begins with and how long it is written.
func (r *csvReader) cell(data []byte, atEnd bool) (cell []byte, n int, err error) {
	blanks := 0
	for blanks < len(data) && data[blanks] == ' ' {
		blanks++
	}
	if blanks < len(data) && data[blanks] == '"' {
		cell, n, err = r.quoted(data[blanks+1:], atEnd)
		return cell, blanks + 1 + n, err
	}
	for n < len(data) && data[n] != r.comma && data[n] != '\n' {
		n++
	}
	if n == len(data) && !atEnd {
		return nil, 0, errIncomplete
	}
	return bytes.TrimSuffix(data[:n], []byte("\r")), n, nil
}

// quoted reads on behind the opening quote.
func (r *csvReader) quoted(data []byte, atEnd bool) (cell []byte, n int, err error) {
	open, from := errIncomplete, len(r.unquoted)
	if atEnd {
		open = errOpenQuote
	}
	for {
		size := bytes.IndexByte(data[n:], '"')
		if size < 0 {
			return nil, 0, open
		}
		r.unquoted = append(r.unquoted, data[n:n+size]...)
		n += size + 1
		if n == len(data) || data[n] != '"' {
			break
		}
		r.unquoted = append(r.unquoted, '"')
		n++
	}
	for n < len(data) && (data[n] == ' ' || data[n] == '\r') {
		n++
	}
	switch {
	case n == len(data) && !atEnd:
		return nil, 0, errIncomplete
	case n < len(data) && data[n] != r.comma && data[n] != '\n':
		return nil, 0, errStrayQuote
	}
	return r.unquoted[from:], n, nil
}
