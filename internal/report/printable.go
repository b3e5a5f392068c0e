package report

import (
	"strconv"
	"strings"
	"unicode"
)

// Printable makes text from outside safe to show on a terminal and in a log:
// control characters, line ends and marks that change the direction of text are
// escaped as in Go source, everything else stays as it is.
func Printable(s string) string {
	plain := func(r rune) bool { return unicode.IsPrint(r) && r != unicode.ReplacementChar }
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if plain(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
