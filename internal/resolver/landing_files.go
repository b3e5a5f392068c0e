package resolver

import (
	"net/url"
	"slices"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// maxPerKind is how many files of a kind are taken of one page: twice as many as
// are ever tried for a work.
const maxPerKind = 12

func facts(doc document, links []pageLink, at *url.URL) pageFacts {
	root := at
	if doc.base != "" {
		if u, err := at.Parse(doc.base); err == nil {
			root = u
		}
	}
	return pageFacts{doc: doc, links: links, root: root, at: at}
}

// address is that of the page, without its fragment.
func (p pageFacts) address() string {
	at := *p.at
	at.Fragment, at.RawFragment = "", ""
	return at.String()
}

// resolve returns the absolute address that a reference of the page means, or "".
func (p pageFacts) resolve(ref string) string {
	u, err := p.parse(ref)
	if err != nil {
		return ""
	}
	return u.String()
}

// parse resolves a reference against the base of the page. Pages write spaces, and
// some escape the & of a query twice.
func (p pageFacts) parse(ref string) (*url.URL, error) {
	ref = strings.TrimSpace(ref)
	if ref == "" {
		return nil, errBadURL
	}
	return p.root.Parse(strings.NewReplacer(" ", "%20", "&amp;", "&").Replace(ref))
}

// files are the candidates of all kinds. The note is the rule that found the PDF.
func (p pageFacts) files() (files []paper.Candidate, note string) {
	for _, of := range rules {
		found, rule := p.filesOf(of.kind, of.of)
		if of.kind == paper.PDF {
			note = rule
		}
		files = append(files, found...)
	}
	return tidy("landing", paper.Answer{Candidates: files}).Candidates, note
}

// filesOf applies the rules of a kind in order; the first that gives a usable
// address wins.
func (p pageFacts) filesOf(kind paper.Kind, of []landingRule) ([]paper.Candidate, string) {
	for _, rule := range of {
		if files := p.usable(kind, rule.find(p)); len(files) > 0 {
			return files, rule.name
		}
	}
	refs, name := byPlatform(kind, p)
	if files := p.usable(kind, refs); len(files) > 0 {
		return files, name + " page"
	}
	if kind == paper.PDF {
		if files := p.usable(kind, onlyAnchor(p)); len(files) > 0 {
			return files, "the page's one PDF link"
		}
	}
	return nil, ""
}

// usable resolves, mends and orders what a rule found: the page's own host and
// folder first. A page is not its own PDF or XML; it may be its own full text.
func (p pageFacts) usable(kind paper.Kind, refs []string) []paper.Candidate {
	var urls []string
	for _, ref := range refs {
		u, err := p.parse(ref)
		if err != nil {
			continue
		}
		file, err := cleanURL(mend(u, p.at))
		if err == nil && (kind == paper.HTML || !samePage(file, p.at.String())) && !slices.Contains(urls, file) {
			urls = append(urls, file)
		}
	}
	var files []paper.Candidate
	for _, u := range nearest(urls, p.at) {
		files = append(files, paper.Candidate{URL: u, Kind: kind, Guessed: true})
	}
	return files[:min(len(files), maxPerKind)]
}

// samePage compares addresses as servers that redirect between them see them:
// without scheme, fragment and a slash at the end.
func samePage(a, b string) bool {
	plain := func(raw string) string {
		raw, _, _ = strings.Cut(raw, "#")
		if _, rest, ok := strings.Cut(raw, "://"); ok {
			raw = rest
		}
		return strings.TrimSuffix(raw, "/")
	}
	return plain(a) == plain(b)
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
