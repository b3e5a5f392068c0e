package intake

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// input is a decompressed stream that counts its lines. It holds at most one
// line more than the buffer of the decompressor.
type input struct {
	buf   *bufio.Reader
	line  int   // lines consumed
	left  int64 // bytes that may still be consumed
	limit int   // how long a line or record may be, in bytes
}

var errUTF16 = errors.New("this is UTF-16 text: convert it to UTF-8")

// open takes off compression and byte order mark. Its error is io.EOF if the
// stream is empty.
func open(r io.Reader, opt Options) (*input, error) {
	in := &input{buf: bufio.NewReaderSize(r, maxLine+2), left: opt.MaxBytes, limit: maxLine}
	if in.left <= 0 {
		in.left = defaultMaxBytes
	}
	if magic, _ := in.buf.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in.buf)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		in.buf = bufio.NewReaderSize(gzipReader{unzipped}, maxLine+2)
	}
	head, err := in.buf.Peek(3)
	switch {
	case len(head) == 0:
		return nil, err
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}), bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return nil, errUTF16
	case len(head) > 1 && (head[0] == 0) != (head[1] == 0): // ASCII in UTF-16 without mark
		return nil, errUTF16
	case bytes.Equal(head, []byte("\ufeff")):
		_, _ = in.buf.Discard(len(head))
	}
	return in, nil
}

// gzipReader says in its errors that the compression is at fault.
type gzipReader struct{ *gzip.Reader }

func (r gzipReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("decompress: %w", err)
	}
	return n, err
}

// allow makes the limit of a line or record larger.
func (in *input) allow(limit int) {
	in.buf, in.limit = bufio.NewReaderSize(in.buf, limit+2), limit
}

// peek returns what is buffered, which is something unless the stream has ended.
func (in *input) peek() []byte {
	_, _ = in.buf.Peek(1)
	head, _ := in.buf.Peek(in.buf.Buffered())
	return head
}

// head returns what the stream begins with: its first line, or all of the first
// most bytes.
func (in *input) head(most int, all bool) []byte {
	data := in.peek()
	for len(data) < most && (all || !bytes.Contains(bytes.TrimLeft(data, " \t\r\n"), []byte("\n"))) {
		grown, err := in.grow(len(data))
		if err != nil {
			return grown
		}
		data = grown
	}
	return data
}

// pass consumes bytes that belong to no row. passed counts those since the last.
func (in *input) pass(n int, buffered []byte, passed *int) error {
	if *passed += n; *passed > maxBetween {
		return fmt.Errorf("no row in %d bytes before line %d", maxBetween, in.line+1)
	}
	return in.consume(n, buffered)
}

// grow returns what is buffered once that is more than have bytes, or why there
// are no more. It moves what was buffered.
func (in *input) grow(have int) ([]byte, error) {
	_, err := in.buf.Peek(have + 1)
	return in.peek(), err
}

// consume takes the first n of the buffered bytes away. They stay readable until
// more is read.
func (in *input) consume(n int, buffered []byte) error {
	in.line += bytes.Count(buffered[:n], []byte("\n"))
	_, _ = in.buf.Discard(n)
	return in.count(n)
}

func (in *input) count(n int) error {
	if in.left -= int64(n); in.left < 0 {
		return errors.New("the stream is longer than allowed")
	}
	return nil
}

// next returns the next line without its end; it is good until the next call.
// Of a line that is too long it returns the beginning. The error is io.EOF at
// the end; a line that breaks off because the stream does is not returned.
func (in *input) next() (line []byte, tooLong bool, err error) {
	line, err = in.buf.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		line, err = in.skip(bytes.Clone(line[:shownBytes]), len(line))
		tooLong = true
	case err == nil, errors.Is(err, io.EOF) && len(line) > 0:
		err = in.count(len(line))
	}
	if err != nil {
		return nil, false, err
	}
	in.line++
	line = bytes.TrimSuffix(line, []byte("\n"))
	return line, tooLong || len(line) > in.limit, nil
}

// skip consumes the rest of a line of which head is the beginning.
func (in *input) skip(head []byte, n int) ([]byte, error) {
	if err := in.count(n); err != nil {
		return nil, err
	}
	for skipped := n; skipped <= maxSkip; {
		rest, err := in.buf.ReadSlice('\n')
		skipped += len(rest)
		if tooMuch := in.count(len(rest)); tooMuch != nil {
			return nil, tooMuch
		}
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return head, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
	return nil, fmt.Errorf("line %d is longer than %d bytes", in.line+1, int64(maxSkip))
}

// eachLine calls do with every line that is not blank, without the spaces around
// it, until do returns false. Lines that are too long are rejected.
func (in *input) eachLine(yield func(Row, error) bool, do func(line []byte) bool) error {
	for {
		line, tooLong, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if tooLong {
			if !yield(Row{}, in.reject(line, in.tooLong())) {
				return nil
			}
			continue
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && !do(line) {
			return nil
		}
	}
}

func (in *input) tooLong() error { return fmt.Errorf("line is longer than %d bytes", in.limit) }

// reject returns the Reject of the line that was consumed last.
func (in *input) reject(line []byte, why error) *Reject { return newReject(in.line, line, why) }

func newReject(n int, line []byte, why error) *Reject {
	reason := why.Error()
	if bytes.ContainsRune(line, '\r') {
		reason += " (the line has lone carriage returns in it: are they meant as line ends?)"
	}
	return &Reject{Line: n, Text: printable(line), Reason: reason}
}

// printable returns the beginning of line as one line that a terminal shows as
// it is.
func printable(line []byte) string {
	var text []byte
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		shown := line[:size]
		switch {
		case r == utf8.RuneError && size == 1:
			shown = fmt.Appendf(nil, `\x%02x`, line[0])
		case !strconv.IsPrint(r):
			quoted := strconv.AppendQuoteRune(nil, r)
			shown = quoted[1 : len(quoted)-1]
		}
		if len(text)+len(shown) > shownBytes {
			break
		}
		text = append(text, shown...)
		line = line[size:]
	}
	return string(text)
}
