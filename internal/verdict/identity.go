package verdict

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"
)

// Work is what is known of the work that a file is to be. Unknown is empty.
type Work struct{ DOI, ArXiv, Title string }

// Identity is whether a file shows itself to be the work that was asked for.
type Identity string

// The identities. Empty means that the file says nothing that could be read.
const (
	Confirmed    Identity = "confirmed"    // it bears the work's DOI, arXiv id or title
	Contradicted Identity = "contradicted" // it bears the DOI of another work, and nothing of this one
)

const (
	leastTitle = 12  // letters of a title that can be looked for; "Editorial" is in many papers
	leastText  = 200 // letters that must be readable before it means anything that a title is missing
	maxMeta    = 64 << 10
)

// identify compares what the first pages and the metadata say with the work. It
// makes no statement unless they say something plain, for a wrong one costs a paper:
// to be contradicted, a file must name one DOI only, of another work, and less than
// half of the words of the title.
func (l *glimpse) identify(w Work) (id Identity, note string) {
	meta := l.metadata()
	if id := w.within(meta); id != "" {
		return id, ""
	}
	text := l.firstPages()
	if id := w.within(text); id != "" {
		return id, ""
	}
	title := plainTitle(w.Title)
	if w.DOI == "" || len(letters(title)) < leastTitle || len(letters(text)) < leastText {
		return "", ""
	}
	if share(title, letters(meta+" "+text)) >= 0.5 {
		return "", ""
	}
	for _, from := range []struct{ name, text string }{{"metadata", meta}, {"first page", text}} {
		others := otherDOIs(from.text)
		switch {
		case len(others) == 0:
			continue
		case len(others) == 1 && !sameFamily(others[0], w.DOI):
			return Contradicted, fmt.Sprintf("another work's file: its %s names doi:%s and not the title", from.name, others[0])
		}
		return "", ""
	}
	return "", ""
}

// within looks for the work's identifiers and title in a text.
func (w Work) within(text string) Identity {
	dense := dense(text)
	switch {
	case w.DOI != "" && holdsID(dense, strings.ToLower(w.DOI)):
		return Confirmed
	case w.ArXiv != "" && holdsID(dense, "arxiv:"+strings.ToLower(w.ArXiv)):
		return Confirmed
	}
	title, all := letters(plainTitle(w.Title)), letters(text)
	if len(title) >= leastTitle && strings.Contains(all, title) {
		return Confirmed
	}
	// Fonts without a map hide their ligatures: ff, fi, fl and the like.
	bare := strings.NewReplacer("f", "", "i", "", "l", "")
	if title = bare.Replace(title); len(title) >= leastTitle && strings.Contains(bare.Replace(all), title) {
		return Confirmed
	}
	return ""
}

// metadata returns what XMP and the strings of information dictionaries say.
func (l *glimpse) metadata() string {
	var b strings.Builder
	add := func(text string) {
		if b.Len()+len(text) < maxMeta {
			b.WriteString(text + "\n")
		}
	}
	for _, p := range l.g.pieces[packetPiece] {
		add(html.UnescapeString(tagsOut(l.bytesOf(p))))
	}
	for _, p := range l.g.pieces[rawPiece] {
		l.strings(p.data, add)
	}
	for _, n := range l.order {
		object := l.objects[n]
		if bytes.Contains(object, []byte("/Producer")) || bytes.Contains(object, []byte("/CreationDate")) {
			l.strings(object, add)
		}
	}
	return b.String()
}

// tagsOut keeps the text and the attributes of a packet, apart from its namespaces.
func tagsOut(packet []byte) string {
	text := nameSpaces.ReplaceAllString(string(packet[:min(len(packet), packetBytes)]), " ")
	return strings.NewReplacer("<", " <", ">", "> ", `"`, ` " `, "'", " ' ").Replace(text)
}

var nameSpaces = regexp.MustCompile(`(?s)</?[^<>"']*>|xmlns:\w+=["'][^"']*["']`)

// strings calls add with the strings of a dictionary.
func (l *glimpse) strings(b []byte, add func(string)) {
	for len(b) > 0 {
		at := bytes.IndexAny(b, "(<")
		if at < 0 {
			return
		}
		b = b[at:]
		var value []byte
		switch {
		case b[0] == '(':
			value, b = literal(b)
		case len(b) > 1 && b[1] == '<':
			b = b[2:]
			continue
		default:
			value, b = hexDigits(b[1:])
		}
		add(textString(value))
	}
}

// firstPages returns what the first pages show, as far as it can be read, up to the
// list of references: there stand the DOIs and titles of other works.
func (l *glimpse) firstPages() string {
	t := shown{l: l}
	for _, p := range l.g.pieces[contentPiece] {
		b := l.bytesOf(p)
		if !bytes.Contains(b, []byte("Tj")) && !bytes.Contains(b, []byte("TJ")) {
			continue
		}
		t.contents(b)
		if at := referencesAt(t.text.String()); at >= 0 {
			return t.text.String()[:at]
		}
	}
	return t.text.String()
}
