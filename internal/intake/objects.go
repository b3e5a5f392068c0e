package intake

import (
	"bytes"
	"regexp"
)

// maxObject is how long an object of OpenAlex may be, in bytes. The works of
// collaborations list thousands of authors with their affiliations, at about a
// thousand bytes each.
const maxObject = 16 << 20

// schema says what the fields of a JSON object of one format hold.
type schema struct {
	field  func(name []byte) slot
	inside string // a field whose object has identifiers, too
	nested func(name []byte) slot
	list   string // the field of a list answer that has the rows
	what   string // an object is called, in errors
}

// readObjects reads objects: one a line, or of a document in any layout that is
// an array of them, an answer with a list of them, or several of these.
func readObjects(in *input, sc *schema, yield func(Row, error) bool) error {
	rows := objectRows{schema: sc, in: in}
	if !isDocument(in.head(detectBytes, false)) {
		return in.eachLine(yield, func(line []byte) bool {
			return yield(rows.row(in.line, line))
		})
	}
	doc := document{in: in, schema: sc, each: func(line int, object []byte) bool { return yield(rows.row(line, object)) }}
	return doc.read()
}

// listAnswer is how the answer of an API begins that has its rows in a list.
var listAnswer = regexp.MustCompile(`^\s*\{\s*"(?:meta|results|items|group_by)"\s*:`)

// isDocument reports whether a stream of JSON is not an object a line: it begins
// with an array or a list answer, or its first line has only part of an object.
func isDocument(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	if bytes.HasPrefix(head, []byte("[")) || listAnswer.Match(head) {
		return true
	}
	first, _, more := bytes.Cut(head, []byte("\n"))
	first = bytes.TrimRight(first, " \t\r")
	return more && len(first) > 0 && bytes.IndexByte([]byte("{[,:"), first[len(first)-1]) >= 0
}

// objectRows makes rows of objects.
type objectRows struct {
	*schema
	in    *input
	scan  scanner
	entry entry
}

func (r *objectRows) row(line int, object []byte) (Row, error) {
	r.entry.reset()
	if err := r.scan.entry(object, r.schema, &r.entry); err != nil {
		return Row{}, newReject(line, firstLine(object), err)
	}
	return r.entry.row(line, object, r.what)
}
