package verdict_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
)

// pdf returns a whole PDF of one page whose only stream holds content.
func pdf(content, streamKeys, trailerKeys string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object(fmt.Sprintf("<< /Length %d %s >>\nstream\n%s\nendstream", len(content), streamKeys, content))
	object("<< /Type /Pages /Kids [4 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 3 0 R /MediaBox [0 0 9 9] /Contents 2 0 R >>")
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, trailerKeys, xref)
	return b.Bytes()
}

func TestJudge(t *testing.T) {
	whole := pdf("BT (hello) Tj ET", "", "")
	swap := func(from, to string) []byte { return bytes.Replace(whole, []byte(from), []byte(to), 1) }
	after := func(s string) []byte { return append(bytes.Clone(whole), s...) }
	before := func(s string) []byte { return append([]byte(s), whole...) }
	zeros := strings.Repeat("\x00", 100<<10)
	tests := map[string]struct {
		body   []byte
		level  verdict.Level
		class  paper.Class
		reason string
	}{
		"whole":                {whole, verdict.OK, "", ""},
		"empty":                {nil, verdict.Bad, paper.InvalidContent, "empty file"},
		"five bytes":           {[]byte("%PDF-"), verdict.Bad, paper.InvalidContent, "cut or damaged: no startxref"},
		"text":                 {[]byte("Not found."), verdict.Bad, paper.InvalidContent, "no %PDF- in the first 1,024 bytes"},
		"cut":                  {whole[:len(whole)/2], verdict.Bad, paper.InvalidContent, "cut or damaged: no startxref"},
		"cut number":           {whole[:len(whole)-8], verdict.Suspect, paper.InvalidContent, "no cross-reference at 27, where startxref points"},
		"end marker cut":       {whole[:len(whole)-3], verdict.OKWarn, "", "no %%EOF at the end"},
		"first half twice":     {append(bytes.Clone(whole[:200]), whole...), verdict.Suspect, paper.InvalidContent, "no cross-reference at 271, where startxref points"},
		"no page":              {swap("/Page ", "/Pgae "), verdict.Bad, paper.InvalidContent, "no page"},
		"pages but no page":    {swap("/Type /Page ", "/Type /PageLabel "), verdict.Bad, paper.InvalidContent, "no page"},
		"no page tree":         {bytes.ReplaceAll(swap("/Type /Pages", "/Tpye /Pages"), []byte("/Kids"), []byte("/Kisd")), verdict.Suspect, paper.InvalidContent, "no page tree"},
		"huge startxref":       {swap("startxref\n", "startxref\n99999999999999999999999"), verdict.Suspect, paper.InvalidContent, "no cross-reference at 999999999999999999, where startxref points"},
		"encrypted":            {pdf("", "", "/Encrypt 4 0 R"), verdict.OKWarn, "", "encrypted: it may ask for a password"},
		"encrypt metadata":     {pdf("", "", "/EncryptMetadata true"), verdict.OK, "", ""},
		"warning before":       {before("<br />\n<b>Warning</b>: x<br />\n"), verdict.OKWarn, "", "31 bytes before the PDF header"},
		"1,019 bytes before":   {before(strings.Repeat("\n", 1019)), verdict.OKWarn, "", "1019 bytes before the PDF header"},
		"1,024 bytes before":   {before(strings.Repeat("\n", 1024)), verdict.Bad, paper.InvalidContent, "no %PDF- in the first 1,024 bytes"},
		"NULs after":           {after(zeros), verdict.OKWarn, "", "102401 blank bytes after the end"},
		"little after":         {after("<!-- 0.1 s -->"), verdict.OK, "", ""},
		"much after":           {after(strings.Repeat("appended ", 200)), verdict.Suspect, paper.InvalidContent, "cut or appended to: 1800 bytes after the last startxref"},
		"NULs in filter":       {pdf("x"+zeros+"x", "/Filter /FlateDecode", ""), verdict.Suspect, paper.InvalidContent, "a run of NULs inside compressed data"},
		"NULs in raw image":    {pdf("x"+zeros+"x", "", ""), verdict.OK, "", ""},
		"linearised cut":       {swap("/Catalog", "/Catalog /Linearized 1 /H [1 2] /L 9999"), verdict.Bad, paper.InvalidContent, "cut: 466 of 9999 bytes"},
		"page with PDF magic":  {[]byte("%PDF-1.4\n%\xe2\xe3\n\n<!DOCTYPE html><title>x</title>"), verdict.Bad, paper.InvalidContent, "HTML behind a PDF header"},
		"page around a PDF":    {before("<!DOCTYPE html><pre>"), verdict.Bad, paper.WrongType, "not a PDF but text/html"},
		"polyglot, ZIP first":  {before("PK\x03\x04\x14\x00\x00\x00\x08\x00"), verdict.Suspect, paper.InvalidContent, "application/zip before the PDF header: a file of two types"},
		"polyglot, GIF first":  {before("GIF89a\x01\x00\x01\x00"), verdict.Suspect, paper.InvalidContent, "image/gif before the PDF header: a file of two types"},
		"polyglot, PS first":   {before("%!PS-Adobe-3.0\n"), verdict.Suspect, paper.InvalidContent, "application/postscript before the PDF header: a file of two types"},
		"headers before":       {before("HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n"), verdict.OKWarn, "", "50 bytes before the PDF header"},
		"polyglot, page first": {before("<html><script>0</script>"), verdict.Bad, paper.WrongType, "not a PDF but text/html"},
		"gzip":                 {zip(whole), verdict.Bad, paper.WrongType, "not a PDF but application/gzip"},
		"zip":                  {[]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00"), verdict.Bad, paper.WrongType, "not a PDF but application/zip"},
		"image":                {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), verdict.Bad, paper.WrongType, "not a PDF but image/png"},
		"JSON":                 {[]byte(`{"message": "limit"}`), verdict.Bad, paper.WrongType, "not a PDF but application/json"},
		"UTF-16 page":          {[]byte("\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00"), verdict.Bad, paper.InvalidContent, "no %PDF- in the first 1,024 bytes"},
		"challenge":            {[]byte("<html><title>Just a moment...</title>"), verdict.Bad, paper.Challenge, "challenge page: Cloudflare challenge"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := judge(tt.body, verdict.Expect{})
			if got.Level != tt.level || got.Class != tt.class || got.Reason != tt.reason {
				t.Errorf("got  %s %s %q\nwant %s %s %q", got.Level, got.Class, got.Reason, tt.level, tt.class, tt.reason)
			}
			if got.Bytes != int64(len(tt.body)) {
				t.Errorf("judged %d bytes of %d", got.Bytes, len(tt.body))
			}
			if again := inChunks(tt.body, 7); !cmp.Equal(again, got) {
				t.Errorf("in chunks: %s", cmp.Diff(got, again))
			}
		})
	}
}

func TestJudge_fields(t *testing.T) {
	got := judge(append([]byte("\n\n"), pdf("", "", "/Encrypt 4 0 R")...), verdict.Expect{})
	want := verdict.Verdict{
		Level: verdict.OKWarn, MediaType: "application/pdf", Ext: ".pdf",
		Reason: "encrypted: it may ask for a password", Bytes: got.Bytes, Offset: 2, Encrypted: true, Pages: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJudge_MD5(t *testing.T) {
	body := pdf("", "", "")
	sum := md5.Sum(body)
	right := hex.EncodeToString(sum[:])
	for md5, want := range map[string]verdict.Level{
		"": verdict.OK, right: verdict.OK, strings.ToUpper(right): verdict.OK, "d41d8cd98f00b204e9800998ecf8427e": verdict.Bad,
	} {
		if got := judge(body, verdict.Expect{MD5: md5}); got.Level != want {
			t.Errorf("MD5 %q: got %s %q, want %s", md5, got.Level, got.Reason, want)
		}
	}
}

// Every token comes to lie across the border of the scanner's window once.
func TestJudge_windowBorders(t *testing.T) {
	for pad := 31 << 10; pad < 33<<10; pad++ {
		body := pdf(strings.Repeat(".", pad), "", "")
		if got := judge(body, verdict.Expect{}); got.Level != verdict.OK {
			t.Fatalf("padding of %d bytes: %s %q", pad, got.Level, got.Reason)
		}
	}
}

func TestJudge_writesDoNotAllocate(t *testing.T) {
	body := pdf(strings.Repeat("/Type /x xref ", 10_000), "", "")
	j := verdict.New(verdict.Expect{})
	if n := testing.AllocsPerRun(10, func() { j.Write(body) }); n > 0 {
		t.Errorf("%v allocations a write", n)
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(pdf("x", "", ""), uint8(3))
	f.Add(pdf("x", "/Filter /FlateDecode", "/Encrypt 1 0 R"), uint8(1))
	f.Add([]byte("%PDF-1.5 1 0 obj<</Linearized 1/L 9>> 2 0 obj<</Type/XRef>> startxref 9 %%EOF"), uint8(200))
	f.Add([]byte("<?xml?><!--x--><!DOCTYPE article><article"), uint8(9))
	f.Fuzz(func(t *testing.T, body []byte, size uint8) {
		if len(body) > 0 && size > 128 { // let short inputs reach the window's border too
			body = bytes.Repeat(body, 1+(64<<10)/len(body))
		}
		whole := judge(body, verdict.Expect{})
		if diff := cmp.Diff(whole, inChunks(body, int(size)+1)); diff != "" {
			t.Error(diff)
		}
		if whole.Level.Usable() != (whole.Class == "") {
			t.Errorf("at odds with itself: %+v", whole)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	for name, content := range map[string]string{
		"compressed": noise(4 << 20),
		"text":       strings.Repeat("BT /F1 12 Tf 72 720 Td (A paper about indexes) Tj ET\n", 80_000),
		"slashes":    strings.Repeat("/", 4<<20),
		"streams":    strings.Repeat("/XRef xref ", 400_000),
	} {
		b.Run(name, func(b *testing.B) {
			body := pdf(content, "/Filter /FlateDecode", "")
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if v := inChunks(body, 32<<10); v.Level != verdict.OK {
					b.Fatal(v)
				}
			}
		})
	}
}

func inChunks(body []byte, size int) verdict.Verdict {
	j := verdict.New(verdict.Expect{})
	for len(body) > 0 {
		n := min(size, len(body))
		j.Write(body[:n])
		body = body[n:]
	}
	return j.Verdict()
}

func zip(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(body)
	w.Close()
	return b.Bytes()
}

// noise returns n bytes as even as compressed ones.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}
