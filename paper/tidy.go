package paper

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tidy takes off what copying leaves: spaces of all kinds around the text,
// invisible characters, quotes and brackets.
func tidy(text string) (string, error) {
	if plain := strings.Trim(text, " \t"); isVisible(plain) {
		return unwrap(plain), nil
	}
	if !utf8.ValidString(text) {
		return "", bad("%.60q is not UTF-8", text)
	}
	return unwrap(strings.Map(func(r rune) rune {
		switch {
		case '\u200b' <= r && r <= '\u200f', r == '\u2060', r == '\ufeff', r == '\u00ad':
			return -1
		case r > 0x7f && unicode.IsSpace(r):
			return ' '
		}
		return r
	}, text)), nil
}

func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// unwrap takes off the quotes and brackets that an identifier stands in, since
// none begins with one.
func unwrap(text string) string {
	for {
		text = strings.TrimSpace(text)
		r, size := utf8.DecodeRuneInString(text)
		closer, ok := closers(r)
		if !ok {
			return text
		}
		open := text[:size]
		text = text[size:]
		end := strings.TrimRight(text, ".,;: ")
		if strings.HasSuffix(end, closer) &&
			(open == closer || strings.Count(end, closer) > strings.Count(end, open)) {
			text = strings.TrimSuffix(end, closer)
		}
	}
}

func closers(opener rune) (string, bool) {
	switch opener {
	case '"', '\'':
		return string(opener), true
	case '(':
		return ")", true
	case '[':
		return "]", true
	case '{':
		return "}", true
	case '<':
		return ">", true
	case '“':
		return "”", true
	case '‘':
		return "’", true
	case '«':
		return "»", true
	}
	return "", false
}
