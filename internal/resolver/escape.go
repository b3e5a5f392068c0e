package resolver

import "strings"

// escape percent-encodes every byte of an identifier but RFC 3986's unreserved
// ones and those in keep.
func escape(id, keep string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(id) {
		if unreserved(c) || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// escapePath is for services whose path may hold the slashes of a DOI,
// escapeSegment for those that take it as one segment.
func escapePath(id string) string    { return escape(id, "/") }
func escapeSegment(id string) string { return escape(id, "") }

// escapeEmail is for an address in a query, where @ may stand for itself.
func escapeEmail(address string) string { return escape(address, "@") }

// phrase is a text in quotes, as the query languages that come from Lucene's read
// it: nothing in it but the backslash and the quote means anything.
func phrase(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
