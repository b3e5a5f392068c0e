package paper

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parseDOI reads a DOI without label. What people and programs put around it is
// taken off; what would have to be guessed is an error.
func parseDOI(text string) (Artifact, error) {
	doi := text
	if len(doi) > maxID {
		return Artifact{}, bad("DOI has %d bytes, more than %d", len(doi), maxID)
	}
	prefix, suffix, found := strings.Cut(doi, "/")
	if strings.Contains(asciiLower(prefix), "%2f") { // copied out of a URL
		var err error
		if doi, err = url.PathUnescape(doi); err != nil {
			return Artifact{}, bad("DOI %.60q: %v", text, err)
		}
		prefix, suffix, found = strings.Cut(doi, "/")
	}
	if prefix == "10" {
		return Artifact{}, bad("%.60q is a short DOI: give the full one", text)
	}
	if !isDOIPrefix(prefix) {
		return Artifact{}, bad("%.60q is no DOI: it does not begin with 10., 4 to 9 digits and a slash", text)
	}
	suffix = strings.TrimLeft(suffix, "/") // a doubled slash is a known typing error
	if strings.Contains(suffix, `\`) {
		suffix = plainTeX.Replace(suffix)
	}
	suffix = trimTail(suffix)
	if !found || suffix == "" {
		return Artifact{}, bad("DOI %.60q has no suffix", text)
	}
	for _, r := range suffix {
		switch {
		case r == ' ':
			return Artifact{}, bad("DOI %.60q has a space in it", text)
		case r < ' ' || r == 0x7f || unicode.IsControl(r):
			return Artifact{}, bad("DOI %.60q has the control character %q in it", text, r)
		case r == '\\' || r > 0x7f:
			return Artifact{}, bad("DOI %.60q has the character %q in it", text, r)
		}
	}
	suffix = asciiLower(suffix)
	if arxiv, ok := strings.CutPrefix(suffix, "arxiv."); ok && prefix == arxivPrefix {
		if a, err := parseArXiv(arxiv); err == nil {
			return a, nil
		}
	}
	id := "doi:" + prefix + "/" + suffix
	if len(id) > maxID {
		return Artifact{}, bad("DOI has %d bytes, more than %d", len(id), maxID)
	}
	return Artifact{ID: id, IDs: IDs{DOI: id[len("doi:"):]}}, nil
}

// isDOIPrefix reports whether s is a registrant's prefix, which may have
// subdivisions: 10.1000 or 10.1000.10 (DOI Handbook §2.2.2).
func isDOIPrefix(s string) bool {
	rest, ok := strings.CutPrefix(s, "10.")
	if !ok {
		return false
	}
	registrant, rest, more := strings.Cut(rest, ".")
	if !isDigits(registrant) || len(registrant) < 4 || len(registrant) > 9 {
		return false
	}
	for more {
		var part string
		part, rest, more = strings.Cut(rest, ".")
		if !isDigits(part) {
			return false
		}
	}
	return true
}

// plainTeX undoes the escaping of BibTeX files.
//
//nolint:gochecknoglobals // a table, never written
var plainTeX = strings.NewReplacer(`\_`, `_`, `\%`, `%`, `\&`, `&`, `\#`, `#`, `\{`, `{`, `\}`, `}`)

// trimTail takes off the punctuation that follows a DOI in running text. Closing
// brackets stay if the DOI opens them, as in 10.1002/(SICI)1<1::AID-X>3.0.CO;2-#.
func trimTail(s string) string {
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		switch r {
		case '.', ',', ';', ':', '"', '\'':
		case ')', ']', '}', '>':
			if strings.Count(s, string(r)) <= strings.Count(s, opener(r)) {
				return s
			}
		default:
			// No DOI that is accepted ends in “ ” ’ 〉 。 and the like.
			if r < 0x80 || !unicode.In(r, unicode.Pe, unicode.Pf, unicode.Pi, unicode.Po) {
				return s
			}
		}
		s = s[:len(s)-size]
	}
	return s
}

func opener(closer rune) string {
	switch closer {
	case ')':
		return "("
	case ']':
		return "["
	case '}':
		return "{"
	default:
		return "<"
	}
}
