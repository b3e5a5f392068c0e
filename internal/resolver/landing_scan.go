package resolver

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

const (
	maxLinks   = 5000      // anchors, links or embedded files that are kept of a page
	maxMetas   = 100       // values that are kept of one meta name
	maxLinked  = 256 << 10 // bytes of one JSON-LD script
	maxScripts = 20        // JSON-LD scripts
	maxRef     = 8 << 10   // bytes of a reference; of an address that is used [paper.NormalizeURL] takes no more
)

// document is what the rules look at. It is gathered from the stream of tokens,
// without a tree: pages are seldom well-formed and may be nested without end.
type document struct {
	title    string
	base     string              // href of <base>
	metas    map[string][]string // by lower-case name or property
	links    []pageLink          // <link>
	anchors  []pageLink          // <a>
	embedded []pageLink          // <embed>, <iframe>, <object>
	scripts  [][]byte            // JSON-LD
	password bool                // there is a field for one
}

// pageLink is a link of a page or of its Link header.
type pageLink struct {
	href, rel, kind string // kind: the type attribute
	class, title    string
	text            string // of an anchor
}

// has reports whether rel holds the relation.
func (l pageLink) has(relation string) bool {
	return slices.Contains(strings.Fields(strings.ToLower(l.rel)), relation)
}

func (d *document) firstMeta(names ...string) string {
	for _, name := range names {
		for _, value := range d.metas[name] {
			if value != "" {
				return value
			}
		}
	}
	return ""
}

func scan(page []byte) document {
	doc := document{metas: make(map[string][]string)}
	tokens := html.NewTokenizer(bytes.NewReader(page))
	open := "" // element whose text is wanted
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return doc
		case html.TextToken:
			doc.addText(open, tokens.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attributes := tag(tokens)
			open = doc.add(open, name, attributes)
		case html.EndTagToken:
			if name, _ := tokens.TagName(); string(name) == open || open == "ld+json" {
				open = ""
			}
		case html.CommentToken, html.DoctypeToken: // say nothing
		}
	}
}

// tag reads the name and the attributes of a start tag; the first of an attribute
// that is repeated counts.
func tag(tokens *html.Tokenizer) (string, map[string]string) {
	raw, more := tokens.TagName()
	name := string(raw)
	attributes := make(map[string]string)
	for more && len(attributes) < 64 {
		var key, value []byte
		key, value, more = tokens.TagAttr()
		if _, ok := attributes[string(key)]; !ok {
			attributes[string(key)] = string(value)
		}
	}
	return name, attributes
}

// add takes what is wanted of a start tag and returns the element whose text is
// wanted next.
func (d *document) add(open, name string, at map[string]string) string {
	link := pageLink{href: at["href"], rel: at["rel"], kind: at["type"], class: at["class"], title: at["title"]}
	switch name {
	case "title":
		if d.title == "" {
			return "title"
		}
	case "base":
		if d.base == "" {
			d.base = at["href"]
		}
	case "meta":
		d.addMeta(at)
	case "link":
		keep(&d.links, link)
	case "a":
		if link.href != "" && keep(&d.anchors, link) {
			return "a"
		}
		return ""
	case "embed", "iframe":
		link.href = at["src"]
		keep(&d.embedded, link)
	case "object":
		link.href = at["data"]
		keep(&d.embedded, link)
	case "input":
		d.password = d.password || strings.EqualFold(at["type"], "password")
	case "script":
		if strings.EqualFold(at["type"], "application/ld+json") && len(d.scripts) < maxScripts {
			d.scripts = append(d.scripts, nil)
			return "ld+json"
		}
	}
	return open
}

func (d *document) addMeta(at map[string]string) {
	for _, key := range []string{"name", "property"} {
		name := strings.ToLower(strings.TrimSpace(at[key]))
		if name != "" && len(d.metas[name]) < maxMetas {
			d.metas[name] = append(d.metas[name], strings.TrimSpace(at["content"]))
		}
	}
}

func keep(to *[]pageLink, link pageLink) bool {
	if len(*to) == maxLinks || len(link.href) > maxRef {
		return false
	}
	*to = append(*to, link)
	return true
}

func (d *document) addText(open string, raw []byte) {
	switch open {
	case "title":
		d.title = clip(d.title+string(raw), maxTitle)
	case "a":
		if last := &d.anchors[len(d.anchors)-1]; len(last.text) < 200 {
			last.text = clip(last.text+" "+string(raw), 200)
		}
	case "ld+json":
		if len(raw) <= maxLinked {
			d.scripts[len(d.scripts)-1] = slices.Clone(raw)
		}
	}
}
