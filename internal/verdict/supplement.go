package verdict

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/gabriel-vasile/mimetype"

	"github.com/quire-dev/quire/paper"
)

const (
	zipType = "application/zip"

	// zipEnd is the record that every ZIP archive ends with, and zipTail how much of
	// the end is searched for it: a comment may follow (APPNOTE.TXT 6.3.10, section
	// 4.3.16), which the services that pack supplements do not write.
	zipEnd      = "PK\x05\x06"
	zipEndBytes = 22
	zipTail     = 4 << 10
)

// supplement judges an archive of supplementary files, or one such file: ZIP and
// what is made of it, tar, gzip, PDF, and the older formats of office programs. A
// page, a record in XML or JSON, or a plain text are what services answer with that
// have no such file.
type supplement struct {
	pdf  *scanner
	tail [2 * zipTail]byte // the end of the file, in its second half at least
	kept int
	size int64
	tar  tarScanner
	zip  *inflater
}

func newSupplement(pdf *scanner) *supplement { return &supplement{pdf: pdf} }

func (s *supplement) write(p []byte) {
	if s.size == 0 && len(p) > 0 && p[0] == 0x1f {
		s.zip = &inflater{sink: func([]byte) {}}
	}
	s.size += int64(len(p))
	if s.zip != nil {
		s.zip.write(p)
	} else {
		s.tar.write(p) // of another type it fails at once
	}
	for len(p) > 0 {
		if s.kept == len(s.tail) {
			s.kept = copy(s.tail[:], s.tail[len(s.tail)-zipTail:])
		}
		n := copy(s.tail[s.kept:], p)
		s.kept += n
		p = p[n:]
	}
}

func (s *supplement) verdict(head []byte, media string) Verdict {
	problem := ""
	switch {
	case media == pdfType:
		return judgePDF(head, s.pdf, Work{})
	case isA(media, zipType):
		problem = s.zipProblem()
	case media == gzipType && s.zip != nil:
		s.zip.finish()
		problem = s.zip.problem
	case isTar(head):
		s.tar.finish()
		media, problem = tarType, s.tar.problem
	case isA(media, "application/x-ole-storage"), slices.Contains([]string{
		"application/x-rar-compressed", "application/x-7z-compressed", "application/x-bzip2", "application/x-xz",
	}, media): // told by their first bytes alone
	default:
		return wrongType(paper.Supplement, media)
	}
	if problem != "" {
		return Verdict{Level: Bad, Class: paper.InvalidContent, MediaType: media, Reason: media + ": " + problem}
	}
	return Verdict{Level: OK, MediaType: media}
}

// zipProblem looks for the end of the archive, and whether it holds anything.
func (s *supplement) zipProblem() string {
	tail := s.tail[max(0, s.kept-zipTail):s.kept]
	at := bytes.LastIndex(tail, []byte(zipEnd))
	switch {
	case at < 0 || len(tail)-at < zipEndBytes:
		return "cut: no end of the archive"
	case binary.LittleEndian.Uint16(tail[at+10:]) == 0:
		return "no file in it"
	}
	return ""
}

// isA reports whether a media type is another or made of it, as .docx is of ZIP.
func isA(media, kind string) bool {
	for m := mimetype.Lookup(media); m != nil; m = m.Parent() {
		if m.Is(kind) {
			return true
		}
	}
	return false
}
