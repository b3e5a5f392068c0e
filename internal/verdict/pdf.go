package verdict

import (
	"bytes"
	"fmt"

	"github.com/gabriel-vasile/mimetype"

	"github.com/quire-dev/quire/paper"
)

const (
	// pdfHeader must begin within the first 1,024 bytes: so do Acrobat and the
	// readers that follow it (PDF Reference 1.7, appendix H.3, note 13), because
	// servers put warnings or byte order marks before it.
	pdfHeader   = "%PDF-"
	headerBytes = 1024

	// tailBytes may follow the last %%EOF (same place, note 18).
	tailBytes = 1024

	// slackBytes is how far startxref may miss: producers miscount line ends.
	slackBytes = 16
)

// headerOffset returns where the PDF header begins, or -1.
func headerOffset(head []byte) int {
	return bytes.Index(head[:min(len(head), headerBytes+len(pdfHeader)-1)], []byte(pdfHeader))
}

// judgePDF judges a file whose head contains a PDF header. A file that says it is
// another work than w is whole, but not to be trusted.
func judgePDF(head []byte, s *scanner, w Work) Verdict {
	offset := int64(headerOffset(head))
	v := Verdict{Level: OK, MediaType: pdfType, Offset: offset, Encrypted: s.encrypted}
	if v.Level, v.Reason = damage(head, offset, s); !v.Level.Usable() {
		v.Class = paper.InvalidContent
		return v
	}
	if v.Level == OK {
		v.Level, v.Reason = flaw(offset, s)
	}
	in := newGlimpse(&s.glean)
	v.Pages = in.pages(s.objectStreams)
	if v.Encrypted || w == (Work{}) {
		return v // what is encrypted says nothing
	}
	var note string
	if v.Identity, note = in.identify(w); v.Identity == Contradicted {
		v.Level, v.Class, v.Reason = Suspect, paper.WrongWork, note
	}
	return v
}

// damage returns what makes the file unusable, from the surest sign down.
func damage(head []byte, offset int64, s *scanner) (Level, string) {
	end, size := s.end, s.size()
	switch before := otherMagic(head[:offset]); {
	case before != "":
		return Suspect, before + " before the PDF header: a file of two types"
	case htmlAfterHeader(head[offset:]):
		return Bad, "HTML behind a PDF header"
	case s.stated > size-offset:
		return Bad, fmt.Sprintf("cut: %d of %d bytes", size-offset, s.stated)
	case !end.found:
		return Bad, "cut or damaged: no startxref"
	case !s.page && !s.objectStreams:
		return Bad, "no page"
	case !s.objectStreams && !s.pages:
		return Suspect, "no page tree"
	case s.solid-end.after > tailBytes:
		return Suspect, fmt.Sprintf("cut or appended to: %d bytes after the last startxref", s.solid-end.after)
	case !s.tables.near(end.target, slackBytes) && !s.tables.near(end.target+offset, slackBytes):
		return Suspect, fmt.Sprintf("no cross-reference at %d, where startxref points", end.target)
	case s.hole:
		return Suspect, "a run of NULs inside compressed data"
	}
	return OK, ""
}

// flaw returns what is worth telling about a readable file.
func flaw(offset int64, s *scanner) (Level, string) {
	switch {
	case !s.end.eof:
		return OKWarn, "no %%EOF at the end"
	case s.encrypted:
		return OKWarn, "encrypted: it may ask for a password"
	case offset > 0:
		return OKWarn, fmt.Sprintf("%d bytes before the PDF header", offset)
	case s.size()-s.end.after > tailBytes:
		return OKWarn, fmt.Sprintf("%d blank bytes after the end", s.size()-s.end.after)
	}
	return OK, ""
}

// otherMagic returns the media type that the bytes before the PDF header begin, or ""
// if they are just in the way: a warning of the server's, its headers, a mark, blanks.
func otherMagic(before []byte) string {
	if len(before) < 2 {
		return ""
	}
	for _, active := range []string{"<script", "<iframe", "<svg", "<object"} { // a browser would run it
		if bytes.Contains(bytes.ToLower(before), []byte(active)) {
			return htmlType
		}
	}
	if media := mimetype.Detect(before); !isA(media.String(), textType) && !media.Is(unknownType) {
		return media.String()
	}
	return ""
}

// htmlAfterHeader reports whether a page hides behind a PDF header, which is
// one line and perhaps a comment of binary bytes.
func htmlAfterHeader(head []byte) bool {
	for bytes.HasPrefix(head, []byte("%")) {
		_, head, _ = bytes.Cut(head, []byte("\n"))
		head = bytes.TrimLeft(head, "\x00\t\n\f\r ")
	}
	return isHTML(head)
}
