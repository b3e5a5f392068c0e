package paper

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// maxName is how many bytes a name of a path has at most. File systems take 255;
// the rest is room for an extension.
const maxName = 200

// Path returns where the artifact is found in a tree that people read: a
// slash-separated relative path of two names, without extension. A DOI is found
// at its prefix and suffix, 10.1371/journal.pone.0000001, other identifiers at
// their kind, arxiv/2101.00001, and URLs at the SHA-256 of the URL. Formats other
// than PDF are beside it, with "~" and the format behind the name.
//
// Different identifiers have different paths, also where case does not count,
// and every path is safe on every file system: bytes other than a-z, 0-9, "-",
// "_" and inner dots are percent-encoded, so are the first letters of names that
// Windows reserves. Decoding gives the identifier back, except where a name
// would be longer than 200 bytes: such a name is cut and ends in "~" and a hash.
func (a Artifact) Path() string {
	format, work := cutFormat(a.ID)
	if format == "" {
		return pathOf(work)
	}
	return pathOf(work) + "~" + string(format)
}

func pathOf(work string) string {
	kind, id, _ := strings.Cut(work, ":")
	switch kind {
	case "doi":
		prefix, suffix, _ := strings.Cut(id, "/")
		if strings.HasPrefix(prefix, "10.") && suffix != "" {
			return fileName(prefix) + "/" + fileName(suffix)
		}
	case "arxiv", "pmid":
		if id != "" {
			return kind + "/" + fileName(id)
		}
	case "pmcid":
		if n, ok := strings.CutPrefix(id, "PMC"); ok && isDigits(n) {
			return "pmcid/PMC" + fileName(n)
		}
	case "openalex":
		if n, ok := strings.CutPrefix(id, "W"); ok && isDigits(n) {
			return "openalex/W" + fileName(n)
		}
	case "url":
		return "url/" + hash(id)
	}
	return "other/" + hash(work) // no identifier that ParseID gives
}

func fileName(id string) string {
	var b strings.Builder
	first := len(id)
	if isReserved(id) {
		first = 0
	}
	for i, c := range []byte(id) {
		plain := 'a' <= c && c <= 'z' || isDigit(c) || c == '-' || c == '_' ||
			c == '.' && i > 0 && i < len(id)-1
		if plain && i != first {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	name := b.String()
	if len(name) <= maxName {
		return name
	}
	const hashLen = 32 // hex digits: 128 bits
	return name[:maxName-hashLen-1] + "~" + hash(id)[:hashLen]
}

// isReserved reports whether Windows takes a file of this name, whatever its
// extension, for a device.
func isReserved(id string) bool {
	stem, _, _ := strings.Cut(id, ".")
	switch stem {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(stem) == 4 && (stem[:3] == "com" || stem[:3] == "lpt") && isDigit(stem[3])
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
