package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire/internal/intake"
)

// TestHelp reads the help of every command as somebody with a narrow terminal does.
func TestHelp(t *testing.T) {
	eachCommand(newRoot(&app{}), func(c *cobra.Command) {
		var text bytes.Buffer
		writeHelp(&text, c)
		for line := range strings.Lines(text.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > helpColumns {
				t.Errorf("%s: %d columns: %s", c.CommandPath(), n, line)
			}
		}
		if strings.HasSuffix(c.Short, ".") || c.Short == "" {
			t.Errorf("%s: its short text is %q; it must be half a line without a full stop", c.CommandPath(), c.Short)
		}
		plain := c.HasSubCommands() || c.IsAdditionalHelpTopicCommand() || strings.HasPrefix(c.CommandPath(), "quire completion")
		if c.Example == "" && !plain {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			if !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: a line of its examples is not indented: %s", c.CommandPath(), line)
			}
		}
	})
}

// TestHelp_groups sees to it that every command has its place, and that what is
// said of a few words is said of all.
func TestHelp_groups(t *testing.T) {
	root := newRoot(&app{})
	eachCommand(root, func(c *cobra.Command) {
		for _, h := range headings(c) {
			if h.title == "Other commands" {
				t.Errorf("%s: %s is in no group", c.CommandPath(), h.commands[0].Name())
			}
		}
	})
	for _, name := range intake.Formats() {
		if !strings.Contains(topicFormats, "\n  "+name+" ") {
			t.Errorf("quire help formats has no line for %s", name)
		}
	}
	for _, name := range append(globalVariables(), envName("contact")) {
		if !strings.Contains(topicEnvironment, "\n  "+name+" ") {
			t.Errorf("quire help environment has no line for %s", name)
		}
	}
}
