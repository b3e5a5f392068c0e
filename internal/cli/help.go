package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quire-dev/quire/internal/manual"
)

// helpColumns is how wide help is: that of the narrowest terminal in common use.
const helpColumns = 80

// group is a heading of the help of a command that has others, and what is below it.
type group struct{ title, commands string }

// groupsOf returns the groups of a command's subcommands. What is in none is told
// under a last heading.
func groupsOf(path string) []group {
	switch path {
	case "quire":
		return []group{
			{"Get works", "get plan demo"},
			{"Queue", "queue serve"},
			{"Look", "explain report export verify limits sources"},
			{"Set up", "init config doctor bench completion generate version"},
		}
	case "quire queue":
		return []group{
			{"Fill", "enqueue import"},
			{"Run", "run"},
			{"Look", "stats list show"},
			{"Control", "pause resume cancel retry-failed prune"},
		}
	}
	return nil
}

// heading is a group with the commands it has.
type heading struct {
	title    string
	commands []*cobra.Command
}

// headings lists what is below c in the order in which it is told.
func headings(c *cobra.Command) (all []heading) {
	left := slices.DeleteFunc(slices.Clone(c.Commands()), func(sub *cobra.Command) bool { return !sub.IsAvailableCommand() })
	groups := groupsOf(c.CommandPath())
	for _, g := range groups {
		h := heading{title: g.title}
		for name := range strings.FieldsSeq(g.commands) {
			if i := slices.IndexFunc(left, func(sub *cobra.Command) bool { return sub.Name() == name }); i >= 0 {
				h.commands = append(h.commands, left[i])
				left = slices.Delete(left, i, i+1)
			}
		}
		if len(h.commands) > 0 {
			all = append(all, h)
		}
	}
	title := "Commands"
	if len(groups) > 0 {
		title = "Other commands"
	}
	if len(left) > 0 {
		all = append(all, heading{title, left})
	}
	return all
}

// topicsOf lists what help has beside the commands.
func topicsOf(root *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(root.Commands()), func(c *cobra.Command) bool { return !c.IsAdditionalHelpTopicCommand() })
}

// writeHelp writes the help of a command or topic.
func writeHelp(w io.Writer, c *cobra.Command) {
	fmt.Fprintf(w, "%s\n", manual.Plain(longOf(c), helpColumns))
	if c.IsAdditionalHelpTopicCommand() {
		return
	}
	fmt.Fprintf(w, "\nUsage:\n  %s\n", useLine(c))
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	wide := 0
	for _, sub := range c.Commands() {
		wide = max(wide, len(sub.Name()))
	}
	for _, h := range headings(c) {
		writeEntries(w, h.title, helpColumns, commandEntries(h.commands, wide))
	}
	if !c.HasParent() {
		writeEntries(w, "Help topics", helpColumns, commandEntries(topicsOf(c), wide))
	}
	writeEntries(w, "Flags", 24, flagEntries(ownFlags(c)))
	if c.HasParent() {
		writeGlobals(w, c.Root())
	}
	orTopic := ""
	if !c.HasParent() {
		orTopic = " or topic"
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nMore on a command%s: %s\n", orTopic, strings.Replace(c.CommandPath(), "quire", "quire help", 1)+" COMMAND")
	}
}

// longOf is what is said of a command beside its usage.
func longOf(c *cobra.Command) string {
	if c.Long == "" {
		return c.Short + "."
	}
	return strings.TrimSpace(c.Long)
}

// useLine tells how a command is called.
func useLine(c *cobra.Command) string {
	switch line := c.UseLine(); {
	case c.HasAvailableSubCommands():
		return c.CommandPath() + " COMMAND [flags]"
	case strings.HasSuffix(line, " [flags]"):
		return line
	default:
		return line + " [flags]"
	}
}

// entry is a line of help: a name, and what is said of it.
type entry struct{ name, text string }

// writeEntries writes entries under a title, all texts from one column on that is
// not further right than most.
func writeEntries(w io.Writer, title string, most int, entries []entry) {
	if len(entries) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	wide := 0
	for _, e := range entries {
		if len(e.name) <= most {
			wide = max(wide, len(e.name))
		}
	}
	for _, e := range entries {
		lines := manual.Wrap(e.text, helpColumns-wide-4)
		if len(e.name) > wide { // on a line of its own
			fmt.Fprintf(w, "  %s\n", e.name)
			e.name = ""
		}
		for _, line := range lines {
			fmt.Fprintf(w, "  %-*s  %s\n", wide, e.name, line)
			e.name = ""
		}
	}
}

// commandEntries tells of commands; their column is the same in all groups of a page.
func commandEntries(commands []*cobra.Command, wide int) (all []entry) {
	for _, c := range commands {
		all = append(all, entry{fmt.Sprintf("%-*s", wide, c.Name()), c.Short})
	}
	return all
}

// flagEntries tells of flags in full.
func flagEntries(flags *pflag.FlagSet) (all []entry) {
	flags.VisitAll(func(f *pflag.Flag) {
		_, text := pflag.UnquoteUsage(f)
		if value := defaultOf(f); value != "" {
			text += " (default " + value + ")"
		}
		all = append(all, entry{flagName(f), text})
	})
	return all
}

// defaultOf is the default of a flag, if it is worth telling.
func defaultOf(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "0s", "[]", "false":
		return ""
	}
	if d, err := time.ParseDuration(f.DefValue); err == nil {
		return duration(d).String()
	}
	return printable(f.DefValue) // it may be from the environment
}

// ownFlags are the flags that are told in full: those of the root at the root, and
// elsewhere all but those.
func ownFlags(c *cobra.Command) *pflag.FlagSet {
	own := pflag.NewFlagSet(c.Name(), pflag.ContinueOnError)
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != "version" {
			own.AddFlag(f)
		}
	})
	return own
}

// writeGlobals names the flags that every command has, and where to read of them.
func writeGlobals(w io.Writer, root *cobra.Command) {
	fmt.Fprint(w, "\nFlags of every command (quire --help tells of them):\n")
	line := " "
	add := func(text string) {
		if len(line)+1+len(text) > helpColumns {
			fmt.Fprintln(w, line)
			line = " "
		}
		line += " " + text
	}
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { add(flagName(f)) })
	add("--help")
	fmt.Fprintln(w, line)
}

// flagName is a flag with the name of its value.
func flagName(f *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(f)
	return strings.TrimSpace("--" + f.Name + " " + value)
}
