package verdict

// Comments, CDATA sections, processing instructions and the DOCTYPE.

// bang tells by the characters after <! what follows.
func (x *xmlScanner) bang(c byte) {
	if x.match < len(x.mark) {
		x.mark[x.match] = c
		x.match++
	}
	switch mark := string(x.mark[:x.match]); {
	case mark == "--":
		x.state, x.match = inComment, 0
	case mark == "[CDATA[":
		x.state, x.match = inCDATA, 0
		if x.depth == 0 {
			x.fail("text outside of the root element")
		}
	case mark == "DOCTYPE":
		x.state, x.inset, x.deep = inDoctype, false, 0
		if x.roots > 0 {
			x.fail("DOCTYPE behind the root element")
		}
	case !isPrefix(mark, "--") && !isPrefix(mark, "[CDATA[") && !isPrefix(mark, "DOCTYPE"):
		x.fail("unknown markup")
	}
}

func isPrefix(prefix, of string) bool { return len(prefix) <= len(of) && of[:len(prefix)] == prefix }

// skip looks for the mark that ends a section.
func (x *xmlScanner) skip(c byte) {
	end, double := "-->", byte('-')
	if x.state == inPI {
		end, double = "?>", '?'
	}
	if x.state == inCDATA {
		end, double = "]]>", ']'
		if c != ']' && c != '>' { // the text of the section, but for brackets
			x.mark[0] = c
			x.text(x.depth, x.mark[:1])
		}
	}
	switch {
	case c == end[x.match]:
		x.match++
	case c == double && x.match > 0: // --- and ]]] keep what was met; ?? does too
	default:
		x.match = 0
	}
	if x.match == len(end) {
		x.match = 0
		if x.state == inDoctypeComment {
			x.state = inDoctype
			return
		}
		x.state = inText
	}
}

// doctype skips a DOCTYPE with the declarations in it. Entities are not resolved
// anywhere, so they need not be read.
func (x *xmlScanner) doctype(c byte) {
	if x.state == inDoctypeValue {
		if c == x.quote {
			x.state = inDoctype
		}
		return
	}
	// <!-- may hold a quote that is never closed.
	if x.match < len("<!--") && c == "<!--"[x.match] {
		x.match++
	} else {
		x.match = 0
		if c == '<' {
			x.match = 1
		}
	}
	switch {
	case x.match == len("<!--"):
		x.state, x.match = inDoctypeComment, 0
		x.deep--
	case c == '"' || c == '\'':
		x.state, x.quote = inDoctypeValue, c
	case c == '[':
		x.inset = true
	case c == ']':
		x.inset = false
	case c == '<':
		x.deep++
	case c == '>' && x.deep > 0:
		x.deep--
	case c == '>' && !x.inset:
		x.state, x.match = inText, 0
	}
}
