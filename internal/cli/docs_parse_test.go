package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// doc is a document: its lines and its fences.
type doc struct {
	path   string
	lines  []string
	fences []fence
}

// name is the path in the project.
func (d doc) name() string { return strings.TrimPrefix(d.path, "../../") }

// fence is a fenced block. line is that of its first line of text, from 0.
type fence struct {
	kind, notRun string
	line         int
	lines        []string
}

func (f fence) text() string { return strings.Join(f.lines, "\n") + "\n" }

// command is one that a document shows. line is that of its first line, from 1.
type command struct {
	text, notRun string
	execute      string // text, with what stands in for what the test has not
	line, code   int
	console      bool
	shown        []string
}

// readDocs reads README.md and docs/*.md.
func readDocs(t *testing.T) []doc {
	t.Helper()
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	var docs []doc
	for _, path := range append([]string{"../../README.md"}, paths...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, parseDoc(t, path, string(text)))
	}
	return docs
}

// parseDoc finds the fences of a document. A kind that nobody knows is an error:
// what is in it would be checked by nothing.
func parseDoc(t *testing.T, path, text string) doc {
	t.Helper()
	d := doc{path: path, lines: strings.Split(text, "\n")}
	var open *fence
	why := ""
	for i, line := range d.lines {
		mark, fenced := strings.CutPrefix(line, "```")
		switch {
		case fenced && open == nil:
			open = &fence{kind: mark, notRun: why, line: i + 1}
			if !slices.Contains([]string{"sh", "console", "go", "yaml", "json", "text", "mermaid"}, mark) {
				t.Errorf("%s:%d: a fence of kind %q", path, i+1, mark)
			}
		case fenced:
			d.fences = append(d.fences, *open)
			open, why = nil, ""
		case open != nil:
			open.lines = append(open.lines, line)
		default:
			if reason, ok := strings.CutPrefix(line, "<!-- not run: "); ok {
				why = strings.TrimSuffix(reason, " -->")
			} else if line != "" {
				why = ""
			}
		}
	}
	if open != nil {
		t.Errorf("%s:%d: a fence that is not closed", path, open.line)
	}
	return d
}

// commands of all fences, in their order.
func (d doc) commands() (all []command) {
	for _, f := range d.fences {
		switch f.kind {
		case "sh":
			all = append(all, f.shell()...)
		case "console":
			all = append(all, f.console()...)
		}
	}
	return all
}

// shell splits a fence of commands: one a line, or several lines joined by a
// backslash or a here-document.
func (f fence) shell() (all []command) {
	for i := 0; i < len(f.lines); i++ {
		first := i
		if text := strings.TrimSpace(f.lines[i]); text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		i += continued(f.lines[i:])
		all = append(all, newCommand(f, strings.Join(f.lines[first:i+1], "\n"), first))
	}
	return all
}

// console splits a fence of commands and what they show.
func (f fence) console() (all []command) {
	for i := 0; i < len(f.lines); i++ {
		line, ok := strings.CutPrefix(f.lines[i], "$ ")
		if !ok {
			if len(all) > 0 {
				last := &all[len(all)-1]
				last.shown = append(last.shown, f.lines[i])
			}
			continue
		}
		first := i
		n := continued(append([]string{line}, f.lines[i+1:]...))
		i += n
		text := strings.Join(append([]string{line}, f.lines[first+1:i+1]...), "\n")
		c := newCommand(f, text, first)
		c.console = true
		all = append(all, c)
	}
	return all
}

// continued is how many more lines belong to the command that begins at the first.
func continued(lines []string) (n int) {
	end := ""
	if m := regexp.MustCompile(`<<'?([A-Z]+)'?`).FindStringSubmatch(lines[0]); m != nil {
		end = m[1]
	}
	for n < len(lines)-1 && (end != "" && lines[n] != end || end == "" && strings.HasSuffix(lines[n], `\`)) {
		n++
	}
	return n
}

func newCommand(f fence, text string, at int) command {
	c := command{text: text, notRun: f.notRun, line: f.line + at + 1}
	if m := regexp.MustCompile(`#.*exit code (\d+)`).FindStringSubmatch(text); m != nil {
		c.code, _ = strconv.Atoi(m[1]) // digits
	}
	return c
}
