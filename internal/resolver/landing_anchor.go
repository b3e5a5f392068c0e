package resolver

import (
	"net/url"
	"regexp"
	"strings"
)

var (
	// fullTextWords is what the text of a link to the work's own file says.
	fullTextWords = regexp.MustCompile(`(?i)^[\[(]?((view|download|read|open|get|article|paper|full[- ]?text|full)[ :]+)*` +
		`[\[(]?(pdf|full[- ]?text|full paper)[\])]?( ?(file|version|article|full[- ]?text))?( ?[(\[][^()\[\]]{0,24}[)\]])?$`)
	// otherFile is in the address of files that go with a work or a journal.
	otherFile = regexp.MustCompile(`(?i)suppl|appendix|guideline|policy|policies|terms|copyright|flyer|cover|errat|template|_reference\.pdf$`)
)

// onlyAnchor finds the PDF of a page that has nothing but a link to it: one
// address of the same site whose link says that it is the full text. Two are
// a table of contents, and then none is taken.
func onlyAnchor(p pageFacts) []string {
	files := make(map[string]string) // reference by address without query
	for _, a := range p.doc.anchors {
		text := a.text
		if text == "" {
			text = a.title
		}
		if !fullTextWords.MatchString(text) {
			continue
		}
		u, err := p.parse(a.href)
		if err != nil || !sameSite(u, p.root) || !pdfPath(u) {
			continue
		}
		u.RawQuery, u.Fragment = "", ""
		if _, ok := files[u.String()]; !ok {
			files[u.String()] = a.href
		}
	}
	if len(files) != 1 {
		return nil
	}
	for _, ref := range files {
		return []string{ref}
	}
	return nil
}

func pdfPath(u *url.URL) bool {
	path := strings.ToLower(u.Path)
	return (strings.HasSuffix(path, ".pdf") || strings.HasSuffix(path, "/pdf")) && !otherFile.MatchString(path)
}

// sameSite reports whether two hosts are the same or one is under the other.
func sameSite(a, b *url.URL) bool {
	x := strings.TrimPrefix(strings.ToLower(a.Hostname()), "www.")
	y := strings.TrimPrefix(strings.ToLower(b.Hostname()), "www.")
	return x == y || strings.HasSuffix(x, "."+y) || strings.HasSuffix(y, "."+x)
}
