package verdict

import "bytes"

const (
	windowBytes = 32 << 10
	behind      = 2 << 10 // kept before the scanned part: where an object's dictionary began
	ahead       = 256     // must follow a token before it is looked at: the longest look forward
	holeBytes   = windowBytes
	nearBytes   = 512 // two keys this close are taken to be of one dictionary
)

// scanner finds the structure of a PDF in a stream, over any chunk borders. It
// stops only at slashes and at the letter x, so its cost is that of two
// vectorised searches for a byte.
type scanner struct {
	window [windowBytes]byte
	n      int   // bytes in window
	from   int   // first byte of window not yet scanned
	base   int64 // offset of window[0] in the file

	page, pages   bool // /Type /Page; a node of the page tree
	objectStreams bool // pages may be inside these, compressed
	encrypted     bool
	stated        int64 // the file's length in its own word, if linearised; 0 if not
	hole          bool  // a long run of NULs inside a compressed stream
	end           ending
	tables        positions // of cross-reference tables and streams
	searched      int64     // offset before which no object's beginning is sought any more

	solid          int64 // offset after the last byte that is neither NUL nor blank
	length, filter int64 // offsets of the last /Length and /Filter
	nuls           int64 // length of the run of NULs just before window[from]
	nulsInFilter   bool  // that run began in a stream with a filter

	glean gleaner
}

// ending is the last startxref of the file.
type ending struct {
	found  bool
	eof    bool  // %%EOF follows
	target int64 // offset of the cross-reference, as written
	after  int64 // offset after it and its %%EOF
}

func (s *scanner) size() int64 { return s.base + int64(s.n) }

func (s *scanner) write(p []byte) {
	for len(p) > 0 {
		c := copy(s.window[s.n:], p)
		s.n += c
		p = p[c:]
		if s.n == len(s.window) {
			s.look(s.n - ahead)
			s.slide()
		}
	}
}

func (s *scanner) finish() { s.look(s.n) }

// slide makes room, keeping what is not yet scanned and a little before it.
func (s *scanner) slide() {
	drop := s.from - behind
	copy(s.window[:], s.window[drop:s.n])
	s.n -= drop
	s.from -= drop
	s.base += int64(drop)
}

// look scans window[from:to]. Tokens that begin there may end after it.
func (s *scanner) look(to int) {
	part := s.window[s.from:to]
	for i := next(part, 0, '/'); i >= 0; i = next(part, i+1, '/') {
		s.name(s.from + i)
	}
	for i := next(part, 0, 'x'); i >= 0; i = next(part, i+1, 'x') {
		s.xref(s.from + i)
	}
	s.blanks(part)
	s.feed(s.base + int64(to))
	s.from = to
}

func next(b []byte, from int, c byte) int {
	i := bytes.IndexByte(b[from:], c)
	if i < 0 {
		return -1
	}
	return from + i
}

// name takes note of the PDF name at window[at].
func (s *scanner) name(at int) {
	b := s.window[at:s.n]
	if len(b) < 2 {
		return
	}
	switch b[1] {
	case 'T':
		if rest, ok := cutName(b, "/Type"); ok {
			rest = skipSpace(rest)
			if isName(rest, "/Page") {
				s.page = true
				s.glean.leaves++
			}
			s.pages = s.pages || isName(rest, "/Pages")
		} else if isName(b, "/ToUnicode") {
			s.toUnicode(at)
		}
	case 'C':
		if isName(b, "/Count") {
			s.count(at)
		} else if isName(b, "/CreationDate") {
			s.raw(at)
		}
	case 'P':
		if isName(b, "/Producer") {
			s.raw(at)
		}
	case 'K':
		s.pages = s.pages || isName(b, "/Kids")
	case 'O':
		s.objectStreams = s.objectStreams || isName(b, "/ObjStm")
	case 'E':
		s.encrypted = s.encrypted || isName(b, "/Encrypt")
	case 'X':
		if isName(b, "/XRef") {
			s.xrefStream(at)
		}
	case 'L':
		if isName(b, "/Length") {
			s.length = s.base + int64(at)
			s.stream(at)
		} else if isName(b, "/Linearized") && s.stated == 0 {
			s.stated = linearizedLength(b)
		}
	case 'F':
		if isName(b, "/Filter") {
			s.filter = s.base + int64(at)
		} else if rest, ok := cutName(b, "/Font"); ok && bytes.HasPrefix(skipSpace(rest), []byte("<<")) {
			s.raw(at)
		}
	}
}

// xrefStream takes note of the object in whose dictionary window[at] lies. No
// byte is searched twice for its beginning.
func (s *scanner) xrefStream(at int) {
	from := max(0, int(s.searched-s.base))
	if i := objectStart(s.window[from:at]); i >= 0 {
		s.tables.add(s.base + int64(from+i))
	}
	s.searched = s.base + int64(at)
}

// xref takes note of "xref" and "startxref" whose x is window[at], and of XMP.
func (s *scanner) xref(at int) {
	b, ok := bytes.CutPrefix(s.window[at:s.n], []byte("xref"))
	if !ok {
		if at > 0 && s.window[at-1] == '<' && bytes.HasPrefix(b, []byte("x:xmpmeta")) && s.glean.on {
			s.keep(piece{kind: packetPiece}, s.base+int64(at), packetBytes)
		}
		return
	}
	if !bytes.HasSuffix(s.window[:at], []byte("start")) {
		s.tables.add(s.base + int64(at))
		return
	}
	target, rest, ok := number(skipSpace(b))
	if !ok {
		return
	}
	after := len(b) - len(rest)
	const eof = "%%EOF"
	i := bytes.Index(rest[:min(len(rest), 64)], []byte(eof))
	if i >= 0 {
		after += i + len(eof)
	}
	s.end = ending{found: true, eof: i >= 0, target: target, after: s.base + int64(at+len("xref")+after)}
}

// blanks follows the runs of NULs and the last solid byte over part, which
// starts at window[from] and whose names are already noted. A run that may
// count as a hole is longer than a window, so it reaches the end of a part, and
// the names noted then are those before it.
func (s *scanner) blanks(part []byte) {
	solid := bytes.TrimRight(part, "\x00 \t\r\n\f")
	if len(solid) > 0 {
		s.solid = s.base + int64(s.from+len(solid))
	}
	rest := bytes.TrimLeft(part, "\x00")
	s.nuls += int64(len(part) - len(rest))
	if len(rest) == 0 {
		return
	}
	s.hole = s.hole || s.nuls >= holeBytes && s.nulsInFilter
	s.nuls = int64(len(rest) - len(bytes.TrimRight(rest, "\x00")))
	s.nulsInFilter = s.filter > 0 && max(s.filter-s.length, s.length-s.filter) < nearBytes
}

// positions remembers the first few and the last few offsets it is given. The
// cross-reference that counts is one of the last, or one of the first in a
// linearised file.
type positions struct {
	first, last [8]int64
	n           int
}

func (p *positions) add(at int64) {
	if p.n < len(p.first) {
		p.first[p.n] = at
	}
	p.last[p.n%len(p.last)] = at
	p.n++
}

// near reports whether an offset within slack bytes of at is remembered.
func (p *positions) near(at, slack int64) bool {
	for i := range min(p.n, len(p.first)) {
		if max(p.first[i]-at, at-p.first[i]) <= slack || max(p.last[i]-at, at-p.last[i]) <= slack {
			return true
		}
	}
	return false
}
