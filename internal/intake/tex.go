package intake

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A line end within a field, and a link with a text of its own.
var (
	texBreak = regexp.MustCompile(`\s*\n\s*`)
	texLink  = regexp.MustCompile(`\\href\s*\{([^{}]*)\}\s*\{[^{}]*\}`)
)

// texID undoes what LaTeX asks for in an identifier.
//
//nolint:gochecknoglobals // a table, never written
var texID = strings.NewReplacer(
	`\url`, ``, `\path`, ``, `\nolinkurl`, ``, `\textunderscore`, `_`, `\textless`, `<`, `\textgreater`, `>`,
	`\textasciitilde`, `~`, `\string`, ``, `$<$`, `<`, `$>$`, `>`, `$\sim$`, `~`,
	`\_`, `_`, `\&`, `&`, `\%`, `%`, `\#`, `#`, `\$`, `$`, `\~`, `~`, `\-`, ``, `\/`, ``,
	`{`, ``, `}`, ``,
)

// plainID returns the text of a field with identifiers as they were before
// LaTeX.
func plainID(text string) string {
	if strings.Contains(text, `\href`) {
		text = texLink.ReplaceAllString(text, " $1 ")
	}
	if strings.Contains(text, "\n") {
		text = texBreak.ReplaceAllString(text, " ")
	}
	return strings.TrimSpace(texID.Replace(text))
}

// plainTitle returns a title without LaTeX: accents become letters, commands that
// only change the looks go, others leave their name or their argument.
func plainTitle(text string) string {
	if !strings.ContainsAny(text, "\\{}$~-`'") {
		return text
	}
	var b strings.Builder
	for text != "" {
		n := strings.IndexAny(text, "\\{}$~-`'")
		if n < 0 {
			n = len(text)
		}
		b.WriteString(text[:n])
		if text = text[n:]; text == "" {
			break
		}
		text = plainMark(&b, text)
	}
	return norm.NFC.String(b.String())
}

// plainMark writes what the special character at the beginning of text stands
// for and returns what follows.
func plainMark(b *strings.Builder, text string) string {
	for _, m := range [][2]string{{"---", "—"}, {"--", "–"}, {"``", "“"}, {"''", "”"}, {"`", "‘"}, {"{", ""}, {"}", ""}, {"$", ""}, {"~", " "}} {
		if rest, ok := strings.CutPrefix(text, m[0]); ok {
			b.WriteString(m[1])
			return rest
		}
	}
	if text[0] != '\\' {
		b.WriteByte(text[0])
		return text[1:]
	}
	return plainCommand(b, text[1:])
}

// plainCommand writes what a command stands for, whose backslash has been read.
func plainCommand(b *strings.Builder, text string) string {
	n := 0
	for n < len(text) && (text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z') {
		n++
	}
	if n == 0 {
		r, size := utf8.DecodeRuneInString(text)
		rest := text[size:]
		if mark := texAccent(text[:size]); mark != 0 {
			return accented(b, rest, mark)
		}
		if r != '-' && r != '/' && size > 0 {
			b.WriteString(text[:size])
		}
		return rest
	}
	name, rest := text[:n], strings.TrimLeft(text[n:], " \t\n")
	if mark := texAccent(name); mark != 0 {
		return accented(b, rest, mark)
	}
	if letter, ok := texLetter(name); ok {
		b.WriteString(letter)
		return rest
	}
	if !isLooks(name) {
		b.WriteString(name)
		if next, _ := utf8.DecodeRuneInString(rest); unicode.IsLetter(next) || unicode.IsDigit(next) {
			b.WriteByte(' ') // it ended the command's name
		}
	}
	return rest
}

// accented writes the letter that text begins with, in braces or not, and its
// accent.
func accented(b *strings.Builder, text string, mark rune) string {
	text = strings.TrimLeft(text, "{ ")
	letter, size := utf8.DecodeRuneInString(text)
	switch {
	case strings.HasPrefix(text, `\i`), strings.HasPrefix(text, `\j`):
		letter, size = rune(text[1]), 2
	case !unicode.IsLetter(letter):
		return text
	}
	b.WriteRune(letter)
	b.WriteRune(mark)
	return text[size:]
}

// texAccent returns the combining character of a command for an accent, or 0.
func texAccent(name string) rune {
	switch name {
	case "`":
		return '\u0300'
	case "'":
		return '\u0301'
	case "^":
		return '\u0302'
	case "~":
		return '\u0303'
	case "=":
		return '\u0304'
	case "u":
		return '\u0306'
	case ".":
		return '\u0307'
	case `"`:
		return '\u0308'
	case "r":
		return '\u030a'
	case "H":
		return '\u030b'
	case "v":
		return '\u030c'
	case "d":
		return '\u0323'
	case "c":
		return '\u0327'
	case "k":
		return '\u0328'
	}
	return 0
}

// texLetter returns the letter that a command stands for.
func texLetter(name string) (letter string, ok bool) {
	letter, ok = map[string]string{
		"ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ",
		"aa": "å", "AA": "Å", "i": "ı", "j": "ȷ", "dh": "ð", "th": "þ", "textless": "<", "textgreater": ">",
		"textendash": "–", "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "ldots": "…", "dots": "…",
		"textbackslash": `\`, "textbraceleft": "{", "textbraceright": "}", "textasciitilde": "~", "textasciicircum": "^", "textunderscore": "_",
	}[name]
	return letter, ok
}

// isLooks reports whether a command only changes how its argument looks.
func isLooks(name string) bool {
	switch name {
	case "textit", "textbf", "textsc", "textrm", "texttt", "textsf", "textsuperscript", "textsubscript", "emph", "it", "bf",
		"em", "rm", "sc", "mathrm", "mathbf", "mathit", "mathcal", "mathsf", "text", "mbox", "ensuremath", "url", "relax", "noopsort":
		return true
	}
	return false
}
