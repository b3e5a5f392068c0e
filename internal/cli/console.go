package cli

import (
	"bytes"
	"io"
	"sync"

	"golang.org/x/term"
)

// console is stderr, which a line that is drawn in place shares with all that is
// printed: what is printed comes above it. Something else may stand in for it for a
// while. It is safe for concurrent use.
type console struct {
	to  io.Writer
	raw io.Writer // the same, for who waits for a reader as long as it takes

	mu      sync.Mutex
	instead io.Writer // nil: nothing
	drawn   string    // the line at the cursor that nothing else may be printed in; empty: none
	midline bool      // what was printed last goes on: nothing can be drawn
}

// What moves the cursor, in ECMA-48: to the line's first cell, and the line from
// there on is blank.
const (
	toStart   = "\r"
	eraseRest = "\x1b[K"
)

// Write prints p, above the line that is drawn.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	if to := c.instead; to != nil {
		c.mu.Unlock() // it may have locks of its own
		return to.Write(p)
	}
	defer c.mu.Unlock()
	return c.above(c.to, p)
}

// above prints p where the line that is drawn was, and draws that again below.
func (c *console) above(to io.Writer, p []byte) (int, error) {
	if c.drawn != "" && !c.midline {
		_, _ = io.WriteString(c.to, toStart+eraseRest)
	}
	n, err := to.Write(p)
	if len(p) > 0 {
		c.midline = !bytes.HasSuffix(p, []byte("\n"))
	}
	if c.drawn != "" && !c.midline {
		_, _ = io.WriteString(c.to, c.drawn)
	}
	return n, err
}

// draw shows a line in place of the one that was drawn before; an empty one is
// none. It must fit, with a cell to spare.
func (c *console) draw(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if line == c.drawn {
		return
	}
	c.drawn = line
	if !c.midline && c.instead == nil {
		_, _ = io.WriteString(c.to, toStart+line+eraseRest) // in one go, or it would flicker
	}
}

// leave takes the line away for a program that exits at once. It waits for nobody.
func (c *console) leave() {
	if !c.mu.TryLock() {
		return // somebody who prints just now, or never will
	}
	defer c.mu.Unlock()
	if c.drawn != "" && !c.midline && c.instead == nil {
		_, _ = io.WriteString(c.to, toStart+eraseRest)
	}
	c.drawn = ""
}

// divert sends what is written to another place, until the function it returns
// is called.
func (c *console) divert(to io.Writer) (restore func()) {
	c.set(to)
	return func() { c.set(nil) }
}

func (c *console) set(to io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instead = to
}

// Fd is the descriptor of stderr, for looking at the terminal that it may be.
func (c *console) Fd() uintptr { return descriptor(c.to) }

// descriptor is that of a stream, or one that there is not.
func descriptor(stream any) uintptr {
	if f, ok := stream.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// besides is another stream on the same terminal, which keeps clear of the line
// that is drawn.
type besides struct {
	*console
	w io.Writer
}

// Write prints p, above the line that is drawn.
func (b besides) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.above(b.w, p)
}

// windowSize returns how many columns and rows a terminal has: 80 and 24, as the
// first ones had, if it does not know.
func windowSize(stream any) (columns, rows int) {
	columns, rows, err := term.GetSize(int(descriptor(stream))) //nolint:gosec // a descriptor fits in an int
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}
