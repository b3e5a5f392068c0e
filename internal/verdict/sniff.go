package verdict

import (
	"bytes"
	"mime"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Media types that verdicts turn on.
const (
	pdfType     = "application/pdf"
	htmlType    = "text/html"
	jatsType    = "application/jats+xml" // not registered, but what publishers send
	textType    = "text/plain"
	unknownType = "application/octet-stream"
)

// Sniff names the media type of a file by its first bytes (4 KiB are plenty),
// without parameters. The server's contentType is believed only if it says HTML
// and the bytes are text of no kind we know. XHTML counts as text/html, and so
// does a page with a PDF header somewhere in its text.
func Sniff(head []byte, contentType string) string {
	root := rootElement(head)
	switch {
	case len(head) == 0:
		return unknownType
	case root == "html" || root == "head" || root == "body":
		return htmlType
	case headerOffset(head) >= 0:
		return pdfType
	case isHTML(head):
		return htmlType
	case root == "article" && isJATS(head):
		return jatsType
	}
	media, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	if media == textType && saysHTML(contentType) {
		return htmlType
	}
	return media
}

// ext returns the file name extension of a media type with its dot, or "".
func ext(media string) string {
	if media == jatsType {
		return ".xml"
	}
	if m := mimetype.Lookup(media); m != nil {
		return m.Extension()
	}
	return ""
}

func saysHTML(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == htmlType || media == "application/xhtml+xml")
}

// isHTML reports whether b begins, after comments and white space, with an
// element only HTML has.
func isHTML(b []byte) bool {
	tags := []string{
		"html", "head", "body", "title", "meta", "link", "script", "noscript", "style", "iframe", "div", "span",
		"center", "table", "form", "h1", "h2", "h3", "p", "br", "b", "a", "font",
	}
	return slices.Contains(tags, rootElement(b))
}

// isJATS tells an article in JATS from HTML's element of the same name.
func isJATS(head []byte) bool {
	for _, sign := range []string{"<front", "article-type=", "JATS", "//NLM//DTD", "dtd-version="} {
		if bytes.Contains(head, []byte(sign)) {
			return true
		}
	}
	return false
}

// rootElement returns the lower-case name of the first element of a document,
// or the one its DOCTYPE announces. It is empty if b is no markup.
func rootElement(b []byte) string {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	for {
		b = bytes.TrimLeft(b, "\x00\t\n\f\r ")
		var found bool
		switch {
		case bytes.HasPrefix(b, []byte("<!--")):
			_, b, found = bytes.Cut(b, []byte("-->"))
		case bytes.HasPrefix(b, []byte("<?")):
			_, b, found = bytes.Cut(b, []byte(">"))
		default:
			return elementName(b)
		}
		if !found {
			return ""
		}
	}
}

func elementName(b []byte) string {
	if len(b) == 0 || b[0] != '<' {
		return ""
	}
	b = b[1:]
	const doctype = "!doctype"
	if len(b) >= len(doctype) && bytes.EqualFold(b[:len(doctype)], []byte(doctype)) {
		b = bytes.TrimLeft(b[len(doctype):], "\t\n\f\r ")
	}
	end := bytes.IndexAny(b, " \t\n\f\r/>[")
	if end < 0 || end > 32 {
		return ""
	}
	return strings.ToLower(string(b[:end]))
}
