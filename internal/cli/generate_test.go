package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// TestReferences holds docs/reference against the program. QUIRE_TEST_UPDATE=1, or
// make docs, writes it anew.
func TestReferences(t *testing.T) {
	const dir = "../../docs/reference"
	for name, want := range references() {
		path := filepath.Join(dir, name)
		if os.Getenv("QUIRE_TEST_UPDATE") != "" {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
			t.Errorf("%s is not what the program says; make docs writes it anew (-program +file):\n%s", name, diff)
		}
	}
}

// TestReferences_complete looks for every command, flag and key.
func TestReferences_complete(t *testing.T) {
	commands, settings := string(references()["cli.md"]), string(references()["config.md"])
	root := pristine()
	eachCommand(root, func(c *cobra.Command) {
		hidden := c.Name() == "help" || c.IsAdditionalHelpTopicCommand()
		if !hidden && !strings.Contains(commands, "\n## "+c.CommandPath()+"\n") {
			t.Errorf("cli.md has no chapter on %s", c.CommandPath())
		}
	})
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		path := k.path
		if parts := strings.Split(path, "."); len(parts) == 3 && parts[0] == "resolvers" && slices.Contains(resolverNames(), parts[1]) {
			path = "resolvers.NAME." + parts[2]
			if !strings.Contains(settings, "`resolvers."+parts[1]+"`") {
				t.Errorf("config.md does not name the source %s", parts[1])
			}
		}
		if path == "limits" { // of single keys
			path = "limits.KEY.in_flight"
		}
		if !strings.Contains(settings, "| `"+path+"` |") {
			t.Errorf("config.md has no row for %s", path)
		}
		if k.flag != "" && k.flag != "contact" && flagVariable(k.flag) != envName(k.path) {
			t.Errorf("--%s sets %s but is said to have the variable %s", k.flag, k.path, flagVariable(k.flag))
		}
	}
}
