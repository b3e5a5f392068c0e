package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// readSize is how much of a manifest is read at once, in bytes: some fifty lines.
const readSize = 64 << 10

// lines reads a manifest line by line.
type lines struct {
	in     *bufio.Reader
	number int // of the line that was read last
	found  func(ManifestFault) error
}

func tellNobody(ManifestFault) error { return nil }

// next returns the next line without its end, or nil for one that is too long. Its
// error is io.EOF after the last one.
func (l *lines) next() (text []byte, err error) {
	l.number++
	size := 0
	for {
		part, err := l.in.ReadSlice('\n')
		if size += len(part); size <= maxLine {
			text = append(text, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("read manifest: %w", err)
		case size == 0:
			return nil, io.EOF
		case size > maxLine:
			return nil, l.found(ManifestFault{Note: "line " + strconv.Itoa(l.number) + " is too long"})
		}
		return bytes.TrimSuffix(text, []byte("\n")), nil
	}
}

// resumed is the last field of a line with which the manifest goes on after the store
// was replaced, by an older copy of it or by another, which gives numbers once more:
// lines above with its number or a greater one are outcomes that the store here does not
// know.
const resumed = `,"resumed":true}`

// withMark marks a line that has no mark.
func withMark(text []byte) []byte { return append(bytes.TrimSuffix(text, []byte("}")), resumed...) }

// withoutMark removes the mark of a line, if it has one.
func withoutMark(text []byte) []byte {
	if text, marked := bytes.CutSuffix(text, []byte(resumed)); marked {
		return append(text, '}')
	}
	return text
}

// lineSeq returns the number of a line. Mostly it is the last field, and found there at
// a tenth of the cost of reading all of them.
func lineSeq(text []byte) (seq int64, ok bool) {
	const field = `"seq":`
	end := bytes.TrimSuffix(text, []byte(resumed))
	if at := bytes.LastIndex(end, []byte(field)); at >= 0 {
		number := bytes.TrimSuffix(end[at+len(field):], []byte("}"))
		if seq, err := strconv.ParseInt(string(number), 10, 64); err == nil {
			return seq, true
		}
	}
	var line seenLine
	err := json.Unmarshal(text, &line)
	return line.Seq, err == nil
}

// marks are those of a manifest that matter, first to last: what a later one says of
// more lines is not kept twice, so that their numbers grow. There is one for each time
// that a store was replaced.
type marks []mark

type mark struct {
	line int
	seq  int64
}

// readMarks finds the marks in a manifest.
func readMarks(in io.Reader) (marks, error) {
	var all marks
	l := lines{in: bufio.NewReaderSize(in, readSize), found: tellNobody}
	for {
		text, err := l.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var line seenLine
		if !bytes.HasSuffix(text, []byte(resumed)) || json.Unmarshal(text, &line) != nil {
			continue
		}
		for len(all) > 0 && all[len(all)-1].seq >= line.Seq {
			all = all[:len(all)-1]
		}
		all = append(all, mark{l.number, line.Seq})
	}
}

// over reports whether a line is of a store that was replaced later on. Lines are asked
// about in their order.
func (m *marks) over(line int, seq int64) bool {
	for len(*m) > 0 && (*m)[0].line <= line {
		*m = (*m)[1:]
	}
	return len(*m) > 0 && (*m)[0].seq <= seq
}

// rewriting writes the lines of a manifest anew and sets the marks where they belong.
type rewriting struct {
	to   io.Writer
	mark bool // the next line that is not over goes on after others that are
}

// over writes a line of a store that was replaced.
func (r *rewriting) over(text []byte) error {
	r.mark = true
	return r.write(text)
}

// line writes any other line.
func (r *rewriting) line(text []byte) error {
	text = withoutMark(text)
	if r.mark {
		text = withMark(text)
	}
	r.mark = false
	return r.write(text)
}

func (r *rewriting) write(text []byte) error {
	_, err := r.to.Write(append(text, '\n'))
	return err
}
