package cli

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quire-dev/quire/internal/manual"
)

// documented lists the commands below c, and c itself, in the order of help.
func documented(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, h := range headings(c) {
		for _, sub := range h.commands {
			all = append(all, documented(sub)...)
		}
	}
	return all
}

// commandPages makes a page of each command and topic.
func commandPages(root *cobra.Command) (pages []manual.Page) {
	for _, c := range documented(root) {
		p := manual.Page{Name: pageName(c), Section: 1, Short: c.Short}
		text, exits := exitsApart(longOf(c))
		p.Parts = append(p.Parts, manual.Part{Title: "Synopsis", Code: "  " + useLine(c)}, manual.Part{Title: "Description", Text: text})
		for _, h := range headings(c) {
			part := manual.Part{Title: "Commands"}
			if h.title != part.Title {
				part.Title += ": " + h.title
			}
			for _, sub := range h.commands {
				part.Terms = append(part.Terms, manual.Term{Name: pageName(sub) + "(1)", Text: sub.Short})
			}
			p.Parts = append(p.Parts, part)
		}
		if terms := flagTerms(ownFlags(c)); len(terms) > 0 {
			p.Parts = append(p.Parts, manual.Part{Title: "Options", Terms: terms})
		}
		if c.HasParent() {
			p.Parts = append(p.Parts, manual.Part{Title: "Options of every command", Text: globalNames(root) + "\n\nquire(1) tells of them."})
		}
		p.Parts = append(p.Parts, manual.Part{Title: "Exit status", Text: strings.TrimSpace(exits + "\n\nquire-exit-codes(7) tells of all codes.")})
		if c.Example != "" {
			p.Parts = append(p.Parts, manual.Part{Title: "Examples", Code: c.Example})
		}
		p.Parts = append(p.Parts, manual.Part{Title: "See also", Text: seeAlso(c)})
		pages = append(pages, p)
	}
	for _, c := range topicsOf(root) {
		pages = append(pages, manual.Page{Name: pageName(c), Section: 7, Short: c.Short, Parts: []manual.Part{
			{Title: "Description", Text: longOf(c)}, {Title: "See also", Text: "quire(1), quire.yaml(5)"},
		}})
	}
	return pages
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// exitsApart takes the paragraph on exit codes, if there is one, out of a text.
func exitsApart(long string) (text, exits string) {
	var rest []string
	for part := range strings.SplitSeq(long, "\n\n") {
		if strings.HasPrefix(part, "Exit code") {
			exits = part
			continue
		}
		rest = append(rest, part)
	}
	return strings.Join(rest, "\n\n"), exits
}

// flagTerms tells of flags, with their defaults and variables.
func flagTerms(flags *pflag.FlagSet) (terms []manual.Term) {
	flags.VisitAll(func(f *pflag.Flag) {
		_, text := pflag.UnquoteUsage(f)
		terms = append(terms, manual.Term{Name: flagName(f), Text: text, Facts: []manual.Fact{
			{Label: "default", Value: defaultOf(f), Code: true},
			{Label: "environment", Value: flagVariable(f.Name), Code: true},
		}})
	})
	return terms
}

// flagVariable is the variable that does what a flag does, if there is one.
func flagVariable(flag string) string {
	if name := envName(strings.ReplaceAll(flag, "-", "_")); slices.Contains(globalVariables(), name) {
		return name
	}
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		if k.flag == flag {
			return envName(k.path)
		}
	}
	return ""
}

func globalNames(root *cobra.Command) string {
	var names []string
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { names = append(names, "`"+flagName(f)+"`") })
	return strings.Join(append(names, "`--help`"), ", ") + "."
}

// seeAlso names the pages around that of c.
func seeAlso(c *cobra.Command) string {
	var names []string
	if c.HasParent() {
		names = append(names, pageName(c.Parent())+"(1)")
		for _, h := range headings(c.Parent()) {
			for _, beside := range h.commands {
				if beside != c && c.Parent().HasParent() {
					names = append(names, pageName(beside)+"(1)")
				}
			}
		}
	}
	names = append(names, "quire.yaml(5)")
	for _, topic := range topicsOf(c.Root()) {
		names = append(names, pageName(topic)+"(7)")
	}
	return strings.Join(names, ", ")
}

// commandReference is the document on all commands.
func commandReference(root *cobra.Command) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, generated("# Commands"), "\n", "What `quire COMMAND --help` and the man pages tell too. "+
		"Settings that have no flag are in [config.md](config.md).\n\n")
	all := documented(root)
	for _, c := range all {
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", c.CommandPath(), pageName(c), c.Short)
	}
	for _, c := range topicsOf(root) {
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", c.Name(), c.Name(), c.Short)
	}
	for _, c := range all {
		b.WriteString("\n")
		b.Write(commandChapter(c).Markdown(2))
	}
	for _, c := range topicsOf(root) {
		b.WriteString("\n")
		b.Write(manual.Page{Name: c.Name(), Short: c.Short, Parts: []manual.Part{{Text: longOf(c)}}}.Markdown(2))
	}
	return b.Bytes()
}

// commandChapter is the part of the document on one command.
func commandChapter(c *cobra.Command) manual.Page {
	p := manual.Page{Name: c.CommandPath(), Short: c.Short}
	text := longOf(c)
	if c.Long == "" {
		text = "" // the short one is there already
	}
	text, exits := exitsApart(text)
	p.Parts = append(p.Parts, manual.Part{Code: "  " + useLine(c)}, manual.Part{Text: text})
	what := "flag"
	if !c.HasParent() {
		what = "flag of every command"
	}
	p.Parts = append(p.Parts, manual.Part{What: what, Terms: flagTerms(ownFlags(c))})
	if exits != "" {
		p.Parts = append(p.Parts, manual.Part{Text: exits})
	}
	if c.Example != "" {
		p.Parts = append(p.Parts, manual.Part{Text: "Examples:", Code: c.Example})
	}
	return p
}

// generated heads a document that nobody should edit.
func generated(title string) string {
	return "<!-- Made by `make docs` (quire generate reference) from the program. Do not edit. -->\n" + title + "\n"
}
