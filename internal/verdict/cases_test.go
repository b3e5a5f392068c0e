package verdict_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
)

// The numbered cases of hostile files.
func TestJudge_hostileFiles(t *testing.T) {
	whole := pdf("BT (hello) Tj ET", "", "")
	var raw bytes.Buffer
	z := zlib.NewWriter(&raw)
	z.Write(whole)
	z.Close()
	before := func(s string) []byte { return append([]byte(s), whole...) }
	tests := map[string]struct {
		body  []byte
		level verdict.Level
		class paper.Class
		pages int
	}{
		"D 105: a page":                   {[]byte("<!doctype html><title>Paper</title><p>Buy it"), verdict.Bad, paper.WrongType, 0},
		"D 105: empty":                    {nil, verdict.Bad, paper.InvalidContent, 0},
		"D 105: UTF-16":                   {[]byte("\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00"), verdict.Bad, paper.InvalidContent, 0},
		"F 136: cut in the middle":        {whole[:len(whole)/2], verdict.Bad, paper.InvalidContent, 0},
		"F 136: cut before startxref":     {whole[:bytes.Index(whole, []byte("startxref"))], verdict.Bad, paper.InvalidContent, 0},
		"F 137: encrypted":                {pdf("", "", "/Encrypt 4 0 R"), verdict.OKWarn, "", 1},
		"F 138: page first":               {before("<html><script>alert(1)</script>"), verdict.Bad, paper.WrongType, 0},
		"F 138: script first":             {before("<script>alert(1)</script>"), verdict.Suspect, paper.InvalidContent, 0},
		"F 138: ZIP first":                {before("PK\x03\x04\x14\x00\x00\x00\x08\x00"), verdict.Suspect, paper.InvalidContent, 0},
		"F 139: zero bytes":               {[]byte{}, verdict.Bad, paper.InvalidContent, 0},
		"F 139: five bytes":               {[]byte("%PDF-"), verdict.Bad, paper.InvalidContent, 0},
		"F 140: HTML with PDF magic":      {[]byte("%PDF-1.4\n<html><body>Not found"), verdict.Bad, paper.InvalidContent, 0},
		"F 141: OpenAction":               {bytes.Replace(whole, []byte("/Type /Catalog"), []byte("/OpenAction<</S/Launch/F(x)>>/Type /Catalog"), 1), verdict.Suspect, paper.InvalidContent, 0},
		"F 141: OpenAction in its place":  {pdf("x", "", "/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"), verdict.OK, "", 1},
		"F 142: trailing NULs":            {append(bytes.Clone(whole), make([]byte, 8<<10)...), verdict.OKWarn, "", 1},
		"F 143: gzip":                     {zip(whole), verdict.Bad, paper.WrongType, 0},
		"F 143: zlib":                     {raw.Bytes(), verdict.Bad, paper.WrongType, 0},
		"F 143: deflate without a header": {raw.Bytes()[2:], verdict.Bad, paper.InvalidContent, 0},
		"F 144: a page tree of any depth": {pdf("", "", strings.Repeat("/Kids [", 1<<18)), verdict.OK, "", 1},
	}
	for name, tt := range tests {
		v := judge(tt.body, verdict.Expect{Work: verdict.Work{DOI: "10.5555/x", Title: "A title that is long enough"}})
		if v.Level != tt.level || v.Class != tt.class || v.Pages != tt.pages {
			t.Errorf("%s: got %s %s %q, %d pages", name, v.Level, v.Class, v.Reason, v.Pages)
		}
	}
}

// What the page tree states is believed only where it can be.
func TestJudge_pages(t *testing.T) {
	whole := string(pdf("BT (hello) Tj ET", "", ""))
	swap := func(from, to string) string {
		file := strings.Replace(whole, from, to, 1)
		head, _, _ := strings.Cut(file, "startxref")
		return fmt.Sprintf("%sstartxref\n%d\n%%%%EOF\n", head, strings.Index(file, "xref\n0 "))
	}
	stream := func(objects string) string {
		packed := deflated("7 0 " + objects)
		return string(with(whole, fmt.Sprintf("9 0 obj << /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream endobj\n", len(packed), packed)))
	}
	long := strings.Repeat("4 0 R ", 600)
	for name, tt := range map[string]struct {
		file string
		want int
	}{
		"by its root":            {whole, 1},
		"none stated":            {swap("/Count 1", "/Cuont 1"), 1}, // its one leaf
		"an outline's":           {swap("/Catalog", "/Catalog /Outlines << /Count 99 >>"), 1},
		"too many":               {swap("/Count 1", "/Count 9999999"), 1},
		"negative":               {swap("/Count 1", "/Count -3"), 1},
		"behind a long list":     {swap("[4 0 R]", "["+long+"]"), 1},
		"in an object stream":    {stream("<</Type/Pages/Kids[4 0 R]/Count 30>>"), 30},
		"a node with a parent":   {stream("<</Type/Pages/Parent 8 0 R/Kids[4 0 R]/Count 30>>"), 1},
		"an outline in a stream": {stream("<</First 1 0 R/Count 30>>"), 1},
		"nothing in the stream":  {stream(""), 1},
	} {
		if v := judge([]byte(tt.file), verdict.Expect{}); !v.Level.Usable() || v.Pages != tt.want {
			t.Errorf("%s: %d pages (%s %q), want %d", name, v.Pages, v.Level, v.Reason, tt.want)
		}
	}
}
