package verdict

import "bytes"

// maxDepth is how deep elements may be nested. The deepest article of our corpus
// has 17 levels; the JATS tag set allows more, without end, through lists and
// sections.
const maxDepth = 512

// keptName is how many bytes of a name are kept; longer ones are told apart by
// their hash.
const keptName = 64

// xmlScanner follows the markup of an XML document in a stream, over any chunk
// borders, and reports the first thing that makes it not well-formed. It resolves
// no entity and loads no DTD, so that no document can grow in its hands. It holds
// documents in UTF-8 and its like, in which markup is ASCII.
//
// It checks what damage breaks: that tags are closed in order, by the right name,
// and to the end, that there is one root, no bare < and no control character. It
// does not check attributes or entities.
type xmlScanner struct {
	state   xmlState
	problem string // empty: none so far
	at      int64  // bytes before the one that is looked at

	open  [maxDepth]uint64 // hashes of the names of open elements
	depth int
	roots int

	name  [keptName]byte // of the tag that is being read
	named int            // bytes of name in use
	hash  uint64
	quote byte
	slash bool // the last byte of the tag was a slash
	match int  // bytes of a closing mark that have been met
	mark  [9]byte
	inset bool // inside the [ ] of a DOCTYPE
	deep  int  // of < within a DOCTYPE

	opened func(name []byte, depth int)  // an element; depth of the root is 1
	closed func(depth int)               // its end
	text   func(depth int, chars []byte) // text within an element; may be blank
}

type xmlState uint8

const (
	inText   xmlState = iota
	inMarkup          // after <
	inStart           // name of a start tag
	inTag             // after the name
	inValue           // of an attribute
	inEnd             // name of an end tag
	afterEnd          // space before its >
	inBang            // after <!
	inComment
	inCDATA
	inPI
	inDoctype
	inDoctypeValue
	inDoctypeComment
)

// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/): it tells names apart that
// differ by accident.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

func (x *xmlScanner) write(p []byte) {
	for len(p) > 0 && x.problem == "" {
		if x.state == inText {
			n := bytes.IndexByte(p, '<')
			if n < 0 {
				n = len(p)
			}
			x.chars(p[:n])
			if p = p[n:]; len(p) > 0 && x.problem == "" {
				x.state = inMarkup
				x.at, p = x.at+1, p[1:]
			}
			continue
		}
		if x.step(p[0]); x.problem == "" {
			x.at, p = x.at+1, p[1:]
		}
	}
}

// finish reports what is missing at the end.
func (x *xmlScanner) finish() {
	switch {
	case x.problem != "":
	case x.state != inText:
		x.problem = "cut inside of markup"
	case x.depth > 0:
		x.problem = "cut: elements are left open"
	case x.roots == 0:
		x.problem = "no element"
	}
}

func (x *xmlScanner) fail(problem string) {
	if x.problem == "" {
		x.problem = problem
	}
}

// chars takes text. Outside of the root there may only be white space, and a byte
// order mark before it.
func (x *xmlScanner) chars(p []byte) {
	for i, c := range p {
		isMark := x.roots == 0 && x.at+int64(i) < 3 && c >= 0x80
		switch {
		case c < ' ' && c != '\t' && c != '\n' && c != '\r':
			x.fail("control character")
		case x.depth == 0 && c > ' ' && !isMark:
			x.fail("text outside of the root element")
		default:
			continue
		}
		x.at += int64(i)
		return
	}
	x.at += int64(len(p))
	if x.depth > 0 {
		x.text(x.depth, p)
	}
}

func (x *xmlScanner) step(c byte) {
	if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
		x.fail("control character")
		return
	}
	switch x.state {
	case inText:
	case inMarkup:
		x.begin(c)
	case inStart, inTag:
		x.inside(c)
	case inValue:
		switch c {
		case x.quote:
			x.state = inTag
		case '<':
			x.fail("< in an attribute")
		}
	case inEnd, afterEnd:
		x.endTag(c)
	case inBang:
		x.bang(c)
	case inComment, inCDATA, inPI, inDoctypeComment:
		x.skip(c)
	case inDoctype, inDoctypeValue:
		x.doctype(c)
	}
}

func (x *xmlScanner) begin(c byte) {
	x.named, x.hash, x.match = 0, fnvBasis, 0
	switch {
	case c == '/':
		x.state = inEnd
	case c == '!':
		x.state = inBang
	case c == '?':
		x.state = inPI
	case isNameStart(c):
		x.state, x.slash = inStart, false
		x.addName(c)
	default:
		x.fail("bare <")
	}
}

func isNameStart(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == ':' || c >= 0x80
}

func (x *xmlScanner) addName(c byte) {
	if x.named < keptName {
		x.name[x.named] = c
		x.named++
	}
	x.hash = (x.hash ^ uint64(c)) * fnvPrime
}

// inside reads a start tag from its name on.
func (x *xmlScanner) inside(c byte) {
	switch {
	case c == '>':
		x.openElement()
		if x.slash {
			x.closeElement()
		}
		x.state = inText
	case c == '<':
		x.fail("< in a tag")
	case x.slash:
		x.fail("/ in a tag")
	case c == '/':
		x.state, x.slash = inTag, true
	case c == '"' || c == '\'':
		x.state, x.quote = inValue, c
	case c <= ' ':
		x.state = inTag
	case x.state == inStart:
		x.addName(c)
	}
}

func (x *xmlScanner) endTag(c byte) {
	switch {
	case c == '>':
		switch {
		case x.depth == 0:
			x.fail("end tag without a start")
		case x.open[x.depth-1] != x.hash:
			x.fail("end tag of another element than the open one")
		default:
			x.closeElement()
		}
		x.state = inText
	case c <= ' ':
		x.state = afterEnd
	case x.state == afterEnd || c == '<':
		x.fail("end tag with more than a name")
	default:
		x.addName(c)
	}
}

func (x *xmlScanner) openElement() {
	if x.depth == 0 {
		x.roots++
	}
	switch {
	case x.roots > 1:
		x.fail("second root element")
	case x.depth == maxDepth:
		x.fail("elements nested too deep")
	default:
		x.open[x.depth] = x.hash
		x.depth++
		x.opened(x.name[:x.named], x.depth)
	}
}

func (x *xmlScanner) closeElement() {
	if x.problem == "" {
		x.closed(x.depth)
		x.depth--
	}
}
