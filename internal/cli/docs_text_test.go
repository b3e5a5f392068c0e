package cli_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// Links between documents lead somewhere: the file is there, and so is its heading.
func TestDocs_links(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, d := range readDocs(t) {
		for _, m := range link.FindAllStringSubmatch(d.prose(), -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			if strings.HasPrefix(path, "https://") {
				continue
			}
			target := d.path
			if path != "" {
				target = filepath.Join(filepath.Dir(d.path), path)
			}
			text, err := os.ReadFile(target)
			if info, statErr := os.Stat(target); statErr != nil || err != nil && !info.IsDir() {
				t.Errorf("%s: %s leads to nothing", d.path, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(parseDoc(t, target, string(text)).prose()), anchor) {
				t.Errorf("%s: %s leads to no heading", d.path, m[1])
			}
		}
	}
}

// prose is a document without its fences.
func (d doc) prose() string {
	lines := slices.Clone(d.lines)
	for _, f := range d.fences {
		for i := range f.lines {
			lines[f.line+i] = ""
		}
	}
	return strings.Join(lines, "\n")
}

// anchors are the names by which GitHub knows the headings of a text.
func anchors(text string) (names []string) {
	for line := range strings.Lines(text) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title))
		for n := 1; slices.Contains(names, name); n++ {
			name = strings.TrimSuffix(name, "-"+strconv.Itoa(n-1)) + "-" + strconv.Itoa(n)
		}
		names = append(names, name)
	}
	return names
}

// What documents show of configuration is good, of JSON is JSON, and of Go is part of
// a file that is compiled.
func TestDocs_fences(t *testing.T) {
	sources, dir := goSources(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "openalex.key"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, d := range readDocs(t) {
		for i, f := range d.fences {
			at := d.path + ":" + strconv.Itoa(f.line+1)
			switch f.kind {
			case "yaml":
				file := filepath.Join(dir, strconv.Itoa(i)+".yaml")
				if err := os.WriteFile(file, []byte(f.text()), 0o600); err != nil {
					t.Fatal(err)
				}
				c, _ := quireCommand(t, "--config", file, "config", "check", "--contact", "tests@quire.dev")
				c.Stdout = nil
				if out, err := c.CombinedOutput(); err != nil {
					t.Errorf("%s: %v: %s", at, err, out)
				}
			case "json":
				if !json.Valid([]byte(f.text())) {
					t.Errorf("%s: is no JSON", at)
				}
			case "go":
				if !slices.ContainsFunc(sources, func(source string) bool { return strings.Contains(source, f.text()) }) {
					t.Errorf("%s: no file of the module has this code", at)
				}
			case "text":
				if slices.ContainsFunc(f.lines, func(line string) bool {
					command := strings.HasPrefix(line, "quire ") && !strings.HasPrefix(line, "quire  ") // the live view's title
					return command || strings.HasPrefix(line, "$ ")
				}) {
					t.Errorf("%s: commands are in fences of kind sh or console, with why they are not run before them", at)
				}
			}
		}
	}
}

// goSources are the texts of the module's Go files.
func goSources(t *testing.T) (texts []string) {
	t.Helper()
	for _, path := range goFiles(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

func goFiles(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// Messages that docs/troubleshooting.md has as headings are still in the program: each
// part between two … is in one of its strings.
func TestDocs_messages(t *testing.T) {
	text, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	said := programStrings(t)
	quoted := regexp.MustCompile("(?m)^### `(.+)`$").FindAllStringSubmatch(string(text), -1)
	t.Logf("%d messages", len(quoted))
	if len(quoted) == 0 {
		t.Error("there is no message")
	}
	for _, m := range quoted {
		for part := range strings.SplitSeq(m[1], "…") {
			part = strings.Trim(part, " :")
			if part != "" && !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, part) }) {
				t.Errorf("%s: nothing in the program says %q", m[1], part)
			}
		}
	}
}

// programStrings are the strings in the program's source; those that are added up
// count as one.
func programStrings(t *testing.T) (all []string) {
	t.Helper()
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			s, ok := joined(e)
			if ok {
				all = append(all, s)
			}
			return !ok
		})
	}
	return all
}

func joined(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, leftOK := joined(e.X)
		right, rightOK := joined(e.Y)
		return left + right, leftOK && rightOK && e.Op == token.ADD
	}
	return "", false
}

// Commands within the text exist, and so do their flags.
func TestDocs_inline(t *testing.T) {
	span := regexp.MustCompile("`quire ([^`]+)`")
	flags := map[string]map[string]bool{} // by command
	for _, d := range readDocs(t) {
		for _, m := range span.FindAllStringSubmatch(d.prose(), -1) {
			words := strings.Fields(strings.TrimPrefix(m[1], "help "))
			path := ""
			for len(words) > 0 && regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(words[0]) {
				path, words = path+" "+words[0], words[1:]
			}
			if flags[path] == nil {
				flags[path] = map[string]bool{}
			}
			for _, w := range words {
				if name, _, _ := strings.Cut(w, "="); strings.HasPrefix(name, "--") {
					flags[path][strings.TrimRight(name, ",.;")] = true
				}
			}
		}
	}
	t.Logf("%d commands", len(flags))
	for path, names := range flags {
		c, stdout := quireCommand(t, append([]string{"help"}, strings.Fields(path)...)...)
		if err := c.Run(); err != nil {
			t.Errorf("quire%s: %v", path, err)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if !strings.Contains(stdout.String(), name) {
				t.Errorf("quire%s has no %s", path, name)
			}
		}
	}
}
