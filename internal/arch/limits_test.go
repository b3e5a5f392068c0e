package arch_test

import (
	"bufio"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// readers are the packages that read what comes from outside.
func readers() []string {
	return []string{
		"paper", "queue", "internal/cli", "internal/doctor", "internal/dump", "internal/fetch", "internal/harvest", "internal/intake", "internal/resolver", "internal/verdict",
	}
}

// notInput are constants that look like limits of input and bound something else:
// what is sent, said or done.
func notInput() []string {
	return []string{
		"internal/cli.maxSeen", "internal/dump.maxTold", "internal/harvest.maxPlaces",
		"internal/harvest.maxMarks", "internal/harvest.maxOnce", "internal/harvest.maxShared", "internal/resolver.maxDead", "internal/resolver.maxCaptures",
		"internal/resolver.maxWait", "internal/resolver.maxSameHost", "internal/resolver.maxQuery",
	}
}

// TestLimitsOfInput holds docs/limits-of-input.md against the code: each constant
// has the value that it says, and each that bounds input is in it.
func TestLimitsOfInput(t *testing.T) {
	const doc = "../../docs/limits-of-input.md"
	f, err := os.Open(doc)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	known := make(map[string]map[string]string)
	for _, dir := range readers() {
		known[dir] = constants(t, filepath.Join("../..", dir))
	}
	row := regexp.MustCompile("^\\| .* \\| ([^|]+) \\| `([a-z/]+)\\.([A-Za-z]+)` \\| [^|]+ \\|$")
	listed := notInput()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what |") {
			continue
		}
		cells := row.FindStringSubmatch(line)
		if cells == nil {
			t.Errorf("unreadable row: %s", line)
			continue
		}
		name := cells[2] + "." + cells[3]
		listed = append(listed, name)
		value, found := known[cells[2]][cells[3]]
		if want := amount(t, cells[1]); !found || value != strconv.FormatInt(want, 10) {
			t.Errorf("%s is %q in the code and %s (%d) in the table", name, value, cells[1], want)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for dir, all := range known {
		for name := range all {
			if strings.HasPrefix(strings.ToLower(name), "max") && !slices.Contains(listed, dir+"."+name) {
				t.Errorf("%s.%s is not in %s", dir, name, doc)
			}
		}
	}
}

// amount reads "8 MiB", "20,000" or "10".
func amount(t *testing.T, text string) int64 {
	t.Helper()
	number, unit, _ := strings.Cut(strings.ReplaceAll(text, ",", ""), " ")
	n, err := strconv.ParseInt(number, 10, 64)
	shift, ok := map[string]int{"": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}[unit]
	if err != nil || !ok {
		t.Errorf("amount %q", text)
	}
	return n << shift
}

// constants returns the numbers among the constants of a package, "" for those
// that take more than arithmetic to know.
func constants(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	found := make(map[string]string)
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if group, ok := d.(*ast.GenDecl); ok && group.Tok == token.CONST {
				for _, spec := range group.Specs {
					addConstants(found, spec.(*ast.ValueSpec)) //nolint:forcetypeassert // a const group has no others
				}
			}
		}
	}
	return found
}

func addConstants(found map[string]string, spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		if i >= len(spec.Values) {
			continue
		}
		text := types.ExprString(spec.Values[i])
		for known, value := range found { // such as 2 * maxTries
			if value == "" {
				continue
			}
			text = regexp.MustCompile(`\b`+known+`\b`).ReplaceAllString(text, value)
		}
		found[name.Name] = ""
		if v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, text); err == nil && v.Value != nil && v.Value.Kind() == constant.Int {
			found[name.Name] = v.Value.ExactString()
		}
	}
}
