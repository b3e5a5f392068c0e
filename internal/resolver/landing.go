package resolver

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// maxPage is how much of a landing page is read. What matters stands in the
// head; the longest page in our corpus has 200 KB.
const maxPage = 2 << 20

// Landing is what a page about a work says.
type Landing struct {
	Candidates []paper.Candidate // files, best first; all Guessed: robots.txt holds
	Title      string
	DOI        string // in lower case; empty if the page names none
	License    string // only if it is a Creative Commons one

	// Class is why there is no candidate: challenge, login_wall, cookie_wall,
	// paywall, no_pdf_link or not_found_id; empty if there is one.
	Class paper.Class
	Note  string // the rule that found the file, or the sign that none can be had
}

// ParseLanding searches a page for the address of the PDF. base is the final URL
// of the page, header that of its response (it may be nil). Of a page that is
// a wall instead of an article nothing is taken. ParseLanding is total: any bytes
// give a Landing.
func ParseLanding(page []byte, base string, header http.Header) Landing {
	page = page[:min(len(page), maxPage)]
	doc := scan(page)
	if wall, ok := recognise(page, doc, base, header); ok {
		return Landing{Class: wall.class, Note: wall.note}
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
	l.Candidates, l.Note = find(doc, links, at)
	for i := range l.Candidates {
		l.Candidates[i].License = l.License
	}
	if len(l.Candidates) == 0 {
		l.Class, l.Note = doc.without()
	}
	return l
}

// find applies the rules in order; the first that gives a usable URL wins.
func find(doc document, links []pageLink, at *url.URL) ([]paper.Candidate, string) {
	root := at
	if doc.base != "" {
		if u, err := at.Parse(doc.base); err == nil {
			root = u
		}
	}
	for _, rule := range rules {
		found := usable(rule.find(doc, links, root), root, at)
		if len(found) > 0 {
			return found, rule.name
		}
	}
	return nil, ""
}

// usable resolves, rewrites and orders what a rule found: the page's own host
// and folder first.
func usable(refs []string, root, at *url.URL) []paper.Candidate {
	var raw []paper.Candidate
	for _, u := range nearest(resolveAll(refs, root), at) {
		if u = rewrite(u); u != at.String() {
			raw = append(raw, paper.Candidate{URL: u, Kind: paper.PDF, Guessed: true})
		}
	}
	return tidy("landing", paper.Answer{Candidates: raw}).Candidates
}

func resolveAll(refs []string, root *url.URL) []string {
	var urls []string
	for _, ref := range refs {
		ref = strings.TrimSpace(ref)
		if u, err := root.Parse(strings.ReplaceAll(ref, " ", "%20")); err == nil && ref != "" {
			urls = append(urls, u.String())
		}
	}
	return urls
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

// without says why a page that is no wall names no file.
func (d *document) without() (paper.Class, string) {
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
