package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteText shows the yield in aligned columns, for a terminal.
func (y Yield) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s\n%s\n", y.headline(), y.about())
	for _, s := range y.sections() {
		fmt.Fprintf(b, "\n%s\n", s.Title)
		WriteAligned(b, clipped(s.rows()))
	}
	WriteAdvice(b, y.Next)
	return b.Flush()
}

// WriteAdvice shows what to do next, for a terminal, if there is anything. Errors are
// w's to remember.
func WriteAdvice(w io.Writer, list []Advice) {
	if len(list) > 0 {
		fmt.Fprint(w, "\nWhat to do next\n")
	}
	for _, a := range shownAdvice(list) {
		fmt.Fprintf(w, "  %s\n", a.Text)
		if a.Command != nil {
			fmt.Fprintf(w, "      %s\n", *a.Command)
		}
	}
}

// rows are head, lines and sum of a section, in cells.
func (s section) rows() [][]string {
	rows := [][]string{s.columns()}
	for _, l := range s.lines() {
		rows = append(rows, s.cells(l))
	}
	return append(rows, s.cells(s.sum()))
}

// nameShown is how many characters of a name a terminal is shown, so that the
// numbers stay in sight.
const nameShown = 60

// clipped is rows with names that fit.
func clipped(rows [][]string) [][]string {
	for _, row := range rows {
		if name := []rune(row[0]); len(name) > nameShown {
			row[0] = string(name[:nameShown-1]) + "…"
		}
	}
	return rows
}

// WriteAligned writes rows in columns, the first to the left and the others, which
// are numbers, to the right, except those named as text. All rows are as long as the
// first. Errors are w's to remember.
func WriteAligned(w io.Writer, rows [][]string, text ...int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		fmt.Fprintf(&line, "  %-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			width := widths[i+1]
			if slices.Contains(text, i+1) {
				width = -width // to the left
			}
			fmt.Fprintf(&line, "  %*s", width, cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// WriteMarkdown shows the yield as Markdown with tables as GitHub's has them.
func (y Yield) WriteMarkdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Yield\n\n%s\n\n%s\n", y.headline(), codeSpan(y.about()))
	for _, s := range y.sections() {
		fmt.Fprintf(b, "\n## %s\n\n", s.Title)
		for i, row := range s.rows() {
			if i > 0 && i < s.table.shownRows()+1 {
				// A bar would end the cell even in code (GitHub Flavored Markdown 4.10).
				row[0] = strings.ReplaceAll(codeSpan(row[0]), "|", `\|`)
			}
			fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
			if i == 0 {
				fmt.Fprintf(b, "|---|%s\n", strings.Repeat("---:|", len(row)-1))
			}
		}
	}
	if len(y.Next) > 0 {
		fmt.Fprint(b, "\n## What to do next\n\n")
	}
	for _, a := range shownAdvice(y.Next) {
		fmt.Fprintf(b, "- %s", a.markdown())
		if a.Command != nil {
			fmt.Fprintf(b, " %s", codeSpan(*a.Command))
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}

// shownRows is how many rows have a name of their own.
func (t *Table) shownRows() int { return min(len(t.Rows), shown) }

// markdown is the text with the name from outside, if there is one, as code.
func (a Advice) markdown() string {
	text := a.Text
	for _, from := range []*string{a.Key, a.Class} {
		if from == nil {
			continue
		}
		if _, known := endingOf(*from); !known {
			text = strings.Replace(text, Printable(*from), codeSpan(Printable(*from)), 1)
		}
	}
	return text
}

// codeSpan is text as code: nothing in it is markup, or makes a link. It is fenced
// by one backtick more than it has in a row (CommonMark 6.1).
func codeSpan(text string) string {
	most, run := 0, 0
	for _, r := range text {
		if run++; r != '`' {
			run = 0
		}
		most = max(most, run)
	}
	fence := strings.Repeat("`", most+1)
	if most > 0 {
		text = " " + text + " "
	}
	return fence + text + fence
}
