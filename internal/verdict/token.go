package verdict

import "bytes"

// isSpace reports whether c is white space in PDF (ISO 32000-1, table 1).
func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

// isRegular reports whether c may continue a name (ISO 32000-1, 7.2.2).
func isRegular(c byte) bool {
	return !isSpace(c) && bytes.IndexByte([]byte("()<>[]{}/%"), c) < 0
}

// cutName returns what follows name at the start of b, if the name ends there.
func cutName(b []byte, name string) ([]byte, bool) {
	if len(b) < len(name) || string(b[:len(name)]) != name {
		return nil, false
	}
	rest := b[len(name):]
	return rest, len(rest) == 0 || !isRegular(rest[0])
}

func isName(b []byte, name string) bool {
	_, ok := cutName(b, name)
	return ok
}

// skipSpace skips a little white space. Files that put more between two tokens
// are not met.
func skipSpace(b []byte) []byte {
	for i := 0; i < len(b) && i < 32; i++ {
		if !isSpace(b[i]) {
			return b[i:]
		}
	}
	return nil
}

// number reads the decimal number at the start of b, of at most 18 digits so
// that it cannot overflow.
func number(b []byte) (n int64, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && i < 18 && '0' <= b[i] && b[i] <= '9'; i++ {
		n = n*10 + int64(b[i]-'0')
	}
	return n, b[i:], i > 0
}

// objectStart returns where the last "12 0 obj" in b begins, or -1.
func objectStart(b []byte) int {
	i := bytes.LastIndex(b, []byte(" obj"))
	if i < 0 {
		return -1
	}
	digits := func() {
		for i > 0 && '0' <= b[i-1] && b[i-1] <= '9' {
			i--
		}
	}
	digits()
	for i > 0 && isSpace(b[i-1]) {
		i--
	}
	digits()
	return i
}

// linearizedLength returns the file length that a linearisation dictionary
// states under /L (ISO 32000-1, annex F), or 0. b begins inside it.
func linearizedLength(b []byte) int64 {
	b = b[:min(len(b), ahead)]
	if end := bytes.Index(b, []byte(">>")); end >= 0 {
		b = b[:end]
	}
	for {
		i := bytes.Index(b, []byte("/L"))
		if i < 0 {
			return 0
		}
		if rest, ok := cutName(b[i:], "/L"); ok {
			n, _, _ := number(skipSpace(rest))
			return n
		}
		b = b[i+2:]
	}
}
