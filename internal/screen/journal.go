package screen

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
)

// keptLines is how many lines of the log are kept for when the screen is gone.
const keptLines = 1000

// journal keeps the lines of the log while they can't be printed. Nobody who logs
// waits for the screen while it is there.
type journal struct {
	to io.Writer

	mu     sync.Mutex
	opened bool // nothing is kept any more
	lines  []string
	lost   bool // there were too many
}

// Write takes in lines.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.opened {
		return j.to.Write(p)
	}
	for line := range bytes.Lines(p) {
		j.lines = append(j.lines, strings.TrimRight(string(line), "\n"))
	}
	if n := len(j.lines) - keptLines; n > 0 {
		j.lines, j.lost = slices.Delete(j.lines, 0, n), true
	}
	return len(p), nil
}

// latest returns the lines that are kept.
func (j *journal) latest() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// open prints what was kept, and from then on whatever is written.
func (j *journal) open() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opened = true
	if j.lost {
		_, _ = io.WriteString(j.to, "… and lines before: --progress plain prints all\n")
	}
	for _, line := range j.lines {
		_, _ = io.WriteString(j.to, line+"\n")
	}
}
