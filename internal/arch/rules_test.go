package arch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/quire-dev/quire"

// anywhere marks packages that only tests import, wherever they are.
const anywhere = -1

// floors maps each package, by its directory, to its floor. A package may import
// those of lower floors only.
func floors() map[string]int {
	return map[string]int{
		"queue": 0, "paper": 0, "internal/wall": 0, // words
		"sqlite": 1, "postgres": 1, "internal/limit": 1, "internal/intake": 1, "internal/resolver": 1, // means
		"internal/verdict": 1, "internal/blob": 1, "internal/sidecar": 1, "internal/testweb": 1, "internal/dump": 1,
		"internal/fetch": 2, "internal/schedule": 2, // manners
		"orchestrator": 3, "internal/harvest": 3, "internal/report": 3, "internal/verify": 3, "internal/doctor": 3, "internal/forecast": 3, // doing
		".": 4, "internal/bench": 4, "internal/export": 4, "internal/progress": 4, // the whole
		"internal/screen": 5, "internal/manual": 5, // looks
		"internal/cli": 6, // the edge
		"cmd/quire":    7,

		"examples/email": 5, // of embedding: it uses only what is public

		"internal/corpus": anywhere, "internal/need": anywhere, "internal/testnet": anywhere, "internal/storetest": anywhere, "internal/pgtest": anywhere, "internal/blobtest": anywhere, "internal/s3test": anywhere,
		"internal/arch": anywhere, "internal/e2e": anywhere,
	}
}

// restricted maps modules to the only packages that may import them: who embeds
// quire must not link what only the program needs.
func restricted() map[string][]string {
	return map[string][]string{
		"github.com/spf13/cobra":        {"internal/cli"},
		"github.com/spf13/pflag":        {"internal/cli"},
		"github.com/invopop/jsonschema": {"internal/cli"},
		"github.com/lmittmann/tint":     {"internal/cli"},
		"charm.land/":                   {"internal/screen"},
		"github.com/charmbracelet/":     {"internal/screen", "internal/cli"},
		"modernc.org/sqlite":            {"sqlite", "internal/dump"}, // the queue's store, and files that are only looked up in
		"github.com/jackc/pgx":          {"postgres", "internal/bench"},
		"github.com/minio/minio-go":     {"internal/blob"},
	}
}

// violations reads the Go files of a module and returns what breaks the rules,
// a line each. Tests are held to fewer: they may use any package.
func violations(tree fs.FS) ([]string, error) {
	var found []string
	documented := map[string]bool{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "tools" || d.Name() == "bench" || len(d.Name()) > 1 && d.Name()[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		dir := path.Dir(name)
		documented[dir] = documented[dir] || file.Doc != nil
		found = append(found, ofFile(name, dir, file)...)
		return nil
	})
	for dir, ok := range documented {
		if !ok {
			found = append(found, dir+": has no package comment")
		}
		if _, known := floors()[dir]; !known {
			found = append(found, dir+": has no floor; give it one in internal/arch")
		}
	}
	slices.Sort(found)
	return found, err
}

// ofFile returns what breaks the rules in one file of package dir.
func ofFile(name, dir string, file *ast.File) []string {
	var found []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if why := forbidden(dir, imported); why != "" {
			found = append(found, fmt.Sprintf("%s: imports %s, %s", name, imported, why))
		}
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			found = append(found, name+": has an init function")
		}
	}
	return found
}

// forbidden says why package dir may not import a package, or nothing.
func forbidden(dir, imported string) string {
	for other, homes := range restricted() {
		if (imported == other || strings.HasPrefix(imported, other+"/")) && !slices.Contains(homes, dir) {
			return "which only " + strings.Join(homes, " and ") + " may"
		}
	}
	if imported != module && !strings.HasPrefix(imported, module+"/") {
		return ""
	}
	own, target := floors()[dir], strings.TrimPrefix(imported, module+"/")
	if imported == module {
		target = "."
	}
	floor, known := floors()[target]
	switch {
	case !known:
		return "which has no floor"
	case own == anywhere:
		return ""
	case floor == anywhere:
		return "which is for tests"
	case floor == own:
		return fmt.Sprintf("which is beside it on floor %d", own)
	case floor > own:
		return fmt.Sprintf("which is above it: floor %d from floor %d", floor, own)
	}
	return ""
}
