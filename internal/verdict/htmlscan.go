package verdict

import "bytes"

const (
	// runChars is how long a piece of text must be to count as running text:
	// menus, captions and buttons are shorter.
	runChars = 200
	keptTag  = 256 // bytes of a tag that are looked at
)

// htmlScanner measures the running text of a page in a stream: text that is not
// interrupted by a block, without what links say. It forgives whatever browsers
// do.
type htmlScanner struct {
	state   htmlState
	tag     [keptTag]byte // between < and >, lower case
	filled  int
	quote   byte
	last    byte   // of the tag, not white space
	raw     string // element whose text is skipped up to its end tag; empty: none
	dashes  int
	inLink  bool
	inTitle bool

	title   [keptTag]byte
	titled  int   // bytes of title in use
	run     int   // characters of the present run
	running int64 // of all runs that are long enough
	space   bool
	ended   bool // </html> was met
}

type htmlState uint8

const (
	htmlText htmlState = iota
	htmlTag
	htmlValue
	htmlComment
)

// rawElement returns the name if the element holds no text for readers. In <pre>
// the pages of libraries have citations to copy.
func rawElement(name []byte) string {
	for _, raw := range [...]string{"script", "style", "noscript", "template", "textarea", "select", "svg", "pre"} {
		if string(name) == raw {
			return raw
		}
	}
	return ""
}

// isBlock reports whether an element ends a run of text where it begins and ends.
func isBlock(name []byte) bool {
	switch string(name) {
	case "p", "div", "td", "th", "tr", "table", "li", "ul", "ol", "dl", "dt", "dd", "section", "article", "main", "nav",
		"header", "footer", "aside", "form", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "figure", "figcaption",
		"body", "hr", "title":
		return true
	}
	return false
}

func (h *htmlScanner) write(p []byte) {
	for len(p) > 0 {
		if h.state == htmlText {
			n := bytes.IndexByte(p, '<')
			if n < 0 {
				n = len(p)
			}
			h.text(p[:n])
			if p = p[n:]; len(p) > 0 {
				p = p[1:]
				h.state, h.filled, h.dashes, h.last = htmlTag, 0, 0, 0
			}
			continue
		}
		h.step(p[0])
		p = p[1:]
	}
}

func (h *htmlScanner) text(p []byte) {
	if h.raw != "" {
		return
	}
	if h.inTitle {
		h.titled += copy(h.title[h.titled:], p)
		return
	}
	if h.inLink {
		return
	}
	for _, c := range p {
		switch {
		case c <= ' ':
			h.space = true
			continue
		case c >= 0xe0: // a character of three bytes says as much as three letters
			h.run += 2
		case c >= 0x80 && c < 0xc0:
			continue
		}
		if h.space {
			h.run++
		}
		h.run++
		h.space = false
	}
}

func (h *htmlScanner) step(c byte) {
	switch h.state {
	case htmlText:
	case htmlValue:
		if c == h.quote {
			h.state = htmlTag
		}
		h.keep(c)
	case htmlComment:
		switch {
		case c == '>' && h.dashes >= 2:
			h.state = htmlText
		case c == '-':
			h.dashes++
		default:
			h.dashes = 0
		}
	case htmlTag:
		h.inTag(c)
	}
}

func (h *htmlScanner) inTag(c byte) {
	first := h.filled == 0
	switch {
	case first && c != '/' && c != '!' && c != '?' && (c|0x20 < 'a' || c|0x20 > 'z'):
		h.state = htmlText // a bare <
		h.tag[0], h.tag[1] = '<', c
		h.text(h.tag[:2])
		return
	case c == '>':
		h.endOfTag()
		return
	case (c == '"' || c == '\'') && h.raw == "" && h.last == '=': // elsewhere a quote is a mistake
		h.state, h.quote = htmlValue, c
	}
	if c > ' ' {
		h.last = c
	}
	h.keep(c)
	if h.filled == 3 && string(h.tag[:3]) == "!--" && h.raw == "" {
		h.state, h.dashes = htmlComment, 0
	}
}

func (h *htmlScanner) keep(c byte) {
	if h.filled < len(h.tag) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h.tag[h.filled] = c
		h.filled++
	}
}

func (h *htmlScanner) endOfTag() {
	h.state = htmlText
	tag := h.tag[:h.filled]
	name, end := bytes.CutPrefix(tag, []byte("/"))
	if i := bytes.IndexAny(name, " \t\r\n\f/"); i >= 0 {
		name = name[:i]
	}
	switch {
	case h.raw != "":
		if end && string(name) == h.raw {
			h.raw = ""
		}
		return
	case end:
		h.ended = h.ended || string(name) == "html"
	default:
		h.raw = rawElement(name)
	}
	switch {
	case string(name) == "a":
		h.inLink = !end
	case string(name) == "title" && (end || h.titled == 0):
		h.inTitle = !end
	}
	if isBlock(name) {
		h.endRun()
		h.inLink = false
	}
}

func (h *htmlScanner) endRun() {
	if h.run >= runChars {
		h.running += int64(h.run)
	}
	h.run, h.space = 0, false
}
