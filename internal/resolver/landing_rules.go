package resolver

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// pageFacts is what a rule looks at.
type pageFacts struct {
	doc   document
	links []pageLink // of the Link header
	root  *url.URL   // what references are relative to
	at    *url.URL   // the page itself
}

// landingRule finds references to files of the page's work.
type landingRule struct {
	name string
	find func(p pageFacts) []string
}

// rules are those of each kind, surest first, in the order in which the kinds are
// answered. After them come the rules of platforms, and for a PDF the page's only
// link.
var rules = []struct { //nolint:gochecknoglobals // a table, never written
	kind paper.Kind
	of   []landingRule
}{
	{paper.PDF, []landingRule{
		{"citation_pdf_url", metaRule("citation_pdf_url")},
		{"Link header", signposted(isPDFType, namesPDF)},
		{"repository meta tag", metaRule("bepress_citation_pdf_url", "wkhealth_pdf_url")},
		{"eprints.document_url", func(p pageFacts) []string { return onlyPDF(p.doc.metas["eprints.document_url"]) }},
		{"link element", func(p pageFacts) []string { return typed(p.doc.links, isPDFType, "alternate", "item") }},
		{"embedded file", embeddedFile},
		{"JSON-LD", func(p pageFacts) []string { return p.doc.media(isPDFType, namesPDF) }},
		{"DC.identifier", func(p pageFacts) []string {
			return onlyPDF(append(slices.Clone(p.doc.metas["dc.identifier"]), p.doc.metas["dc.identifier.uri"]...))
		}},
	}},
	{paper.XML, []landingRule{
		{"citation_xml_url", metaRule("citation_xml_url", "fulltext_xml")},
		{"Link header", signposted(isXMLType, nil)},
		{"link element", xmlElement},
		{"JSON-LD", func(p pageFacts) []string { return p.doc.media(isXMLType, nil) }},
	}},
	{paper.HTML, []landingRule{
		{"citation_fulltext_html_url", metaRule("citation_fulltext_html_url")},
	}},
}

func metaRule(names ...string) func(pageFacts) []string {
	return func(p pageFacts) []string {
		var refs []string
		for _, name := range names {
			refs = append(refs, p.doc.metas[name]...)
		}
		return refs
	}
}

// signposted finds the items of the Link header (https://signposting.org/FAIR/) that
// are of a type, or by their name are if the header does not say of which. Those
// of a data set are its data.
func signposted(isType func(string) bool, named func(string) bool) func(pageFacts) []string {
	return func(p pageFacts) []string {
		for _, link := range p.links {
			if link.has("type") && strings.HasSuffix(link.href, "schema.org/Dataset") {
				return nil
			}
		}
		refs := typed(p.links, isType, "item")
		for _, link := range p.links {
			if named != nil && link.kind == "" && link.has("item") && named(link.href) {
				refs = append(refs, link.href)
			}
		}
		return refs
	}
}

// typed returns the links of a type in one of the relations.
func typed(links []pageLink, isType func(string) bool, relations ...string) []string {
	var refs []string
	for _, link := range links {
		if isType(link.kind) && slices.ContainsFunc(relations, link.has) {
			refs = append(refs, link.href)
		}
	}
	return refs
}

func isPDFType(mediaType string) bool { return isMediaType(mediaType, "application/pdf") }

func isXMLType(mediaType string) bool {
	return isMediaType(mediaType, "application/xml", "text/xml", "application/jats+xml")
}

func isMediaType(mediaType string, wanted ...string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return slices.Contains(wanted, strings.ToLower(strings.TrimSpace(mediaType)))
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

// otherXML is in the link elements for XML that is no article: feeds, and records
// about it.
var otherXML = regexp.MustCompile(`(?i)rss|atom|feed|oembed|oai|sitemap|opensearch|metadata|marc|mods|dublin|\bdc\b|rdf`)

func xmlElement(p pageFacts) []string {
	var refs []string
	for _, link := range p.doc.links {
		if isXMLType(link.kind) && (link.has("alternate") || link.has("item")) && !otherXML.MatchString(link.href+" "+link.title) {
			refs = append(refs, link.href)
		}
	}
	return refs
}

// embeddedFile finds a PDF that is shown in the page, by itself or by a viewer.
func embeddedFile(p pageFacts) []string {
	var refs []string
	for _, frame := range p.doc.embedded {
		u, err := p.parse(frame.href)
		if err != nil {
			continue
		}
		if viewed(u) != nil || isPDFType(frame.kind) || namesPDF(frame.href) && sameSite(u, p.root) {
			refs = append(refs, frame.href)
		}
	}
	return refs
}
