package verdict

import (
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// doiShape finds what looks like a DOI. What it ends with may be too much.
var doiShape = regexp.MustCompile(`10\.\d{4,9}/[^\s"'<>{}|\\^\x60\[\]\x00-\x1f]+`)

// holdsID reports whether an identifier is in a text without spaces, and does not
// go on: 10.5555/1 is not in 10.5555/12.
func holdsID(text, id string) bool {
	for {
		_, after, found := strings.Cut(text, id)
		if !found {
			return false
		}
		digit := after != "" && '0' <= after[0] && after[0] <= '9'
		if last := id[len(id)-1]; !digit || last < '0' || last > '9' {
			return true
		}
		text = after
	}
}

// dense is a text in lower case without white space, as identifiers are cut by line
// ends and kerning.
func dense(text string) string {
	return strings.Join(strings.Fields(strings.ToLower(text)), "")
}

// letters keeps the Latin letters and digits of a text, in lower case.
func letters(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case 'A' <= r && r <= 'Z':
			b.WriteByte(byte(r) + 'a' - 'A')
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteByte(byte(r))
		case 0xfb00 <= r && r <= 0xfb04:
			b.WriteString([...]string{"ff", "fi", "fl", "ffi", "ffl"}[r-0xfb00])
		}
	}
	return b.String()
}

// plainTitle is a title without the markup that sources leave in it.
func plainTitle(title string) string {
	return html.UnescapeString(tagShape.ReplaceAllString(title, ""))
}

var tagShape = regexp.MustCompile(`</?[a-zA-Z][^<>]{0,40}>`)

// share is how many of the longer words of a title are in a text of letters.
func share(title, text string) float64 {
	met, all := 0, 0
	for word := range strings.FieldsSeq(title) {
		if word = letters(word); len(word) >= 4 {
			all++
			if strings.Contains(text, word) {
				met++
			}
		}
	}
	if all == 0 {
		return 1
	}
	return float64(met) / float64(all)
}

// otherDOIs lists the works whose DOIs are in a text.
func otherDOIs(text string) []string {
	var found []string
	for _, s := range doiShape.FindAllString(text, 16) {
		doi, err := paper.ParseID("doi:" + strings.TrimRight(s, ".,;:)]"))
		if err == nil && doi.IDs.DOI != "" && !slices.ContainsFunc(found, func(f string) bool { return sameFamily(f, doi.IDs.DOI) }) {
			found = append(found, doi.IDs.DOI)
		}
	}
	return found
}

// sameFamily reports whether one DOI is the other's beginning: parts of a work, and
// DOIs that were read too far or not far enough.
func sameFamily(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// referencesAt returns where the heading of a list of references is, or -1. In small
// capitals its first letter stands apart.
func referencesAt(text string) int {
	text = strings.Map(asciiLower, text)
	for _, tail := range []string{"eferences", "ibliography"} {
		for from := 0; ; {
			at := strings.Index(text[from:], tail)
			if at < 0 {
				break
			}
			at += from
			from = at + len(tail)
			first := map[string]string{"eferences": "r", "ibliography": "b"}[tail]
			before, ok := strings.CutSuffix(strings.TrimSuffix(text[:at], " "), first)
			if ok && !endsInLetter(before) && (from == len(text) || !isLetter(text[from])) {
				return len(before)
			}
		}
	}
	return -1
}

// asciiLower leaves what is not ASCII, so that texts keep their length.
func asciiLower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func endsInLetter(s string) bool { return s != "" && isLetter(s[len(s)-1]) }
