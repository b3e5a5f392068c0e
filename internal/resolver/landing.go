package resolver

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/quire-dev/quire/internal/wall"
	"github.com/quire-dev/quire/paper"
)

// maxPage is how much of a landing page is read. What matters stands in the
// head; the longest page in our corpus has 200 KB.
const maxPage = 2 << 20

// Landing is what a page about a work says.
type Landing struct {
	// Candidates are files: PDFs, then XML, then HTML, those of a kind best first and
	// at most 12. All are Guessed: robots.txt holds.
	Candidates []paper.Candidate

	Title   string
	DOI     string // in lower case; empty if the page names none
	License string // only if it is a Creative Commons one

	// Class is why the page names no PDF: challenge, login_wall, cookie_wall,
	// paywall, no_pdf_link, not_found_id, or gone or transient of a page that says so
	// with status 200; empty if it names one. It may name files
	// of other kinds all the same, unless it is a wall.
	Class paper.Class
	Note  string // the rule that found the PDF, or the sign that none can be had
}

// ParseLanding searches a page for the addresses of the work's files. base is the
// final URL of the page, header that of its response (it may be nil). Of a page that
// is a wall instead of an article nothing is taken. ParseLanding is total: any bytes
// give a Landing.
func ParseLanding(page []byte, base string, header http.Header) Landing {
	page = page[:min(len(page), maxPage)]
	doc := scan(page)
	if sign, ok := recognise(page, &doc, base, header); ok {
		return Landing{Class: paper.Class(sign.Class), Note: sign.Note}
	}
	at, err := url.Parse(base)
	if err != nil {
		at = &url.URL{}
	}
	links := headerLinks(header)
	l := Landing{
		Title:   clip(doc.firstMeta("citation_title", "bepress_citation_title", "dc.title", "eprints.title", "og:title"), maxTitle),
		DOI:     doc.doi(),
		License: doc.license(links),
	}
	if l.Title == "" {
		l.Title = clip(doc.title, maxTitle)
	}
	l.Candidates, l.Note = facts(doc, links, at).files()
	for i := range l.Candidates {
		l.Candidates[i].License = l.License
	}
	if len(l.Candidates) == 0 || l.Candidates[0].Kind != paper.PDF {
		l.Class, l.Note = doc.without(len(l.Candidates) > 0)
	}
	return l
}

// doi returns the DOI that the page says it is about.
func (d *document) doi() string {
	for _, name := range []string{
		"citation_doi", "bepress_citation_doi", "prism.doi", "dc.identifier.doi", "dc.identifier", "doi",
	} {
		for _, value := range d.metas[name] {
			if doi := doiOf(value); doi != "" {
				return doi
			}
		}
	}
	return ""
}

// license returns the Creative Commons licence that the page links to.
func (d *document) license(links []pageLink) string {
	var claims []string
	for _, link := range append(append(links, d.links...), d.anchors...) {
		if link.has("license") {
			claims = append(claims, link.href)
		}
	}
	claims = append(append(claims, d.metas["dc.rights"]...), d.metas["dcterms.license"]...)
	for _, claim := range claims {
		if id := license(claim); strings.HasPrefix(id, "cc") || id == "public-domain" {
			return id
		}
	}
	return ""
}

// without says why a page that is no wall names no PDF. One that names no file at all
// and no work, either, may say that there is nothing here, though its status did not.
func (d *document) without(others bool) (paper.Class, string) {
	if sign, begin := wall.Thin(d.title, true); begin != "" && !others && !d.cites() {
		return paper.Class(sign.Class), sign.Note + ": " + begin
	}
	title := strings.ToLower(d.title)
	switch {
	case d.password && (strings.Contains(title, "log in") || strings.Contains(title, "login") || strings.Contains(title, "sign in")):
		return paper.LoginWall, "page asks for a password"
	case d.forSale():
		return paper.Paywall, "page says that it is not free"
	default:
		return paper.NoPDFLink, "page names no PDF"
	}
}
