package verdict

import (
	"bytes"
	"encoding/hex"
	"unicode/utf16"
)

// maxCodes is how many codes of one font are read; the map of a large font for
// Chinese has some thousands, of which a page shows a few hundred.
const maxCodes = 4096

// codes says what the codes of a font mean: its ToUnicode map (ISO 32000-1, 9.10.3).
type codes struct {
	wide bool // two bytes each
	text map[uint16]string
}

// readCodes reads a ToUnicode map, as far as it is one.
func readCodes(b []byte) *codes {
	if !bytes.Contains(b, []byte("begincmap")) {
		return nil
	}
	c := &codes{text: make(map[uint16]string)}
	if _, after, found := bytes.Cut(b, []byte("begincodespacerange")); found {
		low, _ := hexString(after)
		c.wide = len(low) == 2
	}
	for rest := b; ; {
		at := bytes.Index(rest, []byte("beginbf"))
		if at < 0 {
			return c
		}
		rest = rest[at+len("beginbf"):]
		part, after, found := bytes.Cut(rest, []byte("endbf"))
		if !found {
			part = rest
		}
		if bytes.HasPrefix(part, []byte("char")) {
			c.chars(part)
		} else {
			c.ranges(part)
		}
		rest = after
	}
}

func (c *codes) chars(b []byte) {
	for len(c.text) < maxCodes {
		var code, to []byte
		if code, b = hexString(b); code == nil {
			return
		}
		if to, b = hexString(b); to == nil {
			return
		}
		c.text[number16(code)] = utf16Text(to)
	}
}

func (c *codes) ranges(b []byte) {
	for len(c.text) < maxCodes {
		var low, high, to []byte
		if low, b = hexString(b); low == nil {
			return
		}
		if high, b = hexString(b); high == nil {
			return
		}
		from, last := int(number16(low)), int(number16(high))
		rest := skipSpace(b)
		if len(rest) > 0 && rest[0] == '[' { // each of its own
			list, after, _ := bytes.Cut(rest, []byte("]"))
			for code := from; code <= last && len(c.text) < maxCodes; code++ {
				if to, list = hexString(list); to == nil {
					break
				}
				c.text[uint16(code)] = utf16Text(to) //nolint:gosec // at most last, of 16 bits
			}
			b = after
			continue
		}
		if to, b = hexString(b); len(to) < 2 {
			return
		}
		for code := from; code <= last && len(c.text) < maxCodes; code++ {
			c.text[uint16(code)] = utf16Text(to) //nolint:gosec // at most last, of 16 bits
			to[len(to)-1]++                      // the last byte alone counts on, by the standard
		}
	}
}

// hexString reads the next <…>, of at most 64 digits.
func hexString(b []byte) (value, rest []byte) {
	_, b, found := bytes.Cut(b, []byte("<"))
	if !found {
		return nil, nil
	}
	end := bytes.IndexByte(b[:min(len(b), 65)], '>')
	if end < 0 {
		return nil, nil
	}
	value = make([]byte, end/2)
	if _, err := hex.Decode(value, b[:end/2*2]); err != nil {
		return nil, nil
	}
	return value, b[end+1:]
}

func number16(b []byte) (n uint16) {
	for _, c := range b {
		n = n<<8 | uint16(c)
	}
	return n
}

func utf16Text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}

// codesOf returns what the codes of a font mean, by the name that pages use, or nil.
// Names are taken to mean the same font throughout: of several the first counts.
func (l *glimpse) codesOf(font string) *codes {
	if c, known := l.codes[font]; known || font == "" {
		return c
	}
	if len(l.codes) == maxFonts {
		return nil
	}
	var c *codes
	l.find(font, func(after []byte) bool {
		object, rest, ok := number(skipSpace(after))
		if _, _, more := number(skipSpace(rest)); !ok || !more {
			return false
		}
		c = l.codesAt(l.codesObject(object))
		return true
	})
	l.codes[font] = c
	return c
}

// codesObject returns the number of the stream that explains a font, or 0.
func (l *glimpse) codesObject(font int64) int64 {
	if _, after, found := bytes.Cut(l.objects[font], []byte("/ToUnicode")); found {
		n, _, _ := number(skipSpace(after))
		return n
	}
	for _, f := range l.g.fonts[:l.g.nfonts] {
		if f.object == font {
			return f.codes
		}
	}
	return 0
}

func (l *glimpse) codesAt(object int64) *codes {
	if object == 0 {
		return nil
	}
	for _, kind := range []pieceKind{smallPiece, contentPiece} {
		for _, p := range l.g.pieces[kind] {
			if p.object == object {
				return readCodes(l.bytesOf(p))
			}
		}
	}
	return nil
}
