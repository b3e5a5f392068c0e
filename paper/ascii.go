package paper

import (
	"errors"
	"fmt"
	"strings"
)

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// asciiLower folds the letters A to Z only. Folding others as Unicode does
// would make different identifiers equal.
func asciiLower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// hasFold reports whether s begins with prefix, which is in lower case.
func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// inPath reports whether a path may hold c as it is (RFC 3986 §3.3; brackets
// too, which net/url and servers take).
func inPath(c byte) bool { return isAlnum(c) || strings.IndexByte("-._~!$&'()*+,;=:@[]/", c) >= 0 }

// inQuery reports whether a query may hold c as it is: all that browsers leave
// alone (WHATWG URL §1.3).
func inQuery(c byte) bool { return ' ' < c && c < 0x7f && strings.IndexByte(`"<>#`, c) < 0 }

// escape percent-encodes the bytes of s that are not allowed and leaves those
// that are percent-encoded already.
func escape(s string, allowed func(byte) bool) (string, error) {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", fmt.Errorf("%.3q is not percent-encoding", s[i:])
			}
			if s[i+1:i+3] == "00" {
				return "", errors.New("%00 is a NUL byte")
			}
			b.WriteByte(c)
		case allowed(c):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), nil
}
