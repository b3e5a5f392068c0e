package verdict

import (
	"bytes"
	"fmt"

	"github.com/quire-dev/quire/paper"
)

const (
	gzipType = "application/gzip"
	tarType  = "application/x-tar"
	texType  = "application/x-tex"
	psType   = "application/postscript"
)

// noticeBytes is how long a text may be that is taken for a notice instead of a
// source; the shortest papers are longer.
const noticeBytes = 2 << 10

// source judges what a paper was set from, as arXiv hands it out: a tar archive or a
// single TeX file, in gzip or bare. A paper that was sent in as PDF or PostScript
// has no source, and arXiv answers with that; of a withdrawn one it gives a file
// with no more than %auto-ignore and perhaps a notice (arXiv/submission-core,
// event of withdrawal).
type source struct {
	raw    content
	inside content   // what gzip holds
	zip    *inflater // nil until the first bytes are known to be gzip
	chosen bool
	magic  [2]byte
	seen   int
}

func newSource() *source { return new(source) }

func (s *source) write(p []byte) {
	for len(p) > 0 && s.seen < len(s.magic) {
		s.magic[s.seen] = p[0]
		s.seen++
		p = p[1:]
	}
	if s.seen < len(s.magic) {
		return
	}
	if !s.chosen {
		s.chosen = true
		if string(s.magic[:]) == "\x1f\x8b" {
			s.zip = &inflater{sink: s.inside.write}
		}
		s.pass(s.magic[:])
	}
	s.pass(p)
}

func (s *source) pass(p []byte) {
	if s.zip != nil {
		s.zip.write(p)
	} else {
		s.raw.write(p)
	}
}

func (s *source) verdict(_ []byte, media string) Verdict {
	if !s.chosen {
		s.pass(s.magic[:s.seen])
	}
	if s.zip == nil {
		return s.raw.verdict(media)
	}
	s.zip.finish()
	if s.zip.problem != "" {
		return Verdict{Level: Bad, Class: paper.InvalidContent, MediaType: gzipType, Reason: "gzip: " + s.zip.problem}
	}
	v := s.inside.verdict(gzipType)
	v.MediaType, v.Ext = gzipType, ".gz"
	if s.inside.isTar {
		v.Ext = ".tar.gz"
	}
	return v
}

// content is a tar archive, or one file.
type content struct {
	head   [4 << 10]byte // its beginning
	filled int
	size   int64
	begun  bool // enough is there to tell what it is
	isTar  bool
	binary bool // it holds NULs
	tar    tarScanner
}

func (c *content) write(p []byte) {
	c.size += int64(len(p))
	n := copy(c.head[c.filled:], p)
	c.filled += n
	if !c.begun && c.filled >= tarBlock {
		c.begun = true
		if c.isTar = isTar(c.head[:c.filled]); c.isTar {
			c.tar.write(c.head[:c.filled])
			p = p[n:]
		}
	}
	switch {
	case c.isTar:
		c.tar.write(p)
	case !c.binary:
		c.binary = bytes.IndexByte(p, 0) >= 0
	}
}

// verdict names media as the type of what is refused, unless it is better known.
func (c *content) verdict(media string) Verdict {
	head := c.head[:c.filled]
	v := Verdict{Level: Bad, Class: paper.InvalidContent, MediaType: media}
	switch {
	case c.isTar:
		c.tar.finish()
		if v.MediaType = tarType; c.tar.problem != "" {
			v.Reason = "tar: " + c.tar.problem
			return v
		}
		return Verdict{Level: OK, MediaType: tarType, Ext: ".tar"}
	case c.size == 0:
		v.Reason = "nothing in it"
	case headerOffset(head) >= 0:
		v.Class, v.Reason = paper.WrongType, "no source: the paper was sent in as PDF"
	case bytes.HasPrefix(head, []byte("%!PS")):
		v.Class, v.Reason, v.MediaType = paper.WrongType, "no source: the paper was sent in as PostScript", psType
	case c.binary:
		return wrongType(paper.Source, media)
	case c.size <= noticeBytes && isNotice(head):
		v.Reason = "withdrawn: a notice instead of the source"
	case !isTeX(head):
		v.Class, v.Reason = paper.WrongType, fmt.Sprintf("neither an archive nor TeX but %s", Sniff(head, ""))
	default:
		return Verdict{Level: OK, MediaType: texType, Ext: ".tex"}
	}
	return v
}

func isNotice(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("%auto-ignore")) ||
		bytes.Contains(bytes.ToLower(text), []byte("withdrawn")) && !bytes.Contains(text, []byte(`\begin{document}`))
}

// isTeX reports whether a text begins like one for TeX: with a command that
// documents in one of its formats begin with, behind any number of comments.
func isTeX(text []byte) bool {
	for _, sign := range []string{
		`\documentclass`, `\documentstyle`, `\begin{`, `\input`, `\def`, `\magnification`, `\newcommand`, `\usepackage`,
		`\font`, `\hsize`, `\vsize`, `\centerline`, `\baselineskip`, `\noindent`, `\title`, `\catcode`, `\parskip`,
	} {
		if bytes.Contains(text, []byte(sign)) {
			return true
		}
	}
	return bytes.HasPrefix(text, []byte("%&")) // names the format to use
}
