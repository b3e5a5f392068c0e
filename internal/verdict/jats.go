package verdict

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// jats judges an article in JATS XML (ANSI/NISO Z39.96): well-formed to the end,
// with the root article, whose body holds text. Articles in a wrapper, of which
// there may be many (pmc-articleset, OAI-PMH), are refused: no source of ours
// answers so.
type jats struct {
	scan   xmlScanner
	root   string
	inBody bool // inside article/body
	body   bool // it is there
	text   bool // and it holds text
}

func newJATS() *jats {
	j := new(jats)
	j.scan.opened, j.scan.closed, j.scan.text = j.opened, j.closed, j.chars
	return j
}

func (j *jats) opened(name []byte, depth int) {
	if depth > 2 {
		return
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	switch {
	case depth == 1:
		j.root = strings.ToValidUTF8(string(name), "?")
	case string(name) == "body":
		j.inBody, j.body = true, true
	}
}

func (j *jats) closed(depth int) {
	if depth == 2 {
		j.inBody = false
	}
}

func (j *jats) chars(_ int, p []byte) {
	if j.inBody && !j.text {
		j.text = len(bytes.TrimLeft(p, " \t\r\n")) > 0
	}
}

func (j *jats) write(p []byte) { j.scan.write(p) }

func (j *jats) verdict(head []byte, media string) Verdict {
	j.scan.finish()
	v := Verdict{Level: Bad, Class: paper.InvalidContent, MediaType: media}
	switch x := &j.scan; {
	case rootElement(head) == "" && j.root == "":
		return wrongType(paper.XML, media)
	case j.root == "" || j.root == "article" && x.problem != "":
		v.Reason = fmt.Sprintf("not well-formed: %s, at byte %d", x.problem, x.at)
	case j.root != "article":
		v.Class, v.Reason = paper.WrongType, fmt.Sprintf("XML, but no article: the root element is %q", j.root)
	case !j.body:
		v.Reason = "no body: a description of the article only, such as its abstract"
	case !j.text:
		v.Reason = "empty body: the full text is somewhere else"
	default:
		return Verdict{Level: OK, MediaType: jatsType}
	}
	return v
}
