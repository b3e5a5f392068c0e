package dump

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// lines reads a dump line by line, in memory for one.
type lines struct {
	buf    *bufio.Reader
	number int64 // of the line read last, from 1
}

var errTooLong = fmt.Errorf("is longer than %d bytes", MaxLine)

func newLines(from io.Reader) (*lines, error) {
	buf := bufio.NewReaderSize(from, MaxLine+2)
	if magic, err := buf.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buf)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		buf = bufio.NewReaderSize(unzipped, MaxLine+2)
	}
	return &lines{buf: buf}, nil
}

// next returns the next line that is not empty, without its end; bad says that it
// is too long to be read. err is io.EOF at the end. A file that is cut within a
// line, or within its compression, is an error of the latter alone.
func (l *lines) next() (line []byte, bad, err error) {
	for {
		line, err = l.buf.ReadSlice('\n')
		if len(line) == 0 {
			return nil, nil, err
		}
		l.number++
		if errors.Is(err, bufio.ErrBufferFull) {
			if err := l.skip(); err != nil && !errors.Is(err, io.EOF) {
				return nil, nil, err
			}
			return nil, errTooLong, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, err
		}
		if line = bytes.TrimSpace(line); len(line) > MaxLine {
			return nil, errTooLong, nil
		} else if len(line) > 0 {
			return line, nil, nil
		}
	}
}

// skip reads to the end of a line.
func (l *lines) skip() error {
	for {
		if _, err := l.buf.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}
