package resolver

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// rules find references to the PDF of the page's work, surest first.
var rules = []struct { //nolint:gochecknoglobals // a table, never written
	name string
	find func(doc document, links []pageLink, root *url.URL) []string
}{
	{"citation_pdf_url", metaRule("citation_pdf_url")},
	{"Link header", signposted},
	{"repository meta tag", metaRule("bepress_citation_pdf_url", "wkhealth_pdf_url")},
	{"eprints.document_url", func(doc document, _ []pageLink, _ *url.URL) []string {
		return onlyPDF(doc.metas["eprints.document_url"])
	}},
	{"link element", func(doc document, _ []pageLink, _ *url.URL) []string { return typed(doc.links, "alternate", "item") }},
	{"embedded file", embeddedFile},
	{"JSON-LD", func(doc document, _ []pageLink, _ *url.URL) []string { return doc.media() }},
	{"DC.identifier", func(doc document, _ []pageLink, _ *url.URL) []string {
		return onlyPDF(append(slices.Clone(doc.metas["dc.identifier"]), doc.metas["dc.identifier.uri"]...))
	}},
	{"OJS galley", galley},
	{"the page's one PDF link", onlyAnchor},
}

func metaRule(names ...string) func(document, []pageLink, *url.URL) []string {
	return func(doc document, _ []pageLink, _ *url.URL) []string {
		var refs []string
		for _, name := range names {
			refs = append(refs, doc.metas[name]...)
		}
		return refs
	}
}

func signposted(_ document, links []pageLink, _ *url.URL) []string { return typed(links, "item") }

// typed returns the links of type application/pdf in one of the relations.
func typed(links []pageLink, relations ...string) []string {
	var refs []string
	for _, link := range links {
		if isPDFType(link.kind) && slices.ContainsFunc(relations, link.has) {
			refs = append(refs, link.href)
		}
	}
	return refs
}

func isPDFType(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "application/pdf")
}

func onlyPDF(refs []string) []string {
	var files []string
	for _, ref := range refs {
		if namesPDF(ref) {
			files = append(files, ref)
		}
	}
	return files
}

// embeddedFile finds a PDF that is shown in the page, by itself or by a viewer
// that is given its address as file=.
func embeddedFile(doc document, _ []pageLink, root *url.URL) []string {
	var refs []string
	for _, frame := range doc.embedded {
		u, err := root.Parse(frame.href)
		if err != nil || frame.href == "" {
			continue
		}
		file := u.Query().Get("file")
		switch {
		case namesPDF(file):
			refs = append(refs, file)
		case isPDFType(frame.kind), namesPDF(frame.href) && sameSite(u, root):
			refs = append(refs, frame.href)
		}
	}
	return refs
}

// galley finds the PDF of an Open Journal Systems page: /view/ shows it in
// a frame, /download/ gives it.
func galley(doc document, _ []pageLink, _ *url.URL) []string {
	var refs []string
	for _, a := range doc.anchors {
		class := strings.Fields(strings.ToLower(a.class))
		if slices.Contains(class, "obj_galley_link") && slices.Contains(class, "pdf") {
			refs = append(refs, strings.Replace(a.href, "/view/", "/download/", 1))
		}
	}
	return refs
}

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
func onlyAnchor(doc document, _ []pageLink, root *url.URL) []string {
	files := make(map[string]string) // reference by address without query
	for _, a := range doc.anchors {
		text := a.text
		if text == "" {
			text = a.title
		}
		u, err := root.Parse(strings.ReplaceAll(strings.TrimSpace(a.href), " ", "%20"))
		if err != nil || !fullTextWords.MatchString(text) || !sameSite(u, root) || !pdfPath(u) {
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

// nearest orders URLs by how close they are to the page: same host first, then
// the longer common path. Order is kept among equals.
func nearest(urls []string, at *url.URL) []string {
	distance := func(raw string) int {
		u, err := url.Parse(raw)
		if err != nil || !strings.EqualFold(u.Host, at.Host) {
			return 0
		}
		n := 0
		for n < min(len(u.Path), len(at.Path)) && u.Path[n] == at.Path[n] {
			n++
		}
		return -1 - n
	}
	slices.SortStableFunc(urls, func(a, b string) int { return distance(a) - distance(b) })
	return urls
}

// rewrite mends addresses that are known to show a reader instead of the file.
func rewrite(u string) string {
	at, err := url.Parse(u)
	if err != nil || !strings.HasSuffix(at.Hostname(), "onlinelibrary.wiley.com") {
		return u
	}
	at.Path = strings.Replace(strings.Replace(at.Path, "/doi/epdf/", "/doi/pdf/", 1), "/doi/pdf/", "/doi/pdfdirect/", 1)
	at.RawPath = ""
	return at.String()
}
