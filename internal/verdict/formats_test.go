package verdict_test

import (
	"archive/tar"
	stdzip "archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
)

const tex = "% a paper\n\\documentclass{article}\n\\begin{document}\nOn x.\n\\end{document}\n"

// tarOf returns an archive of files, each of a name and a text.
func tarOf(files ...string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o600, Size: int64(len(files[i+1]))})
		w.Write([]byte(files[i+1]))
	}
	w.Close()
	return b.Bytes()
}

func zipOf(files ...string) []byte {
	var b bytes.Buffer
	w := stdzip.NewWriter(&b)
	for _, name := range files {
		f, err := w.Create(name)
		if err != nil {
			panic(err)
		}
		f.Write([]byte(name))
	}
	w.Close()
	return b.Bytes()
}

func htmlPage(title, text string) []byte {
	return []byte("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><p>" + text + "</p></body></html>\n")
}

type formatTest struct {
	body   []byte
	media  string
	ext    string
	class  paper.Class // empty: usable
	reason string      // begins so
}

func checkFormat(t *testing.T, format paper.Kind, tests map[string]formatTest) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := judge(tt.body, verdict.Expect{Format: format})
			if got.Class != tt.class || got.Level.Usable() != (tt.class == "") || !strings.HasPrefix(got.Reason, tt.reason) || tt.reason == "" && got.Reason != "" {
				t.Errorf("got  %s %s %q\nwant %s %q", got.Level, got.Class, got.Reason, tt.class, tt.reason)
			}
			if tt.class == "" && (got.MediaType != tt.media || got.Ext != tt.ext) {
				t.Errorf("got %s %s, want %s %s", got.MediaType, got.Ext, tt.media, tt.ext)
			}
			if got.Bytes != int64(len(tt.body)) {
				t.Errorf("judged %d bytes of %d", got.Bytes, len(tt.body))
			}
			for _, size := range []int{1, 7, 513, 5000} {
				if again := formatInChunks(tt.body, format, size); again != got {
					t.Errorf("in chunks of %d: %s", size, cmp.Diff(got, again))
				}
			}
		})
	}
}

func formatInChunks(body []byte, format paper.Kind, size int) verdict.Verdict {
	j := verdict.New(verdict.Expect{Format: format})
	for len(body) > 0 {
		n := min(size, len(body))
		j.Write(body[:n])
		body = body[n:]
	}
	return j.Verdict()
}

func TestJudge_XML(t *testing.T) {
	jats := func(body string) []byte {
		return []byte(`<?xml version="1.0"?><!DOCTYPE article PUBLIC "-//NLM//DTD JATS" "x.dtd" [<!ENTITY a "b>"><!-- it's --> ]>` +
			`<!--x--><article dtd-version="1.3"><front><title>A &amp; B</title></front>` + body + "</article>\n<!-- end -->")
	}
	bad := func(reason string, body []byte) formatTest {
		return formatTest{body: body, class: paper.InvalidContent, reason: reason}
	}
	other := func(reason string, body []byte) formatTest {
		return formatTest{body: body, class: paper.WrongType, reason: reason}
	}
	good := func(body []byte) formatTest {
		return formatTest{body: body, media: "application/jats+xml", ext: ".xml"}
	}
	checkFormat(t, paper.XML, map[string]formatTest{
		"whole":             good(jats("<body><sec><p>x</p></sec></body>")),
		"byte order mark":   good(append([]byte("\xef\xbb\xbf"), jats("<body>x</body>")...)),
		"CDATA":             good(jats("<body><![CDATA[<]]>]]></body>")),
		"prefixed":          good([]byte(`<j:article xmlns:j="x" article-type="a"><j:front/><j:body a='1>2'>x</j:body></j:article >`)),
		"entities":          good(jats("<body>&nbsp;&undefined;</body>")),
		"abstract only":     bad("no body", jats("<back/>")),
		"body of no text":   bad("empty body", jats("<body> <sec><graphic href='a'/>\n</sec></body><back>x</back>")),
		"body of a reply":   bad("no body", jats("<response><body>x</body></response>")),
		"cut in text":       bad("not well-formed: cut: elements", jats("<body>some text of a body</body>")[:200]),
		"cut in a tag":      bad("not well-formed: cut inside", []byte(`<article dtd-version="1"><body>x</bo`)),
		"tags crossed":      bad("not well-formed: end tag of another", jats("<body><b>x</body></b>")),
		"end without":       bad("not well-formed: end tag without", append(jats("<body>x</body>"), "</article>"...)),
		"two roots":         bad("not well-formed: second root", append(jats("<body>x</body>"), "<article/>"...)),
		"text behind":       bad("not well-formed: text outside", append(jats("<body>x</body>"), "0"...)),
		"a hole":            bad("not well-formed: control", jats("<body>"+strings.Repeat("\x00", 9)+"</body>")),
		"bare <":            bad("not well-formed: bare <", jats("<body>a < b</body>")),
		"< in a tag":        bad("not well-formed: < in a tag", jats("<body <b></body>")),
		"< in a value":      bad("not well-formed: < in an attribute", jats(`<body a="<"></body>`)),
		"unknown mark":      bad("not well-formed: unknown markup", jats("<body>x<!ELEMENT a></body>")),
		"DOCTYPE inside":    bad("not well-formed: DOCTYPE behind", jats("<!DOCTYPE a><body>x</body>")),
		"513 levels":        bad("not well-formed: elements nested", jats("<body>"+strings.Repeat("<p>", 600)+"x"+strings.Repeat("</p>", 600)+"</body>")),
		"510 levels":        good(jats("<body>" + strings.Repeat("<p>", 510) + "x" + strings.Repeat("</p>", 510) + "</body>")),
		"wrapped":           other(`XML, but no article: the root element is "pmc-articleset"`, []byte("<pmc-articleset><article><body>x</body></article></pmc-articleset>")),
		"bucket's error":    other(`XML, but no article: the root element is "Error"`, []byte(`<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>`)),
		"TEI, cut":          other(`XML, but no article: the root element is "TEI"`, []byte(`<TEI xmlns="x"><text>`)),
		"PDF":               other("not JATS XML but application/pdf", pdf("x", "", "")),
		"gzip":              other("not JATS XML but application/gzip", gzipOf("<article/>")),
		"text":              other("not JATS XML but text/plain", []byte("Not found")),
		"page":              other("not JATS XML but text/html", htmlPage("x", "y")),
		"empty":             bad("empty file", nil),
		"billion laughs":    bad("empty body", []byte(`<!DOCTYPE article [<!ENTITY a "`+strings.Repeat("&b;", 9)+`"><!ENTITY b "`+strings.Repeat("lol", 9)+`">]><article article-type="a"><body></body></article>`)),
		"name of 10 KB":     other(`XML, but no article: the root element is "aaa`, []byte("<"+strings.Repeat("a", 10_000)+"/>")),
		"names differ late": bad("not well-formed: end tag of another", jats("<body><"+strings.Repeat("a", 100)+"b>x</"+strings.Repeat("a", 100)+"c></body>")),
	})
}

func TestJudge_Source(t *testing.T) {
	archive := tarOf("paper.tex", tex, "fig.eps", strings.Repeat("%!PS\n", 500))
	zipped := gzipOf(string(archive))
	other := func(reason string, body []byte) formatTest {
		return formatTest{body: body, class: paper.WrongType, reason: reason}
	}
	bad := func(reason string, body []byte) formatTest {
		return formatTest{body: body, class: paper.InvalidContent, reason: reason}
	}
	damaged := bytes.Clone(zipped)
	damaged[len(damaged)-6] ^= 1
	checkFormat(t, paper.Source, map[string]formatTest{
		"tar in gzip":      {body: zipped, media: "application/gzip", ext: ".tar.gz"},
		"TeX in gzip":      {body: gzipOf(tex), media: "application/gzip", ext: ".gz"},
		"TeX":              {body: []byte(tex), media: "application/x-tex", ext: ".tex"},
		"plain TeX":        {body: []byte("\\magnification=1200\n\\hsize 5in On x.\\bye"), media: "application/x-tex", ext: ".tex"},
		"tar":              {body: archive, media: "application/x-tar", ext: ".tar"},
		"tar in two gzips": {body: append(gzipOf(string(archive[:700])), gzipOf(string(archive[700:]))...), media: "application/gzip", ext: ".tar.gz"},
		"zeros behind":     {body: append(bytes.Clone(zipped), make([]byte, 100)...), media: "application/gzip", ext: ".tar.gz"},
		"gzip, cut":        bad("gzip: cut", zipped[:len(zipped)-5]),
		"gzip, cut early":  bad("gzip: cut", zipped[:len(zipped)/2]),
		"header of gzip":   bad("gzip: cut", zipped[:7]),
		"gzip, damaged":    bad("gzip: its checksum is wrong", damaged),
		"gzip of nothing":  bad("nothing in it", gzipOf("")),
		"tar, cut":         bad("tar: cut", archive[:1024+700]),
		"tar, empty":       bad("tar: no file in it", tarOf("a/", "", "b.tex", "")),
		"tar, damaged":     bad("tar: damaged", append(bytes.Clone(archive[:1024]), strings.Repeat("x", 1024)...)),
		"PDF":              other("no source: the paper was sent in as PDF", pdf("x", "", "")),
		"PDF in gzip":      other("no source: the paper was sent in as PDF", gzipOf(string(pdf("x", "", "")))),
		"PostScript":       other("no source: the paper was sent in as PostScript", gzipOf("%!PS-Adobe-2.0\n")),
		"withdrawn":        bad("withdrawn: a notice", gzipOf("%auto-ignore\n")),
		"withdrawn, words": bad("withdrawn: a notice", []byte("\n%auto-ignore\nThis paper has been withdrawn by the author due to \\def errors.")),
		"a page in gzip":   other("neither an archive nor TeX but text/html", gzipOf(string(htmlPage("x", "y")))),
		"text":             other("neither an archive nor TeX but text/plain", []byte("no such paper")),
		"JSON":             other("neither an archive nor TeX but application/json", []byte(`{"error": 1}`)),
		"binary":           other("not a source but image/png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")),
		"zip":              other("not a source but application/zip", zipOf("a.tex")),
		"one byte":         other("neither an archive", []byte("x")),
	})
}

func TestJudge_HTML(t *testing.T) {
	text := strings.Repeat("Some words of a paper, in one paragraph of it, which go on and on. ", 100)
	little := func(title string, class paper.Class, reason string) formatTest {
		return formatTest{body: htmlPage(title, "A few words."), class: class, reason: reason}
	}
	short := func(open, end string) formatTest {
		return formatTest{body: htmlPage("A paper", open+text+end), class: paper.WrongType, reason: "no full text: 0 characters"}
	}
	checkFormat(t, paper.HTML, map[string]formatTest{
		"whole":              {body: htmlPage("On login walls", text), media: "text/html", ext: ".html"},
		"titled like a wall": {body: htmlPage("404", text), media: "text/html", ext: ".html"},
		"no end":             {body: bytes.TrimSuffix(htmlPage("x", text), []byte("</html>\n")), media: "text/html", ext: ".html", reason: "no </html> at the end"},
		"stray quote":        {body: htmlPage("x", `<b title="a "b" c">`+text), media: "text/html", ext: ".html"},
		"bare <":             {body: htmlPage("x", "a < b, a <3, "+text), media: "text/html", ext: ".html"},
		"in a form":          {body: htmlPage("x", `<form><input type="password">`+text+"</form>"), media: "text/html", ext: ".html"},
		"Chinese":            {body: htmlPage("x", strings.Repeat("论文正文", 600)), media: "text/html", ext: ".html"},
		"challenge":          little("Just a moment...", paper.Challenge, "challenge page: "),
		"captcha":            little(" Captcha\n required", paper.Challenge, "robot check: captcha"),
		"soft 404":           little("Page Not Found | Journal", paper.Gone, "the page says that there is none: page not found"),
		"maintenance":        little("503 Service Unavailable", paper.Transient, "the page says that something"),
		"login":              little("Sign in - Journal", paper.LoginWall, "sign-in page: sign in"),
		"cookies":            little("Cookies required", paper.CookieWall, "asks for cookies"),
		"abstract":           {body: htmlPage("A paper", text[:2000]), class: paper.WrongType, reason: "no full text: 2000 characters"},
		"many words apart":   {body: htmlPage("A list", strings.Repeat("<li>A title of another paper</li>", 900)), class: paper.WrongType, reason: "no full text: 0"},
		"in links":           short("<a href=x>", "</a>"),
		"in a script":        short("<script>", "</script>"),
		"in noscript":        short("<noscript><b>", "</b></noscript>"),
		"in a comment":       short("<!-- ", "-->"),
		"in an attribute":    short(`<img alt="`, `">`),
		"PDF":                {body: pdf("x", "", ""), class: paper.WrongType, reason: "not a page but application/pdf"},
		"text":               {body: []byte(text), class: paper.WrongType, reason: "not a page but text/plain"},
	})
}

func TestJudge_Supplement(t *testing.T) {
	archive := zipOf("a.csv", "b.txt")
	other := func(body []byte, media string) formatTest {
		return formatTest{body: body, class: paper.WrongType, reason: "not a supplement but " + media}
	}
	bad := func(reason string, body []byte) formatTest {
		return formatTest{body: body, class: paper.InvalidContent, reason: reason}
	}
	ole := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)...)
	checkFormat(t, paper.Supplement, map[string]formatTest{
		"zip":          {body: archive, media: "application/zip", ext: ".zip"},
		"docx":         {body: zipOf("[Content_Types].xml", "word/document.xml"), media: "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ext: ".docx"},
		"gzip":         {body: gzipOf("a,b"), media: "application/gzip", ext: ".gz"},
		"tar":          {body: tarOf("a", "b"), media: "application/x-tar", ext: ".tar"},
		"PDF":          {body: pdf("x", "", ""), media: "application/pdf", ext: ".pdf"},
		"old office":   {body: ole, media: "application/x-ole-storage"},
		"zip, cut":     bad("application/zip: cut", archive[:len(archive)-10]),
		"zip, empty":   bad("application/zip: no file in it", zipOf()),
		"gzip, cut":    bad("application/gzip: cut", gzipOf("a,b")[:20]),
		"tar, cut":     bad("application/x-tar: cut", tarOf("a", strings.Repeat("b", 2000))[:1200]),
		"PDF, cut":     bad("cut or damaged: no startxref", pdf("x", "", "")[:200]),
		"page":         other(htmlPage("x", "y"), "text/html"),
		"JSON":         other([]byte(`{"errCode":404}`), "application/json"),
		"XML":          other([]byte(`<?xml version="1.0"?><error/>`), "text/xml"),
		"text":         other([]byte("none"), "text/plain"),
		"half a magic": other([]byte("\x1f"), "application/octet-stream"),
	})
}

func TestJudge_formatMD5(t *testing.T) {
	body := []byte(`<article article-type="x"><body>x</body></article>`)
	sum := md5.Sum(body)
	for md5, want := range map[string]verdict.Level{
		"": verdict.OK, hex.EncodeToString(sum[:]): verdict.OK, "d41d8cd98f00b204e9800998ecf8427e": verdict.Bad,
	} {
		if got := judge(body, verdict.Expect{Format: paper.XML, MD5: md5}); got.Level != want {
			t.Errorf("MD5 %q: got %s %q, want %s", md5, got.Level, got.Reason, want)
		}
	}
}

func TestJudge_formatWritesDoNotAllocate(t *testing.T) {
	for format, body := range map[paper.Kind][]byte{
		paper.XML:        []byte(`<article dtd-version="1"><body>` + strings.Repeat("<p>x<![CDATA[y]]></p>", 1000)),
		paper.HTML:       htmlPage("x", strings.Repeat("<p>some text</p><script>x</script>", 1000)),
		paper.Source:     tarOf("a.tex", tex),
		paper.Supplement: zipOf("a"),
	} {
		j := verdict.New(verdict.Expect{Format: format})
		j.Write(body)
		if n := testing.AllocsPerRun(10, func() { j.Write(body) }); n > 0 {
			t.Errorf("%s: %v allocations a write", format, n)
		}
	}
}

func FuzzJudgeFormats(f *testing.F) {
	for _, body := range [][]byte{
		[]byte(`<!DOCTYPE a [<!ENTITY b "c">]><article dtd-version='1'><body>x<![CDATA[]]]]></body></article>`),
		htmlPage("404", "<a href='x'>y</a><pre>z"), gzipOf(tex), gzipOf(string(tarOf("a", tex))), tarOf("a", "b"), zipOf("a"), pdf("x", "", ""),
	} {
		for i := range 4 {
			f.Add(body, uint8(i), uint8(7))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, which, size uint8) {
		format := []paper.Kind{paper.XML, paper.Source, paper.HTML, paper.Supplement}[which%4]
		whole := judge(body, verdict.Expect{Format: format})
		if again := formatInChunks(body, format, int(size)+1); again != whole {
			t.Error(cmp.Diff(whole, again))
		}
		if whole.Level.Usable() != (whole.Class == "") || whole.Class != "" && whole.Reason == "" || whole.MediaType == "" {
			t.Errorf("at odds with itself: %+v", whole)
		}
		if whole.Bytes != int64(len(body)) {
			t.Errorf("judged %d bytes of %d", whole.Bytes, len(body))
		}
	})
}

func BenchmarkJudgeFormats(b *testing.B) {
	for format, body := range map[paper.Kind][]byte{
		paper.XML:    []byte(`<article dtd-version="1"><body>` + strings.Repeat("<p>Some words of a paper <xref rid='a'>1</xref></p>", 40_000) + "</body></article>"),
		paper.HTML:   htmlPage("x", strings.Repeat("<p>Some words of a paper <a href='a'>1</a></p>", 40_000)),
		paper.Source: gzipOf(string(tarOf("a.tex", tex+words(4<<20)))),
	} {
		b.Run(fmt.Sprint(format), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if v := formatInChunks(body, format, 32<<10); v.Level == verdict.Suspect {
					b.Fatal(v)
				}
			}
		})
	}
}

// words returns text of n bytes that gzip makes about a third of.
func words(n int) string {
	var s strings.Builder
	for i := uint32(1); s.Len() < n; i = i*1664525 + 1013904223 {
		fmt.Fprintf(&s, "%x ", i>>8)
	}
	return s.String()
}

func gzipOf(text string) []byte { return zip([]byte(text)) }
