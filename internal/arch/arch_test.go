package arch_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestModule(t *testing.T) {
	found, err := violations(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, violation := range found {
		t.Error(violation)
	}
}

func TestViolations(t *testing.T) {
	const module = "github.com/quire-dev/quire"
	tests := map[string]struct {
		file, source string
		want         []string
	}{
		"down": {"sqlite/a.go", `import "` + module + `/queue"`, nil},
		"up": {
			"queue/a.go", `import "` + module + `/sqlite"`,
			[]string{"queue/a.go: imports " + module + "/sqlite, which is above it: floor 1 from floor 0"},
		},
		"sideways": {
			"internal/fetch/a.go", `import _ "` + module + `/internal/schedule"`,
			[]string{"internal/fetch/a.go: imports " + module + "/internal/schedule, which is beside it on floor 2"},
		},
		"the root from below": {
			"orchestrator/a.go", `import "` + module + `"`,
			[]string{"orchestrator/a.go: imports " + module + ", which is above it: floor 4 from floor 3"},
		},
		"cobra at the edge":    {"internal/cli/a.go", `import "github.com/spf13/cobra"`, nil},
		"a package by its end": {"internal/cli/a.go", `import "github.com/spf13/cobra/doc"`, nil},
		"cobra elsewhere": {
			"cmd/quire/a.go", `import "github.com/spf13/cobra"`,
			[]string{"cmd/quire/a.go: imports github.com/spf13/cobra, which only internal/cli may"},
		},
		"test package in the program": {
			"sqlite/a.go", `import "` + module + `/internal/corpus"`,
			[]string{"sqlite/a.go: imports " + module + "/internal/corpus, which is for tests"},
		},
		"anything in a test": {"queue/a_test.go", `import "` + module + `/internal/cli"`, nil},
		"init":               {"paper/a.go", `func init() {}`, []string{"paper/a.go: has an init function"}},
		"a method init":      {"paper/a.go", `type t struct{}; func (t) init() {}`, nil},
		"unknown package":    {"helpers/a.go", ``, []string{"helpers: has no floor; give it one in internal/arch"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{tt.file: {Data: []byte("// Package p is documented.\npackage p\n" + tt.source)}}
			got, err := violations(tree)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	t.Run("no package comment", func(t *testing.T) {
		got, err := violations(fstest.MapFS{"queue/a.go": {Data: []byte("package queue")}})
		if diff := cmp.Diff([]string{"queue: has no package comment"}, got); diff != "" || err != nil {
			t.Errorf("%v: -want +got\n%s", err, diff)
		}
	})
}
