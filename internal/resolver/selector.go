package resolver

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// selector is a CSS selector: the part of Selectors Level 3
// (https://www.w3.org/TR/selectors-3/) that looks at an element, those around it
// and those before it. What looks ahead or into an element, such as :has, is not
// read, so that matching takes a single pass over the page.
type selector []chain // any of them

// chain is a row of compounds, the first the outermost.
type chain []compound

// compound is what holds of one element.
type compound struct {
	relation byte // to the compound before: ' ', '>', '+', '~'; 0: none is before
	tests    []test
}

// test is a condition on an element.
type test struct {
	kind  byte   // 't' tag, '#' id, '.' class, '[' attribute, 'n' nth-child
	name  string // of tag, id, class, attribute
	op    string // of attribute: "", =, ~=, |=, ^=, $=, *=
	value string
	fold  bool // value without regard to case
	nth   int
	not   bool
}

const (
	maxSelector  = 500 // bytes
	maxCompounds = 32  // of a chain, as their states are bits
)

var errSelector = errors.New("is no selector that is read here")

// selectorReader reads a selector from its text.
type selectorReader struct{ rest string }

func parseSelector(text string) (selector, error) {
	if len(text) > maxSelector {
		return nil, fmt.Errorf("is longer than %d bytes", maxSelector)
	}
	r := &selectorReader{strings.TrimSpace(text)}
	var sel selector
	for {
		ch, err := r.chain()
		if err != nil {
			return nil, err
		}
		sel = append(sel, ch)
		if r.rest == "" {
			return sel, nil
		}
		r.rest = strings.TrimLeft(r.rest[1:], " \t\n") // the comma
	}
}

func (r *selectorReader) chain() (chain, error) {
	var ch chain
	var relation byte
	for {
		tests, err := r.compound()
		if err != nil {
			return nil, err
		}
		ch = append(ch, compound{relation, tests})
		if len(ch) > maxCompounds {
			return nil, fmt.Errorf("has more than %d parts", maxCompounds)
		}
		spaced := strings.TrimLeft(r.rest, " \t\n")
		if spaced == "" || spaced[0] == ',' {
			r.rest = spaced
			return ch, nil
		}
		switch {
		case strings.IndexByte(">+~", spaced[0]) >= 0:
			relation, r.rest = spaced[0], strings.TrimLeft(spaced[1:], " \t\n")
		case spaced != r.rest:
			relation, r.rest = ' ', spaced
		default:
			return nil, r.unknown()
		}
	}
}

func (r *selectorReader) unknown() error {
	if r.rest == "" {
		return fmt.Errorf("%w: it ends too early", errSelector)
	}
	return fmt.Errorf("%w: at %q", errSelector, clip(r.rest, 40))
}

func (r *selectorReader) compound() ([]test, error) {
	var tests []test
	if strings.HasPrefix(r.rest, "*") {
		r.rest = r.rest[1:]
		tests = append(tests, test{kind: '*'})
	} else if name := r.ident(); name != "" {
		tests = append(tests, test{kind: 't', name: strings.ToLower(name)})
	}
	for r.rest != "" && strings.IndexByte("#.[:", r.rest[0]) >= 0 {
		one, err := r.test()
		if err != nil {
			return nil, err
		}
		tests = append(tests, one)
	}
	if len(tests) == 0 {
		return nil, r.unknown()
	}
	return tests, nil
}

func (r *selectorReader) test() (test, error) {
	whole := *r
	kind := r.rest[0]
	r.rest = r.rest[1:]
	switch kind {
	case '[':
		return r.attribute()
	case ':':
		one, ok := r.pseudo()
		if !ok {
			*r = whole
			return test{}, r.unknown()
		}
		return one, nil
	}
	name := r.ident()
	if name == "" {
		*r = whole
		return test{}, r.unknown()
	}
	return test{kind: kind, name: name}, nil
}

// attribute reads what follows a [.
func (r *selectorReader) attribute() (test, error) {
	r.space()
	one := test{kind: '[', name: strings.ToLower(r.ident())}
	r.space()
	for _, op := range []string{"=", "~=", "|=", "^=", "$=", "*="} {
		if after, ok := strings.CutPrefix(r.rest, op); ok && one.op == "" {
			one.op, r.rest = op, after
		}
	}
	if one.op != "" {
		r.space()
		value, ok := r.value()
		if !ok {
			return one, r.unknown()
		}
		one.value = value
		r.space()
		if r.rest != "" && (r.rest[0] == 'i' || r.rest[0] == 'I') {
			one.fold, r.rest = true, r.rest[1:]
			r.space()
		}
	}
	after, closed := strings.CutPrefix(r.rest, "]")
	if !closed || one.name == "" {
		return one, r.unknown()
	}
	r.rest = after
	return one, nil
}

// value is in quotes, or an identifier.
func (r *selectorReader) value() (string, bool) {
	if r.rest == "" || r.rest[0] != '"' && r.rest[0] != '\'' {
		name := r.ident()
		return name, name != ""
	}
	quote := r.rest[:1]
	value, after, closed := strings.Cut(r.rest[1:], quote)
	if closed {
		r.rest = after
	}
	return value, closed && !strings.Contains(value, `\`)
}

// pseudo reads what follows a colon.
func (r *selectorReader) pseudo() (test, bool) {
	name := strings.ToLower(r.ident())
	if name == "first-child" {
		return test{kind: 'n', nth: 1}, true
	}
	if !slices.Contains([]string{"nth-child", "not"}, name) || !strings.HasPrefix(r.rest, "(") {
		return test{}, false
	}
	inside, after, closed := strings.Cut(r.rest[1:], ")")
	if !closed {
		return test{}, false
	}
	r.rest = after
	if name == "nth-child" {
		n, err := strconv.Atoi(strings.TrimSpace(inside))
		return test{kind: 'n', nth: n}, err == nil && n > 0
	}
	in := selectorReader{strings.TrimSpace(inside)}
	tests, err := in.compound()
	if err != nil || in.rest != "" || len(tests) != 1 || tests[0].not {
		return test{}, false
	}
	tests[0].not = true
	return tests[0], true
}

func (r *selectorReader) space() { r.rest = strings.TrimLeft(r.rest, " \t\n") }

// ident reads an identifier; a backslash takes the next character as it is.
func (r *selectorReader) ident() string {
	var b strings.Builder
	for i := 0; i < len(r.rest); i++ {
		c := r.rest[i]
		switch {
		case c == '\\' && i+1 < len(r.rest) && strings.IndexByte("!\"#$%&'()*+,./:;<=>?@[]^`{|}~", r.rest[i+1]) >= 0:
			i++
			b.WriteByte(r.rest[i])
		case c == '-' || c == '_' || c >= 0x80 || unreserved(c) && c != '.' && c != '~':
			b.WriteByte(c)
		default:
			r.rest = r.rest[i:]
			return b.String()
		}
	}
	r.rest = ""
	return b.String()
}
