package verdict_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/verdict"
)

const (
	ownTitle   = "On the measurement of tides in shallow estuaries"
	otherTitle = "Bayesian inference for genomic networks under selection"
)

// shown is the content of a page that shows the lines.
func shown(lines ...string) string {
	var b strings.Builder
	b.WriteString("BT /F1 12 Tf ")
	for _, line := range lines {
		fmt.Fprintf(&b, "0 -14 Td (%s) Tj ", line)
	}
	return b.String() + "ET"
}

func deflated(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

// body is running text that names no work.
var body = strings.Repeat("We report what was found and how it was found out. ", 12)

func TestJudge_identity(t *testing.T) {
	own := verdict.Work{DOI: "10.5555/tides.7", Title: ownTitle}
	packet := func(doi string) string {
		return shown(otherTitle, body) + "\n<?xpacket?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:Description prism:doi=\"" + doi + "\"/></x:xmpmeta>"
	}
	tests := map[string]struct {
		content, trailer string
		work             verdict.Work
		want             verdict.Identity
	}{
		"title on the page":          {content: shown(ownTitle, body), work: own, want: verdict.Confirmed},
		"title in pieces":            {content: "BT /F1 9 Tf [(On the mea)-20(sure)3(ment of)] TJ T* [(tides in)-300(shallow estu)] TJ T* (aries) Tj ET", work: own, want: verdict.Confirmed},
		"title in capitals, markup":  {content: shown(strings.ToUpper(ownTitle)), work: verdict.Work{Title: "On the <i>measurement</i> of tides in shallow estuaries"}, want: verdict.Confirmed},
		"title without its ligature": {content: shown("The e\\016cient \\013re of \\014elds and more of it"), work: verdict.Work{Title: "The efficient fire of fields and more of it"}, want: verdict.Confirmed},
		"DOI on the page":            {content: shown("doi: 10.5555/ti", "des.7", body), work: own, want: verdict.Confirmed},
		"DOI with text behind":       {content: shown("https://doi.org/10.5555/TIDES.7Received") + shown(body), work: own, want: verdict.Confirmed},
		"arXiv id":                   {content: shown("arXiv:2101.00001v2 [cs.LG] 1 Jan 2021"), work: verdict.Work{ArXiv: "2101.00001"}, want: verdict.Confirmed},
		"DOI in the metadata":        {content: shown(body), trailer: "/Info << /Producer (x) /Subject (J. Tides 7, doi:10.5555/tides.7) >>", work: own, want: verdict.Confirmed},
		"title in UTF-16":            {content: shown(body), trailer: "/Info << /Producer (x) /Title <" + utf16Hex(ownTitle) + "> >>", work: own, want: verdict.Confirmed},
		"DOI in XMP":                 {content: packet("10.5555/tides.7"), work: own, want: verdict.Confirmed},

		"another DOI":                  {content: shown(otherTitle, "https://doi.org/10.6666/genes.3", body), work: own, want: verdict.Contradicted},
		"another DOI in XMP":           {content: packet("10.6666/genes.3"), work: own, want: verdict.Contradicted},
		"another DOI, title unknown":   {content: shown(otherTitle, "doi:10.6666/genes.3", body), work: verdict.Work{DOI: own.DOI}},
		"another DOI, title unlike":    {content: shown("Measurement of tides: shallow rivers", "doi:10.6666/genes.3", body), work: own},
		"another DOI, little text":     {content: shown("doi:10.6666/genes.3"), work: own},
		"another DOI, work without":    {content: shown(otherTitle, "doi:10.6666/genes.3", body), work: verdict.Work{ArXiv: "2101.00001", Title: ownTitle}},
		"a longer DOI":                 {content: shown(otherTitle, "doi:10.5555/tides.77", body), work: own},
		"the DOI of a part":            {content: shown(otherTitle, "doi:10.5555/tides.7.s001", body), work: own, want: verdict.Confirmed},
		"two other DOIs":               {content: shown(otherTitle, "doi:10.6666/genes.3 doi:10.7777/x", body), work: own},
		"other DOIs in the references": {content: shown(otherTitle, body, "References", "[1] doi:10.6666/genes.3"), work: own},
		"itself in the references":     {content: shown(otherTitle, body, "R", "EFERENCES", "[1] "+ownTitle+". doi:10.5555/tides.7"), work: own},
		"no DOI":                       {content: shown(otherTitle, body), work: own},
		"a short title":                {content: shown("Editorial", "doi:10.6666/genes.3", body), work: verdict.Work{DOI: own.DOI, Title: "Editorial"}},
		"nothing to read":              {content: noise(3000), work: own},
		"encrypted":                    {content: shown(otherTitle, "doi:10.6666/genes.3", body), trailer: "/Encrypt 4 0 R", work: own},
		"work unknown":                 {content: shown(ownTitle, body)},
	}
	for name, tt := range tests {
		for filter, content := range map[string]string{"": tt.content, "/Filter /FlateDecode": deflated(tt.content)} {
			if filter != "" && strings.Contains(tt.content, "xmpmeta") {
				continue
			}
			v := judge(pdf(content, filter, tt.trailer), verdict.Expect{Work: tt.work})
			if v.Identity != tt.want || (v.Level == verdict.Suspect) != (tt.want == verdict.Contradicted) {
				t.Errorf("%s %s: got %s %q, %s, want %q", name, filter, v.Level, v.Reason, v.Identity, tt.want)
			}
			if tt.want == verdict.Contradicted && !strings.Contains(v.Reason, "names doi:10.6666/genes.3 and not the title") {
				t.Errorf("%s: reason %q", name, v.Reason)
			}
		}
	}
}

func utf16Hex(text string) string {
	out := "FEFF"
	for _, r := range text {
		out += fmt.Sprintf("%04X", r)
	}
	return out
}

// with puts objects into a file that pdf has made.
func with(file, objects string) []byte {
	at := strings.Index(file, "3 0 obj")
	moved := fmt.Sprintf("startxref\n%d\n%%%%EOF %%", strings.Index(file, "xref\n0 ")+len(objects))
	return []byte(file[:at] + objects + strings.Replace(file[at:], "startxref\n", moved, 1))
}

// A font whose codes are glyph numbers is read by its map.
func TestJudge_identityByCodes(t *testing.T) {
	var glyphs, chars strings.Builder
	code := map[rune]int{}
	for _, r := range ownTitle {
		if code[r] == 0 {
			code[r] = len(code) + 3
			fmt.Fprintf(&chars, "<%04x> <%04x>\n", code[r], r)
		}
		fmt.Fprintf(&glyphs, "%04x", code[r])
	}
	cmap := deflated("begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange 9 beginbfchar " + chars.String() + "endbfchar" + strings.Repeat(" % the end", 90))
	content := deflated("BT /F7 10 Tf <" + glyphs.String() + "> Tj ET" + strings.Repeat("\n", 9))
	file := string(pdf(content, "/Filter /FlateDecode", "")) // the objects behind its end are out of order, but there
	extra := "8 0 obj << /Font << /F7 9 0 R >> >> endobj 9 0 obj << /Type /Font /Subtype /Type0 /ToUnicode 10 0 R >> endobj\n" +
		fmt.Sprintf("10 0 obj << /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream endobj\n", len(cmap), cmap)
	if v := judge(with(file, extra), verdict.Expect{Work: verdict.Work{Title: ownTitle}}); v.Identity != verdict.Confirmed {
		t.Errorf("%+v", v)
	}
}

// What is hostile to look into is not looked into for long.
func TestJudge_identityHostile(t *testing.T) {
	own := verdict.Work{DOI: "10.5555/tides.7", Title: ownTitle}
	objects := "<< /Type /ObjStm /N 9 /First 9 /Filter /FlateDecode /Length 9 >> stream\n"
	many := strings.Repeat("9 0 obj "+objects+deflated(strings.Repeat("7 0 <</Kids[1 0 R]/Count 9>> ", 20_000))+"\nendstream endobj\n", 300)
	for name, content := range map[string]string{
		"F 144: a million objects":   strings.Repeat("7 0 obj<</Kids[8 0 R]/Count 1>>endobj\n", 1_000_000),
		"F 144: nested parentheses":  "BT " + strings.Repeat("(", 1<<20) + " Tj",
		"unclosed strings":           "BT " + strings.Repeat("(a <b ", 1<<18) + " Tj",
		"F 144: object stream bombs": many,
		"a content bomb":             deflated("BT Tj" + strings.Repeat("(x) Tj ", 4<<20)),
		"a bomb of other DOIs":       deflated("BT Tj (" + strings.Repeat("10.6666/x/", 1<<20)),
		"lengths":                    strings.Repeat("/Length 7 ", 1<<20),
		"streams without an end":     strings.Repeat("1 0 obj<</Length 8 0 R>>stream\n", 1<<18),
		"fonts":                      "BT Tj" + strings.Repeat("/F1 1 Tf (a) Tj /F2 1 Tf (b) Tj ", 1<<15) + strings.Repeat("/Font << /F1 1 0 R >> ", 1<<15),
	} {
		begin := time.Now()
		v := judge(pdf(content, "", ""), verdict.Expect{Work: own})
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
		if v.Identity != "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// The cost of looking into a file, at the sizes of papers: an image and fonts, the
// first page, and object streams of 60 KB.
func BenchmarkJudgePaper(b *testing.B) {
	page := deflated(shown(otherTitle) + strings.Repeat(shown(body), 20))
	objects := deflated("9 0 " + strings.Repeat("<</Type/Annot/Rect[1 2 3 4]/A<</URI(https://a.example/)>>>>\n", 200))
	file := fmt.Sprintf("8 0 obj <</Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream endobj\n", len(page), page)
	for range 5 {
		file += fmt.Sprintf("9 0 obj <</Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream endobj\n", len(objects), objects)
	}
	for name, size := range map[string]int{"1MB": 1 << 20, "20MB": 20 << 20} {
		b.Run(name, func(b *testing.B) {
			whole := with(string(pdf(noise(size), "/Type /XObject /Subtype /Image /Filter /DCTDecode", "")), file)
			j := verdict.New(verdict.Expect{})
			b.SetBytes(int64(len(whole)))
			b.ReportAllocs()
			for b.Loop() {
				j.Reset(verdict.Expect{Work: verdict.Work{DOI: "10.5555/tides.7", Title: ownTitle}})
				for rest := whole; len(rest) > 0; rest = rest[min(len(rest), 32<<10):] {
					j.Write(rest[:min(len(rest), 32<<10)])
				}
				if v := j.Verdict(); v.Level != verdict.OK {
					b.Fatal(v)
				}
			}
		})
	}
}
