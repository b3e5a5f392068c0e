package resolver

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"github.com/quire-dev/quire/paper"
)

// maxLink is how much of an element's text is read: URLs are at most as long.
const maxLink = 8 << 10

// pageReader takes the address of the file from one element of a page.
func (c Custom) pageReader() (func([]byte, string) ([]paper.Candidate, error), error) {
	if len(c.Mappings) > 0 {
		return nil, fmt.Errorf("mappings are for mode json")
	}
	sel, err := parseSelector(c.Selector)
	if err != nil {
		return nil, fmt.Errorf("selector %q: %w", clip(c.Selector, 200), err)
	}
	attribute := strings.ToLower(c.Attribute)
	return func(body []byte, base string) ([]paper.Candidate, error) {
		doc, err := html.Parse(bytes.NewReader(body))
		if err != nil {
			return nil, miss("the page can't be read: " + clip(err.Error(), 100))
		}
		element := sel.nth(doc, c.Index)
		if element == nil {
			return nil, nil
		}
		ref := textOf(element)
		if attribute != "" {
			ref = attributeOf(element, attribute)
		}
		at, err := url.Parse(base)
		if err != nil {
			return nil, nil //nolint:nilerr // no address to find it from: nothing is found
		}
		ref = strings.TrimSpace(ref)
		u, err := at.Parse(strings.ReplaceAll(ref, " ", "%20"))
		if err != nil || ref == "" {
			return nil, nil //nolint:nilerr // no address: nothing is found
		}
		return []paper.Candidate{{URL: u.String(), Kind: paper.PDF, Guessed: true}}, nil
	}, nil
}

func attributeOf(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Namespace == "" && a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf gathers the text below an element.
func textOf(element *html.Node) string {
	var b strings.Builder
	for n := range element.Descendants() {
		if n.Type == html.TextNode && b.Len() < maxLink {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}
