package cli

import (
	"fmt"
	"strings"
)

// tip tells people at a terminal what they may want to do next. Scripts are spared:
// what they read is on stdout, and stays as it is.
func (a *app) tip(format string, args ...any) {
	if a.json || !isTerminal(a.env.Stderr) {
		return
	}
	a.out.Flush() // what was done comes before what is next
	a.note("%s", fmt.Sprintf(format, args...))
}

// tipRun tells how the jobs are run that are now queued.
func (a *app) tipRun(jobs int) {
	if jobs > 0 {
		a.tip("run the queue: %s queue run --drain", a.self())
	}
}

// shellWords is words for a shell, each after a space.
func shellWords(words []string) string {
	var b strings.Builder
	for _, word := range words {
		b.WriteString(" " + shellWord(word))
	}
	return b.String()
}
