package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/queue"
)

// step is one of a job, as a trace has it.
type step struct {
	At       time.Duration
	Job      int64
	Key      string
	Next     string        `json:",omitempty"`
	Finished bool          `json:",omitempty"`
	Delay    time.Duration `json:",omitempty"`
	Attempt  int
}

// snapshot is how a run stands.
type snapshot struct {
	At    time.Duration
	Slots int
	Keys  []quire.KeyState
	Stats queue.Stats
	Bound time.Duration // the least time that is left, as the key table knows it
}

// line is one of a trace: either of the two.
type line struct {
	Step     *step     `json:",omitempty"`
	Snapshot *snapshot `json:",omitempty"`
}

// trace writes down what a forecast was told, so that a change of the model can be
// tried on the same runs.
type trace struct {
	file   *os.File
	buffer *bufio.Writer
	to     *json.Encoder
	err    error
}

func newTrace(file *os.File) *trace {
	buffer := bufio.NewWriter(file)
	return &trace{file: file, buffer: buffer, to: json.NewEncoder(buffer)}
}

// write adds a line. The first error is kept for close.
func (t *trace) write(l line) {
	if t != nil && t.err == nil {
		t.err = t.to.Encode(l)
	}
}

func (t *trace) close() error { return errors.Join(t.err, t.buffer.Flush(), t.file.Close()) }

// replay makes a forecast again from a trace.
func replay(path string, out io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	b := newBook()
	for from := json.NewDecoder(bufio.NewReader(file)); ; {
		var l line
		switch err := from.Decode(&l); {
		case errors.Is(err, io.EOF):
			fmt.Fprintf(out, "%s\n", path)
			return b.write(out)
		case err != nil:
			return fmt.Errorf("read %s: %w", path, err)
		case l.Step != nil:
			b.observe(*l.Step)
		case l.Snapshot != nil:
			b.look(*l.Snapshot)
		}
	}
}
