package manual

import (
	"strings"
	"unicode/utf8"
)

// Plain returns plain text with its paragraphs in lines of at most so many
// columns, as far as its words let it.
func Plain(text string, columns int) string {
	var parts []string
	for _, b := range blocks(text) {
		if b.code {
			b.text = "  " + strings.ReplaceAll(b.text, "\n", "\n  ")
			b.text = strings.ReplaceAll(b.text, "\n  \n", "\n\n")
		} else {
			b.text = strings.Join(Wrap(b.text, columns), "\n")
		}
		parts = append(parts, b.text)
	}
	return strings.Join(parts, "\n\n")
}

// Wrap breaks text into lines of at most so many columns, as far as its words let it.
func Wrap(text string, columns int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > columns {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
