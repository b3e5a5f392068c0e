package resolver

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// matched says of an element which compounds of a chain it ends: bit i is set if
// the chain up to its compound i can end there.
type matched uint32

// around is what the elements before one, in the order of the page, have matched,
// for each chain.
type around struct {
	parent, ancestors   []matched // of the element that holds it; of all that do
	previous, preceding []matched // of the element right before it; of all before it, with the same parent
	place               int       // among those, from 1
}

// nth returns the element that is the n-th, from 0, of those that the selector
// selects, in the order of the page; nil if there are not so many. It looks at
// each element once, and at each test at most once for it.
func (sel selector) nth(root *html.Node, n int) *html.Node {
	w := walker{sel: sel, left: n}
	none := make([]matched, len(sel))
	w.children(root, none, none)
	return w.found
}

type walker struct {
	sel   selector
	left  int
	found *html.Node
}

// children goes through the elements below a node. The parser bounds the depth.
func (w *walker) children(node *html.Node, parent, ancestors []matched) {
	at := around{parent: parent, ancestors: ancestors, previous: make([]matched, len(w.sel)), preceding: make([]matched, len(w.sel))}
	for n := node.FirstChild; n != nil && w.found == nil; n = n.NextSibling {
		if n.Type != html.ElementNode {
			continue
		}
		at.place++
		own, below := make([]matched, len(w.sel)), slices.Clone(ancestors)
		selected := false
		for i, ch := range w.sel {
			own[i] = ch.ends(n, at, i)
			below[i] |= own[i]
			selected = selected || own[i]&(1<<(len(ch)-1)) != 0
		}
		if selected {
			if w.left == 0 {
				w.found = n
				return
			}
			w.left--
		}
		w.children(n, own, below)
		at.previous = own
		for i := range own {
			at.preceding[i] |= own[i]
		}
	}
}

// ends finds what of the chain, the i-th, can end at the element.
func (ch chain) ends(n *html.Node, at around, i int) matched {
	var own matched
	for k, part := range ch {
		if (k == 0 || at.related(part.relation)[i]&(1<<(k-1)) != 0) && part.holds(n, at.place) {
			own |= 1 << k
		}
	}
	return own
}

// related is what those have matched to which an element can have the relation.
func (at around) related(relation byte) []matched {
	switch relation {
	case '>':
		return at.parent
	case '+':
		return at.previous
	case '~':
		return at.preceding
	default:
		return at.ancestors
	}
}

func (c compound) holds(n *html.Node, place int) bool {
	for _, t := range c.tests {
		if t.holds(n, place) == t.not {
			return false
		}
	}
	return true
}

func (t test) holds(n *html.Node, place int) bool {
	switch t.kind {
	case '*':
		return true
	case 't':
		return n.Data == t.name
	case '#':
		return attributeOf(n, "id") == t.name
	case '.':
		return slices.Contains(strings.Fields(attributeOf(n, "class")), t.name)
	case 'n':
		return place == t.nth
	}
	has := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Namespace == "" && a.Key == t.name })
	return has && t.compares(attributeOf(n, t.name))
}

// compares holds the value of an attribute against that of the test.
func (t test) compares(value string) bool {
	want := t.value
	if t.fold {
		value, want = strings.ToLower(value), strings.ToLower(want)
	}
	switch t.op {
	case "=":
		return value == want
	case "~=":
		return want != "" && slices.Contains(strings.Fields(value), want)
	case "|=":
		return value == want || strings.HasPrefix(value, want+"-")
	case "^=":
		return want != "" && strings.HasPrefix(value, want)
	case "$=":
		return want != "" && strings.HasSuffix(value, want)
	case "*=":
		return want != "" && strings.Contains(value, want)
	default:
		return true
	}
}
