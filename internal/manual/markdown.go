package manual

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown returns the page as a chapter of a document: its title and those of its
// parts are headings from the level given. Without a name it is only its parts.
func (p Page) Markdown(level int) []byte {
	var b strings.Builder
	if p.Name != "" {
		fmt.Fprintf(&b, "%s %s\n", strings.Repeat("#", level), p.Name)
	}
	if p.Short != "" {
		fmt.Fprintf(&b, "\n%s.\n", marked(p.Short))
	}
	for _, part := range p.Parts {
		if part.Title != "" {
			fmt.Fprintf(&b, "\n%s %s\n", strings.Repeat("#", level+1), marked(part.Title))
		}
		for _, bl := range blocks(part.Text) {
			if bl.code {
				fenced(&b, bl.text)
				continue
			}
			fmt.Fprintf(&b, "\n%s\n", marked(bl.text))
		}
		if part.Code != "" {
			fenced(&b, dedent(part.Code))
		}
		part.table(&b)
	}
	return []byte(b.String())
}

func fenced(b *strings.Builder, text string) { fmt.Fprintf(b, "\n```text\n%s\n```\n", text) }

// table writes the terms, a row each, with a column for each kind of fact that any
// of them has.
func (p Part) table(b *strings.Builder) {
	var labels []string
	for _, t := range p.Terms {
		for _, f := range t.Facts {
			if f.Value != "" && !slices.Contains(labels, f.Label) {
				labels = append(labels, f.Label)
			}
		}
	}
	if len(p.Terms) == 0 {
		return
	}
	slices.SortStableFunc(labels, func(x, y string) int { return p.order(x) - p.order(y) })
	row := func(cells ...string) { fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | ")) }
	b.WriteString("\n")
	row(slices.Concat([]string{p.What, "what it is"}, labels)...)
	row(slices.Repeat([]string{"---"}, len(labels)+2)...)
	for _, t := range p.Terms {
		cells := []string{code(t.Name), cell(marked(t.Text))}
		for _, label := range labels {
			cells = append(cells, t.fact(label))
		}
		row(cells...)
	}
}

// order is where facts of a label stand among those of a term.
func (p Part) order(label string) int {
	for _, t := range p.Terms {
		if i := slices.IndexFunc(t.Facts, func(f Fact) bool { return f.Label == label }); i >= 0 {
			return i
		}
	}
	return 0
}

func (t Term) fact(label string) string {
	i := slices.IndexFunc(t.Facts, func(f Fact) bool { return f.Label == label })
	switch {
	case i < 0 || t.Facts[i].Value == "":
		return ""
	case t.Facts[i].Code:
		return code(t.Facts[i].Value)
	}
	return cell(marked(t.Facts[i].Value))
}

// code is text as it is typed, in a cell of a table.
func code(text string) string { return cell("`" + text + "`") }

// cell is Markdown that is to stand in a table. The bars must be escaped even in
// code (https://github.github.com/gfm/#tables-extension-).
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// marked is text to be read, with what Markdown would take for a sign of its own
// escaped. What stands between backquotes is code there too.
func marked(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			b.WriteString("`" + part + "`")
			continue
		}
		b.WriteString(strings.NewReplacer(`\`, `\\`, "*", `\*`, "<", "&lt;", "[", `\[`).Replace(part))
	}
	return b.String()
}
