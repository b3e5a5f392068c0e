package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
)

// stdout is the standard output. A reader that went away (| head) is no error:
// what it did not want is dropped. On a terminal lines show when they are whole.
type stdout struct {
	w     *bufio.Writer
	lines bool
	fd    uintptr

	closed bool  // nobody reads it any more
	err    error // it can't be written, for another reason
}

func newStdout(ctx context.Context, w io.Writer, stderr *console) *stdout {
	s := &stdout{fd: descriptor(w), lines: isTerminal(w)}
	w = unstuck{ctx, w}
	if s.lines {
		w = besides{stderr, w}
	}
	s.w = bufio.NewWriter(w)
	return s
}

// Write takes in p. Its error is the first one there was.
func (s *stdout) Write(p []byte) (int, error) {
	if s.closed || s.err != nil {
		return len(p), s.err
	}
	_, err := s.w.Write(p)
	if err == nil && s.lines && bytes.HasSuffix(p, []byte("\n")) {
		err = s.w.Flush()
	}
	return len(p), s.failed(err)
}

// Flush writes out what is buffered: commands that print as they go call it.
func (s *stdout) Flush() {
	if !s.closed && s.err == nil {
		_ = s.failed(s.w.Flush()) // kept
	}
}

// failed keeps why writing has failed.
func (s *stdout) failed(err error) error {
	switch {
	case err == nil:
	case errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe):
		s.closed = true
	default:
		s.err = fmt.Errorf("write output: %w", err)
	}
	return s.err
}

// gone reports whether it is no use to write on: the reader went away, or it can't
// be written.
func (s *stdout) gone() bool { return s.closed || s.err != nil }

// close writes out what is buffered. Its error is the first one there was.
func (s *stdout) close() error {
	s.Flush()
	return s.err
}

// Fd is the descriptor of stdout, for looking at the terminal that it may be.
func (s *stdout) Fd() uintptr { return s.fd }

// unstuck is a stream whose reader may stop reading: once ctx has ended nobody
// waits for it any longer than stuckGrace, and the error is ctx's.
type unstuck struct {
	ctx context.Context //nolint:containedctx // of the whole program
	w   io.Writer
}

// stuckGrace is how long a reader gets to take what is written once the program is
// told to stop. It is to be longer than a pager or a slow line needs for a page.
const stuckGrace = time.Second

// Fd is the descriptor of the stream.
func (u unstuck) Fd() uintptr { return descriptor(u.w) }

// Write leaves a goroutine behind if nobody reads p: it ends with the program.
func (u unstuck) Write(p []byte) (int, error) {
	type written struct {
		n   int
		err error
	}
	done := make(chan written, 1)
	go func() {
		n, err := u.w.Write(p)
		done <- written{n, err}
	}()
	select {
	case w := <-done:
		return w.n, w.err
	case <-u.ctx.Done():
	}
	select {
	case w := <-done:
		return w.n, w.err
	case <-time.After(stuckGrace):
		return 0, u.ctx.Err()
	}
}
