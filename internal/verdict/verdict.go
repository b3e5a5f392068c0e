// Package verdict says what downloaded bytes are: a whole PDF, a damaged one,
// or something else altogether, such as a landing page or a captcha; and the same
// for the other formats of a work.
//
// A [Judge] looks at the bytes as they pass, in memory of constant size, and
// never parses beyond a few tokens: no input makes it slow, and none makes it
// panic. It finds files that are cut, doubled, holed, of another type or
// without pages. It does not find a few flipped bytes inside a page; only a
// checksum does, where the source knows one.
package verdict

import (
	"crypto/md5" // sources publish MD5; here it guards against accidents, not against attackers
	"encoding/hex"
	"hash"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// Level is how far a file can be trusted.
type Level string

// The levels, best first. Files of the first two are worth keeping.
const (
	OK      Level = "ok"      // a whole file of the format that was expected
	OKWarn  Level = "ok_warn" // readable, with a flaw that Verdict.Reason names
	Suspect Level = "suspect" // PDF structure, but readers will disagree whether it opens; or a whole file of another work
	Bad     Level = "bad"     // not of that format, or only a part of it
)

// Usable reports whether a file of this level is worth keeping.
func (l Level) Usable() bool { return l == OK || l == OKWarn }

// Verdict is what the bytes are.
type Verdict struct {
	Level Level

	// Class is WrongType, InvalidContent or Challenge; of a page that was to be the
	// full text also Gone, Transient, LoginWall or CookieWall; WrongWork of a whole
	// file that says it is another work; empty if Level is usable.
	Class paper.Class

	MediaType string // by the bytes; application/octet-stream if they say nothing
	Ext       string // file name extension for MediaType with its dot; empty if unknown
	Reason    string // one line in words; empty if all is well
	Bytes     int64  // how many were judged
	Offset    int64  // where %PDF- begins; 0 for other types
	Encrypted bool   // a PDF with an encryption dictionary: it may ask for a password

	Pages    int      // of a PDF; 0: not known
	Identity Identity // of a PDF whose work is known
}

// Expect is what is known of the bytes beforehand. All of it is optional.
type Expect struct {
	Format      paper.Kind // what the file is to be; empty or Landing: a PDF
	MD5         string     // hex; costs one more pass over the bytes
	ContentType string     // as the server said; believed only where the bytes say nothing
	Work        Work       // what a PDF should be; unknown: its identity is not looked at
}

// headBytes is how much of the beginning is kept to tell types apart. Challenge
// pages give themselves away within it.
const headBytes = 16 << 10

// Judge is a writer that looks at all the bytes of one file, in order. It is
// for one goroutine. Writes never fail, and do not allocate, but where gzip begins and
// for what is kept of a PDF to look into: 1 MiB at most.
type Judge struct {
	expect Expect
	md5    hash.Hash // nil if no checksum is expected
	head   [headBytes]byte
	filled int   // bytes of head in use
	size   int64 // bytes written
	scan   scanner
	format format // nil for a PDF
}

// format judges files of one format other than PDF.
type format interface {
	write(p []byte)
	// verdict ends the judging. media is what the head says, which is not empty, nor
	// HTML unless that was expected.
	verdict(head []byte, media string) Verdict
}

// New returns a judge of one file.
func New(e Expect) *Judge {
	j := new(Judge)
	j.Reset(e)
	return j
}

// Reset makes j the judge of another file.
func (j *Judge) Reset(e Expect) {
	*j = Judge{expect: e}
	switch e.Format {
	case paper.XML:
		j.format = newJATS()
	case paper.Source:
		j.format = newSource()
	case paper.HTML:
		j.format = newPage()
	case paper.Supplement:
		j.format = newSupplement(&j.scan)
	case paper.PDF, paper.Landing:
	}
	j.scan.glean.on = j.format == nil || e.Format == paper.Supplement
	if e.MD5 != "" {
		j.md5 = md5.New()
	}
}

// Write takes the next bytes of the file. It always takes all and returns nil.
func (j *Judge) Write(p []byte) (int, error) {
	j.filled += copy(j.head[j.filled:], p)
	if j.md5 != nil {
		j.md5.Write(p)
	}
	j.size += int64(len(p))
	if j.format != nil {
		j.format.write(p)
	}
	if j.format == nil || j.expect.Format == paper.Supplement { // which may be a PDF
		j.scan.write(p)
	}
	return len(p), nil
}

// Head returns the bytes kept of the beginning, at most 16 KiB. They are the
// judge's own: valid, and possibly growing, until the next Write.
func (j *Judge) Head() []byte { return j.head[:j.filled] }

// Verdict says what the bytes written so far are. It ends the judging: nothing
// may be written afterwards.
func (j *Judge) Verdict() Verdict {
	j.scan.finish()
	v := j.judge()
	v.Bytes = j.size
	j.scan.glean = gleaner{} // a judge may lie idle for long
	if v.Ext == "" {
		v.Ext = ext(v.MediaType)
	}
	return v
}

func (j *Judge) judge() Verdict {
	head := j.Head()
	media := Sniff(head, j.expect.ContentType)
	switch {
	case len(head) == 0:
		return Verdict{Level: Bad, Class: paper.InvalidContent, MediaType: unknownType, Reason: "empty file"}
	case media == htmlType && challenge(head, j.size) != "":
		return Verdict{Level: Bad, Class: paper.Challenge, MediaType: media, Reason: "challenge page: " + challenge(head, j.size)}
	case media == htmlType && j.expect.Format != paper.HTML:
		return wrongType(j.expect.Format, media)
	case j.format != nil:
		if v := j.format.verdict(head, media); !v.Level.Usable() || j.sameMD5() {
			return v
		}
		return otherMD5(media)
	case media == unknownType || media == textType:
		return Verdict{
			Level: Bad, Class: paper.InvalidContent, MediaType: media,
			Reason: "no %PDF- in the first 1,024 bytes",
		}
	case media != pdfType:
		return wrongType(paper.PDF, media)
	case !j.sameMD5():
		return otherMD5(media)
	}
	return judgePDF(head, &j.scan, j.expect.Work)
}

func otherMD5(media string) Verdict {
	return Verdict{
		Level: Bad, Class: paper.InvalidContent, MediaType: media,
		Reason: "MD5 differs from the one the source gives",
	}
}

// wrongType says what a file is instead of what was expected.
func wrongType(wanted paper.Kind, media string) Verdict {
	name := "a PDF"
	switch wanted {
	case paper.XML:
		name = "JATS XML"
	case paper.Source:
		name = "a source"
	case paper.HTML:
		name = "a page"
	case paper.Supplement:
		name = "a supplement"
	case paper.PDF, paper.Landing:
	}
	return Verdict{Level: Bad, Class: paper.WrongType, MediaType: media, Reason: "not " + name + " but " + media}
}

func (j *Judge) sameMD5() bool {
	return j.md5 == nil || strings.EqualFold(hex.EncodeToString(j.md5.Sum(nil)), j.expect.MD5)
}
