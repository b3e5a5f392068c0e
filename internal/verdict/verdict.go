// Package verdict says what downloaded bytes are: a whole PDF, a damaged one,
// or something else altogether, such as a landing page or a captcha.
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
	OK      Level = "ok"      // a whole PDF
	OKWarn  Level = "ok_warn" // readable, with a flaw that Verdict.Reason names
	Suspect Level = "suspect" // PDF structure, but readers will disagree whether it opens
	Bad     Level = "bad"     // no PDF, or only a part of one
)

// Usable reports whether a file of this level is worth keeping.
func (l Level) Usable() bool { return l == OK || l == OKWarn }

// Verdict is what the bytes are.
type Verdict struct {
	Level Level

	// Class is WrongType, InvalidContent or Challenge; empty if Level is usable.
	Class paper.Class

	MediaType string // by the bytes; application/octet-stream if they say nothing
	Ext       string // file name extension for MediaType with its dot; empty if unknown
	Reason    string // one line in words; empty if all is well
	Bytes     int64  // how many were judged
	Offset    int64  // where %PDF- begins; 0 for other types
	Encrypted bool   // a PDF with an encryption dictionary: it may ask for a password
}

// Expect is what is known of the bytes beforehand. All of it is optional.
type Expect struct {
	MD5         string // hex; costs one more pass over the bytes
	ContentType string // as the server said; believed only where the bytes say nothing
}

// headBytes is how much of the beginning is kept to tell types apart. Challenge
// pages give themselves away within it.
const headBytes = 16 << 10

// Judge is a writer that looks at all the bytes of one file, in order. It is
// for one goroutine. Writes never fail and never allocate.
type Judge struct {
	expect Expect
	md5    hash.Hash // nil if no checksum is expected
	head   [headBytes]byte
	filled int // bytes of head in use
	scan   scanner
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
	j.scan.write(p)
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
	v.Bytes = j.scan.size()
	v.Ext = ext(v.MediaType)
	return v
}

func (j *Judge) judge() Verdict {
	head := j.Head()
	media := Sniff(head, j.expect.ContentType)
	switch {
	case len(head) == 0:
		return Verdict{Level: Bad, Class: paper.InvalidContent, MediaType: unknownType, Reason: "empty file"}
	case media == htmlType:
		if sign := Challenge(head); sign != "" {
			return Verdict{Level: Bad, Class: paper.Challenge, MediaType: media, Reason: "challenge page: " + sign}
		}
		return wrongType(media)
	case media == unknownType || media == textType:
		return Verdict{
			Level: Bad, Class: paper.InvalidContent, MediaType: media,
			Reason: "no %PDF- in the first 1,024 bytes",
		}
	case media != pdfType:
		return wrongType(media)
	case !j.sameMD5():
		return Verdict{
			Level: Bad, Class: paper.InvalidContent, MediaType: media,
			Reason: "MD5 differs from the one the source gives",
		}
	}
	return judgePDF(head, &j.scan)
}

func wrongType(media string) Verdict {
	return Verdict{Level: Bad, Class: paper.WrongType, MediaType: media, Reason: "not a PDF but " + media}
}

func (j *Judge) sameMD5() bool {
	return j.md5 == nil || strings.EqualFold(hex.EncodeToString(j.md5.Sum(nil)), j.expect.MD5)
}
