package resolver

import (
	"net/http"

	"github.com/quire-dev/quire/internal/wall"
)

// recognise returns the sign by which a page is known to be a wall and no article.
func recognise(page []byte, doc *document, base string, header http.Header) (wall.Sign, bool) {
	return wall.Find(wall.Page{
		Title: doc.title, Body: page, URL: base, Header: header, Cites: doc.cites(),
	})
}

// cites reports whether a page says by its tags which work it is about.
func (d *document) cites() bool {
	return d.firstMeta("citation_title", "citation_doi", "citation_pdf_url") != ""
}
