package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestDocs runs every command of README.md and docs/*.md, one document after the
// other in a directory of its own, against a web on loopback:
//
//   - a fence of kind sh has commands, which end with exit code 0 unless a comment
//     beside one says "exit code N";
//   - in a fence of kind console lines that begin with "$ " are commands, and what
//     stands below is what they show. Times and sizes may differ; … stands for
//     anything in a line, and on a line of its own for any lines;
//   - a line <!-- not run: why --> before a fence leaves it out, and is counted.
//
// QUIRE_TEST_UPDATE=1 rewrites what a command that shows something else shows.
func TestDocs(t *testing.T) {
	docs := readDocs(t)
	env := docsEnv(t)
	var ran, left atomic.Int64
	t.Cleanup(func() { t.Logf("%d commands of %d documents run, %d not", ran.Load(), len(docs), left.Load()) })
	for _, d := range docs {
		t.Run(d.name(), func(t *testing.T) {
			t.Parallel()
			run, not := runDoc(t, d, env)
			ran.Add(int64(run))
			left.Add(int64(not))
		})
	}
}

// withoutCommands are documents in which there is nothing to type.
func withoutCommands() []string {
	return []string{
		"docs/README.md", "docs/comparison.md", "docs/dependencies.md", "docs/embedding.md", "docs/limits-of-input.md", "docs/verdicts.md",
	}
}

// runDoc returns how many commands it has run, and how many it has not.
func runDoc(t *testing.T, d doc, env []string) (ran, not int) {
	var run, left []command
	some := false // are meant to be run
	for _, c := range d.commands() {
		if c.notRun == "" {
			some = true
			c.execute, c.notRun = standIn(t, c.text)
		}
		if c.notRun != "" {
			left = append(left, c)
			continue
		}
		run = append(run, c)
	}
	t.Logf("%s: %d commands run, %d not", d.name(), len(run), len(left))
	for _, c := range left {
		t.Logf("%s:%d is not run: %s: %s", d.name(), c.line, c.notRun, c.text)
	}
	if some == slices.Contains(withoutCommands(), d.name()) {
		t.Errorf("there are commands in it: %t", some)
	}
	if len(run) > 0 {
		d.judge(t, run, shell(t, run, env))
	}
	return len(run), len(left)
}

// judge compares what commands have shown, and their exit codes, with the document.
func (d doc) judge(t *testing.T, run []command, got []shown) {
	var edits []edit
	for i, c := range run {
		followed := i+1 < len(run) && run[i+1].text == "echo $?"
		if got[i].code != c.code && !followed {
			t.Errorf("line %d: %s: exit code %d, want %d:\n%s", c.line, c.text, got[i].code, c.code, got[i].text)
		}
		if c.console && !shows(c.shown, got[i].text) {
			edits = append(edits, edit{c.line + strings.Count(c.text, "\n") + 1, len(c.shown), got[i].text})
		}
	}
	if os.Getenv("QUIRE_TEST_UPDATE") != "" {
		d.rewrite(t, edits)
		return
	}
	for _, e := range edits {
		t.Errorf("line %d: the command above it shows:\n%s", e.line, e.text)
	}
}

// shown is what a command has written to both of its streams, and its exit code.
type shown struct {
	text string
	code int
}

// docPatience is how long the commands of one document may take.
const docPatience = 2 * time.Minute

// shell runs commands in one shell, in a fresh directory with some files of works.
func shell(t *testing.T, commands []command, env []string) []shown {
	dir, out := t.TempDir(), t.TempDir()
	writeFixtures(t, dir)
	var script strings.Builder
	for i, c := range commands {
		fmt.Fprintf(&script, "{\n%s\n} > %[2]s/%[3]d.out 2>&1\ncode=$?\necho $code > %[2]s/%[3]d.code\n(exit $code)\n", c.execute, out, i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), docPatience)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-c", script.String())
	sh.Dir, sh.Env, sh.WaitDelay = dir, append(slices.Clone(env), "HOME="+dir), time.Second
	var said bytes.Buffer
	sh.Stdout, sh.Stderr = &said, &said
	err := sh.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok || ctx.Err() != nil {
		t.Fatalf("%v: %v: %s", exit, err, said.Bytes())
	}
	results := make([]shown, len(commands))
	for i, c := range commands {
		text, err := os.ReadFile(filepath.Join(out, strconv.Itoa(i)+".out"))
		code, codeErr := os.ReadFile(filepath.Join(out, strconv.Itoa(i)+".code"))
		if err := errors.Join(err, codeErr); err != nil {
			t.Fatalf("line %d: %s did not run: %v: %s", c.line, c.text, err, said.Bytes())
		}
		results[i].text = strings.ReplaceAll(string(text), dir, "/home/you")
		if results[i].code, err = strconv.Atoi(strings.TrimSpace(string(code))); err != nil {
			t.Fatal(err)
		}
	}
	return results
}

// shows reports whether a command shows what a document says.
func shows(said []string, got string) bool {
	var want strings.Builder
	want.WriteString(`\A`)
	for _, line := range said {
		if strings.TrimSpace(line) == "…" {
			want.WriteString(`(?:[^\n]*\n)*`)
			continue
		}
		line = strings.ReplaceAll(regexp.QuoteMeta(variable(line)), "…", `[^\n]*`)
		want.WriteString(line + `\n`)
	}
	want.WriteString(`\z`)
	var lines []string
	for line := range strings.Lines(got) {
		lines = append(lines, variable(strings.TrimSuffix(line, "\n")))
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	return regexp.MustCompile(want.String()).MatchString(strings.Join(lines, "\n"))
}

// variable puts a word in place of what differs from run to run, and one space in
// place of several.
func variable(line string) string {
	for _, v := range variables() {
		line = v.pattern.ReplaceAllString(line, v.word)
	}
	return strings.TrimRight(line, " ")
}

func variables() []struct {
	pattern *regexp.Regexp
	word    string
} {
	return []struct {
		pattern *regexp.Regexp
		word    string
	}{
		{regexp.MustCompile(`20\d\d-\d\d-\d\d(T[0-9:.]+Z)?`), "DATE"},
		{regexp.MustCompile(`20\d{6}T\d{6}Z`), "DATE"},
		{regexp.MustCompile(`\b\d\d:\d\d(:\d\d)?\b`), "CLOCK"},
		{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "SHA256"},
		{regexp.MustCompile(`\d+(\.\d+)? ?([KMGT]i?)?B\b`), "SIZE"},
		{regexp.MustCompile(`\d+(\.\d+)?( ?(ms|s|min|m|h)\b)+`), "TIME"},
		{regexp.MustCompile(`\d+(\.\d+)? requests`), "N requests"},
		{regexp.MustCompile(` {2,}`), " "},
	}
}
