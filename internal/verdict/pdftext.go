package verdict

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxShown  = 64 << 10 // of text of a file
	maxString = 4 << 10  // of one string
	maxNested = 32       // parentheses within a string
	wordGap   = 180      // thousandths of the font's size: a wider gap is a space between words
)

// shown reads the text that pages show, without laying it out: what stands in the
// strings of their contents, in that order.
type shown struct {
	l    *glimpse
	text strings.Builder
	font string // in use
	name string // the last one that was met
}

// contents adds the text of a content stream. It is total: what is none gives
// nothing, or noise.
func (t *shown) contents(b []byte) {
	for len(b) > 0 && t.text.Len() < maxShown {
		switch c := b[0]; {
		case c == '(':
			var value []byte
			value, b = literal(b)
			t.show(value)
		case c == '<' && len(b) > 1 && b[1] != '<':
			var value []byte
			value, b = hexDigits(b[1:])
			t.show(value)
		case c == '/':
			n := 1
			for n < len(b) && isRegular(b[n]) {
				n++
			}
			t.name, b = string(b[:min(n, 64)]), b[n:]
		case c == '-' || '0' <= c && c <= '9':
			if gap, _, ok := number(b[1:]); ok && c == '-' && gap > wordGap {
				t.text.WriteByte(' ')
			}
			b = word(b)
		case isRegular(c):
			rest := word(b)
			b = t.operator(string(b[:min(len(b)-len(rest), 8)]), rest)
		default:
			b = b[1:]
		}
	}
}

func word(b []byte) (rest []byte) {
	n := 1
	for n < len(b) && isRegular(b[n]) {
		n++
	}
	return b[n:]
}

// operator follows those that change the font, begin a line, or hold an image.
func (t *shown) operator(op string, rest []byte) []byte {
	switch op {
	case "Tf":
		t.font = t.name
	case "Td", "TD", "T*", "Tm", "ET", "'", "\"":
		t.text.WriteByte(' ')
	case "ID":
		if _, after, found := bytes.Cut(rest, []byte("EI")); found {
			return after
		}
		return nil
	}
	return rest
}

// show adds a string in the font in use. Codes of which nothing is known are taken
// for Latin letters.
func (t *shown) show(s []byte) {
	c := t.l.codesOf(t.font)
	switch {
	case c == nil:
		for _, b := range s {
			t.text.WriteRune(rune(b))
		}
	case c.wide:
		for i := 0; i+1 < len(s) && t.text.Len() < maxShown; i += 2 {
			t.text.WriteString(c.text[uint16(s[i])<<8|uint16(s[i+1])])
		}
	default:
		for _, b := range s {
			if t.text.Len() > maxShown {
				return
			}
			if to, known := c.text[uint16(b)]; known {
				t.text.WriteString(to)
			} else {
				t.text.WriteRune(rune(b))
			}
		}
	}
}

// literal reads a string in parentheses at the beginning of b (ISO 32000-1, 7.3.4.2).
func literal(b []byte) (value, rest []byte) {
	depth := 0
	for i := 0; i < len(b) && len(value) < maxString; i++ {
		c := b[i]
		switch c {
		case '(':
			if depth++; depth == 1 {
				continue
			}
			if depth > maxNested {
				return value, b[i:]
			}
		case ')':
			if depth--; depth == 0 {
				return value, b[i+1:]
			}
		case '\\':
			var n int
			c, n = escaped(b[i+1:])
			if i += n; c == 0 && n > 0 && b[i] != '0' {
				continue // a line that goes on
			}
		}
		value = append(value, c)
	}
	return value, b[min(len(b), maxString):]
}

// escaped reads what follows a backslash, and says how long it is.
func escaped(b []byte) (c byte, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	if i := bytes.IndexByte([]byte("nrtbf\n\r"), b[0]); i >= 0 {
		return "\n\r\t\b\f\x00\x00"[i], 1
	}
	for n < 3 && n < len(b) && '0' <= b[n] && b[n] <= '7' {
		c = c<<3 | (b[n] - '0')
		n++
	}
	if n == 0 {
		return b[0], 1
	}
	return c, n
}

// hexDigits reads a string of hexadecimal digits up to its >.
func hexDigits(b []byte) (value, rest []byte) {
	half := -1
	for i, c := range b {
		d := bytes.IndexByte([]byte("0123456789abcdef"), c|0x20)
		switch {
		case c == '>':
			if half >= 0 {
				value = append(value, byte(half<<4)) //nolint:gosec // below 256
			}
			return value, b[i+1:]
		case isSpace(c):
		case d < 0 || len(value) == maxString:
			return value, b[i+1:]
		case half < 0:
			half = d
		default:
			value, half = append(value, byte(half<<4|d)), -1 //nolint:gosec // below 256
		}
	}
	return value, nil
}

// textString decodes a string outside of contents: UTF-16 or UTF-8 with its mark,
// or Latin letters (ISO 32000-2, 7.9.2.2).
func textString(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return utf16Text(b[2:])
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		units := make([]uint16, len(b[2:])/2)
		for i := range units {
			units[i] = uint16(b[2*i+2]) | uint16(b[2*i+3])<<8
		}
		return string(utf16.Decode(units))
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) && utf8.Valid(b):
		return string(b[3:])
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}
