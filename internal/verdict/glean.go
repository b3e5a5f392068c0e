package verdict

import "bytes"

// What is kept of a PDF while it passes, to look into when all of it is known: the
// page tree, the metadata, and what the first page shows. A megabyte at most, whatever
// the file is; 20 to 120 KB of those of our corpus.
const (
	maxContents  = 3        // streams that may be what the first pages show
	contentBytes = 48 << 10 // of each, as they are stored; those of our corpus have 3 to 5 KB

	firstObjects = 2 // object streams at the beginning,
	lastObjects  = 6 // and at the end, where writers put the page tree and the metadata
	objectsBytes = 32 << 10

	firstSmalls = 16      // short streams: some of them tell what the codes of a font mean
	lastSmalls  = 112     // and stand where the fonts do, mostly behind the pages
	smallBytes  = 4 << 10 // those of our corpus have 150 to 650 bytes

	maxPackets  = 4 // XMP packets
	packetBytes = 16 << 10

	maxRaws  = 16 // stretches around dictionaries of interest that are not compressed
	rawBytes = 1 << 10

	maxFonts = 64 // fonts that say where their codes are explained

	// dictBytes is how far before its length the dictionary of a stream may begin.
	dictBytes = 512
	// idleBytes are passed over after a name that led nowhere, so that a file that
	// repeats it is not slow to read.
	idleBytes = 64

	leastContent = 40      // bytes; what is shorter shows no text
	leastSmall   = 100     // bytes; what is shorter explains none
	maxPages     = 1 << 20 // a page tree that states more is not believed
)

type pieceKind uint8

const (
	contentPiece pieceKind = iota
	objectsPiece
	smallPiece
	packetPiece
	rawPiece
	pieceKinds
)

// piece is a stretch of the file that is kept.
type piece struct {
	kind   pieceKind
	object int64 // number of the object whose stream it is
	first  int64 // of an object stream: where its objects begin
	flate  bool
	end    int64 // offset in the file after it
	next   int64 // offset of the first byte that is still to come
	data   []byte
}

// gleaner keeps pieces of a PDF.
type gleaner struct {
	on     bool
	pieces [pieceKinds][]*piece
	open   []*piece // whose bytes are still to come
	fonts  [maxFonts]struct{ object, codes int64 }
	nfonts int

	idle      int64 // no stream is looked for before this offset
	idleCount int64 // no page count is
	pageCount int64 // the greatest that a node of the page tree states; 0: none
	leaves    int64 // page objects
}

// keep begins a piece of at most n bytes at an offset in the file. What of it has
// been passed already must still be in the window.
func (s *scanner) keep(p piece, from, n int64) {
	list := s.glean.pieces[p.kind]
	most := [pieceKinds]struct{ first, last int }{
		contentPiece: {maxContents, 0}, objectsPiece: {firstObjects, lastObjects}, smallPiece: {firstSmalls, lastSmalls},
		packetPiece: {maxPackets, 0}, rawPiece: {maxRaws, 0},
	}[p.kind]
	if len(list) == most.first+most.last {
		if most.last == 0 {
			return
		}
		list = append(list[:most.first], list[most.first+1:]...)
	}
	p.next, p.end = from, from+n
	kept := &p
	s.take(kept, s.base+int64(s.from))
	s.glean.pieces[p.kind] = append(list, kept)
	s.glean.open = append(s.glean.open, kept)
}

// take copies what the window has of a piece, up to an offset in the file.
func (s *scanner) take(p *piece, to int64) {
	if to = min(to, p.end); p.next < to && p.next >= s.base {
		p.data = append(p.data, s.window[p.next-s.base:to-s.base]...)
		p.next = to
	}
}

// feed gives the open pieces what lies before an offset in the file.
func (s *scanner) feed(to int64) {
	open := s.glean.open[:0]
	for _, p := range s.glean.open {
		if s.take(p, to); p.next < p.end {
			open = append(open, p)
		}
	}
	s.glean.open = open
}

// stream looks at the stream in whose dictionary /Length is, at window[at].
func (s *scanner) stream(at int) {
	offset := s.base + int64(at)
	if !s.glean.on || offset < s.glean.idle {
		return
	}
	s.glean.idle = offset + idleBytes
	back := max(0, at-dictBytes)
	begin := objectStart(s.window[back:at])
	b := s.window[at:min(s.n, at+ahead)]
	end := bytes.Index(b, []byte("stream"))
	if begin < 0 || end < 0 || bytes.Contains(b[:end], []byte("endobj")) {
		return
	}
	begin += back
	dict := s.window[begin : at+end]
	p, ok := pieceOf(dict)
	if !ok {
		return
	}
	length, rest, ok := number(skipSpace(b[len("/Length"):]))
	if _, _, more := number(skipSpace(rest)); !ok || more {
		length = -1 // stands in another object
	}
	for _, open := range s.glean.open { // of a stream whose length was not known
		if open.kind != packetPiece && open.kind != rawPiece {
			open.end = max(open.next, min(open.end, s.base+int64(begin)))
		}
	}
	body := at + end + len("stream")
	for i := 0; i < 2 && body < s.n && (s.window[body] == '\r' || s.window[body] == '\n'); i++ {
		body++
	}
	most := [pieceKinds]int64{contentBytes, objectsBytes, smallBytes, packetBytes, rawBytes}
	switch {
	case p.kind != contentPiece:
	case length >= 0 && length < leastContent:
		return
	case len(s.glean.pieces[contentPiece]) == maxContents:
		p.kind = smallPiece
		if length > smallBytes || length >= 0 && length < leastSmall {
			return
		}
	}
	if length < 0 || length > most[p.kind] {
		length = most[p.kind]
	}
	s.keep(p, s.base+int64(body), length)
}

// pieceOf tells by its object up to the word stream whether a stream is worth
// keeping.
func pieceOf(object []byte) (p piece, ok bool) {
	has := func(name string) bool { return bytes.Contains(object, []byte(name)) }
	p.object, _, _ = number(object)
	switch filters := bytes.Count(object, []byte("Decode")) - bytes.Count(object, []byte("DecodeParms")); {
	case has("/FlateDecode") && filters == 1 && !has("/Predictor"):
		p.flate = true
	case filters > 0 || has("/Filter"):
		return p, false
	}
	switch {
	case has("/ObjStm"):
		p.kind = objectsPiece
		if _, after, found := bytes.Cut(object, []byte("/First")); found {
			p.first, _, _ = number(skipSpace(after))
		}
	case has("/Metadata"):
		p.kind = packetPiece
	case has("/Type") || has("/Subtype") || has("/Length1") || has("/Alternate") || has("/FunctionType"):
		return p, false
	default:
		p.kind = contentPiece
	}
	return p, true
}

// raw keeps what follows window[at], and before it the beginning of its object.
func (s *scanner) raw(at int) {
	from := s.base + int64(at)
	back := max(0, at-rawBytes)
	if begin := bytes.LastIndex(s.window[back:at], []byte(" obj")); begin >= 0 {
		from = s.base + int64(back+begin)
	}
	if list := s.glean.pieces[rawPiece]; len(list) > 0 && from < list[len(list)-1].end {
		from = list[len(list)-1].end
	}
	if to := s.base + int64(at+rawBytes); s.glean.on && from < to {
		s.keep(piece{kind: rawPiece}, from, to-from)
	}
}

// toUnicode takes note of a font that says, at window[at], which stream explains
// its codes.
func (s *scanner) toUnicode(at int) {
	codes, _, ok := number(skipSpace(s.window[at+len("/ToUnicode") : s.n]))
	back := s.window[max(0, at-dictBytes):at]
	begin := objectStart(back)
	if !s.glean.on || !ok || begin < 0 || s.glean.nfonts == maxFonts {
		return
	}
	object, _, _ := number(back[begin:])
	s.glean.fonts[s.glean.nfonts].object, s.glean.fonts[s.glean.nfonts].codes = object, codes
	s.glean.nfonts++
}

// count takes note of the number of pages, if /Count at window[at] is that of a
// node of the page tree. The outline has counts, too.
func (s *scanner) count(at int) {
	offset := s.base + int64(at)
	n, _, ok := number(skipSpace(s.window[at+len("/Count") : s.n]))
	if !ok || n < 1 || n > maxPages || offset < s.glean.idleCount {
		return
	}
	s.glean.idleCount = offset + idleBytes/2
	back := s.window[max(0, at-dictBytes):at]
	begin := bytes.LastIndex(back, []byte(" obj"))
	near, _, _ := bytes.Cut(s.window[at:min(s.n, at+ahead)], []byte("endobj"))
	isTree := func(b []byte) bool {
		return bytes.Contains(b, []byte("/Kids")) || bytes.Contains(b, []byte("/Type /Pages")) || bytes.Contains(b, []byte("/Type/Pages"))
	}
	longList := begin < 0 && bytes.HasSuffix(bytes.TrimRight(back, " \r\n\t"), []byte("]"))
	if longList || isTree(back[max(0, begin):]) || isTree(near) {
		s.glean.pageCount = max(s.glean.pageCount, n)
	}
}
