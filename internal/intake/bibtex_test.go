package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
)

func TestBibTeX(t *testing.T) {
	const a, b = "1 doi:10.1000/a", "2 doi:10.1000/b"
	const second = "\n@misc{b, doi={10.1000/b}}"
	tests := map[string]struct {
		text string
		want []string
	}{
		"braces":                 {"@article{a, doi = {10.1000/a}}" + second, []string{a, b}},
		"quotes":                 {`@article{a, title = "A {"}quoted{"} word", doi = "10.1000/a"}` + second, []string{a, b}},
		"parentheses":            {"@article(a, doi = {10.1000/a}, note={:)})" + second, []string{a, b}},
		"bare":                   {"@article{a, year = 2020, month = mar, doi = 10.1000/a}" + second, []string{a, b}},
		"nested braces":          {"@article{a, title={A {b {c}} \\{d\\}}, doi={{10.1000/a}}}" + second, []string{a, b}},
		"space everywhere":       {"@ Article {a ,\t doi =\n {10.1000/a} ,\n}\n", []string{a}},
		"upper case":             {"@ARTICLE{a, DOI={10.1000/A}}", []string{a}},
		"no key":                 {"@article{doi={10.1000/a}}" + second, []string{a, b}},
		"empty key":              {"@article{, doi={10.1000/a}}" + second, []string{a, b}},
		"odd key":                {"@article{O\"Neil (2020), doi={10.1000/a}}" + second, []string{a, b}},
		"key on a line":          {"@article{a\n,\ndoi={10.1000/a}}", []string{a}},
		"missing commas":         {"@article{a title={x} doi={10.1000/a} year=2020}" + second, []string{a, b}},
		"commas too many":        {"@article{a,,title={x},,doi={10.1000/a},,}" + second, []string{a, b}},
		"field without a value":  {"@article{a, title=, keywords, doi={10.1000/a}}", []string{a}},
		"stray characters":       {"@article{a, = {x}, {y}, # \"z\" , ## , doi={10.1000/a}}", []string{a}},
		"several on a line":      {"@misc{a,doi={10.1000/a}} @misc{b,doi={10.1000/b}}@misc{c,doi={10.1000/c}}", []string{a, "1 doi:10.1000/b", "1 doi:10.1000/c"}},
		"comments between":       {"by me@example.org {x}\n% @misc{x,}\n@misc{a,doi={10.1000/a}} trailing @misc{x}\n", []string{"3 doi:10.1000/a"}},
		"comment entry":          {"@comment{@misc{x, doi={10.1000/x}}}" + second, []string{b}},
		"comment, no braces":     {"@comment by me" + second, []string{b}},
		"comment, not closed":    {"@comment{ {{" + second, []string{b}},
		"preamble":               {"@preamble{ \"\\newcommand{\\x}{}\" # {y} }" + second, []string{b}},
		"at in a value":          {"@misc{a, note={by\n@me, or \n@ you}, doi={10.1000/a}}" + "\n", []string{a}},
		"CR LF":                  {"@misc{a,\r\n doi={10.1000/a},\r\n}\r\n@misc{b,\r\n doi={10.1000/b}}", []string{a, "4 doi:10.1000/b"}},
		"macros":                 {"@string{p = \"10.1000\"}\n@string(q = p # {/b})\n@misc{a, doi = P # \"/a\"}\n@misc{b, doi=q}", []string{"3 doi:10.1000/a", "4 doi:10.1000/b"}},
		"macro not defined":      {`@misc{a, doi = "10.1000/a" # suffix}`, []string{`1! doi: macro "suffix" is not defined`}},
		"macro, another id":      {`@misc{a, doi = x, pmid = 1}`, []string{"1 pmid:1"}},
		"macro not closed":       {"@string{p = \"10.1000" + second, []string{"1! a brace or quote is opened and not closed before the next entry", b}},
		"value not closed":       {"@misc{a, title={x, doi={10.1000/a},\n}" + "\n@misc{b, doi={10.1000/b}}", []string{"1! a brace or quote is opened and not closed", "3 doi:10.1000/b"}},
		"quote not closed":       {"@misc{a, title=\"x, doi={10.1000/a}}" + second, []string{"1! a quote is opened and not closed before the entry's closing brace", b}},
		"entry not closed":       {"@misc{a, doi={10.1000/a}," + second, []string{"1! a brace or quote is opened and not closed", b}},
		"entry not closed, end":  {"@misc{a, doi={10.1000/a},\n\n", []string{"1! a brace or quote is opened and not closed"}},
		"cut off in a word":      {"@misc{a, doi={10.1000/a}}\n@misc{b, do", []string{a, "2! a brace or quote is opened and not closed"}},
		"cut off in the type":    {"@misc{a, doi={10.1000/a}}\n@artic", []string{a}},
		"cut off after the type": {"@misc{a, doi={10.1000/a}}\n@article", []string{a, "2! no brace follows the type"}},
		"no brace":               {"@article a, doi={10.1000/a}}" + second, []string{"1! no brace follows the type", b}},
		"brace too many":         {"@misc{a, doi={10.1000/a}}, year=2020}" + second, []string{a, b}},
		"no identifier":          {"@book{Knuth1984, title={x}}" + second, []string{`1! no identifier in the entry "Knuth1984"`, b}},
		"no identifier, no key":  {"@book{title={x}}" + second, []string{"1! no identifier in the entry", b}},
		"bad identifier":         {"@misc{a, doi={n. d.}, pmid={x}}" + second, []string{`1! doi: not an identifier: "n. d."`, b}},
		"nothing at all":         {"10.1000/a\n10.1000/b\n", []string{"! after line 2: no entry begins with @ at the start of a line"}},
		"only comments":          {"% mine\n@comment{x}\n", nil},
		"latin1":                 {"@misc{M\xfcller, title={Gr\xfc\xdfe}, doi={10.1000/a}}" + second, []string{a, b}},
		"gbk":                    {"@misc{\xbf\xad\xc8\xf6, author = {\xbf\xad\xc8\xf6}, doi={10.1000/a}}" + second, []string{a, b}},
		"BOM":                    {"\ufeff@misc{a, doi={10.1000/a}}" + second, []string{a, b}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRead(t, strings.NewReader(tt.text), intake.Options{Format: intake.BibTeX}, tt.want...)
			checkRead(t, iotest.OneByteReader(strings.NewReader(tt.text)), intake.Options{Format: intake.BibTeX}, tt.want...)
		})
	}
}

func TestBibTeX_fields(t *testing.T) {
	tests := map[string]struct{ fields, want string }{
		"escaped underscore":   {`doi = {10.1000/a\_b}`, "doi:10.1000/a_b"},
		"braced underscore":    {`doi = {10.1000/a{\_}b}`, "doi:10.1000/a_b"},
		"escaped ampersand":    {`doi = {10.1000/a\&b\%c\#d}`, "doi:10.1000/a&b%c#d"},
		"SICI in math":         {`doi = {10.1002/1$<$1::AID-X$>$3.0.CO;2-2}`, "doi:10.1002/1<1::aid-x>3.0.co;2-2"},
		"SICI in words":        {`doi = {10.1002/1{\textless}1::AID-X\textgreater{}3.0.CO;2-2}`, "doi:10.1002/1<1::aid-x>3.0.co;2-2"},
		"url command":          {`doi = {\url{https://doi.org/10.1000/a}}`, "doi:10.1000/a"},
		"escaped percent":      {`url = {https://doi.org/10.1000\%2Fa}`, "doi:10.1000/a"},
		"doi at a proxy":       {`doi = {http://doi.acm.org/10.1145/1.2}`, "doi:10.1145/1.2"},
		"doi over lines":       {"doi = {\n  10.1000/a\n}", "doi:10.1000/a"},
		"url":                  {`url = {https://example.org/a}`, "url:https://example.org/a"},
		"url after doi":        {`url = {https://example.org/a}, doi = {10.1000/a}`, "doi:10.1000/a"},
		"eprint":               {`eprint = {2101.00001v2}, archivePrefix = {arXiv}`, "arxiv:2101.00001"},
		"eprint, biblatex":     {`eprint = {2101.00001}, eprinttype = {arxiv}, eprintclass={cs.LG}`, "arxiv:2101.00001"},
		"eprint alone":         {`eprint = {hep-th/9901001}`, "arxiv:hep-th/9901001"},
		"eprint, class apart":  {`eprint = {9901001}, archiveprefix = {arXiv}, primaryClass = {hep-th}`, "arxiv:hep-th/9901001"},
		"eprint, old archive":  {`eprint = {9901001}, archiveprefix = {hep-th}`, "arxiv:hep-th/9901001"},
		"eprint of PubMed":     {`eprint = {123}, eprinttype = {pubmed}`, "pmid:123"},
		"eprint of PMC":        {`eprint = {123}, eprinttype = {pmc}`, "pmcid:PMC123"},
		"eprint of JSTOR":      {`eprint = {123}, eprinttype = {jstor}`, "! no identifier in the entry"},
		"eprint, a URL":        {`eprint = {https://example.org/a.pdf}`, "url:https://example.org/a.pdf"},
		"eprint, bad":          {`eprint = {x}, archiveprefix = {arxiv}`, "! arxiv: not an identifier"},
		"pmid, pmcid":          {`pmid = 123, pmcid = {PMC456}`, "pmcid:PMC456"},
		"doi in a note":        {`note = {Online: doi:10.1000/a.}`, "doi:10.1000/a"},
		"doi in howpublished":  {`howpublished = {\href{https://doi.org/10.1000/a}{here}}`, "doi:10.1000/a"},
		"doi in a note, last":  {`note = {See doi:10.1000/b}, pmid = {1}`, "pmid:1"},
		"two dois in a note":   {`note = {10.1000/a and 10.1000/b}`, "! no identifier in the entry"},
		"one doi twice":        {`note = {10.1000/a, https://doi.org/10.1000/a}`, "doi:10.1000/a"},
		"a note before a url":  {`note = {doi 10.1000/a}, url = {https://example.org/}`, "doi:10.1000/a"},
		"no doi in a number":   {`note = {110.1000/1}`, "! no identifier in the entry"},
		"arxiv in the journal": {`journal = {arXiv preprint arXiv:1706.03762}`, "arxiv:1706.03762"},
		"doi in the journal":   {`journal = {10.1000/a}`, "! no identifier in the entry"},
		"doi in the abstract":  {`abstract = {10.1000/a}`, "! no identifier in the entry"},
		"very long note":       {`note = {` + strings.Repeat("x ", 10_000) + `10.1000/a}`, "! no identifier in the entry"},
		"very long doi":        {`doi = {10.1000/` + strings.Repeat("x", 20_000) + `}`, "! doi: not an identifier: 16388 bytes"},
		"many urls":            {strings.Repeat("url = {x},", 1000) + `url = {https://example.org/}`, "! url: not an identifier"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := "@misc{key, " + tt.fields + "}"
			checkRead(t, strings.NewReader(text), intake.Options{Format: intake.BibTeX}, strings.Replace("1 "+tt.want, "1 !", "1!", 1))
		})
	}
}

// An entry with several identifiers is one artifact with all of them.
func TestBibTeX_row(t *testing.T) {
	const text = `@article{x,
  title = {{On} the {\"U}ber-{\c S}{\'\i}{\o}n of \emph{Foo} \& ` + "``Bar''" + `---{\LaTeX} and $\alpha$--$\beta$~\textbf{x}, by na{\"\i}ve \v{C}ech},
  doi = {10.1000/A}, eprint = {2101.00001v3}, archiveprefix = {arXiv}, pmid = {4}, pmcid = {5},
  url = {https://example.org/x?y=1}
}`
	want := intake.Row{
		Line: 1, Title: "On the Über-Şíøn of Foo & “Bar”—LaTeX and alpha–beta x, by naïve Čech",
		Artifact: paper.Artifact{
			ID:  "doi:10.1000/a",
			IDs: paper.IDs{DOI: "10.1000/a", ArXiv: "2101.00001", PMCID: "PMC5", PMID: "4", URL: "https://example.org/x?y=1"},
		},
	}
	for row, err := range intake.Read(strings.NewReader(text), intake.Options{Name: "x.bib"}) {
		if diff := cmp.Diff(want, row); diff != "" || err != nil {
			t.Errorf("%v, row (-want +got):\n%s", err, diff)
		}
	}
}

func TestBibTeX_limits(t *testing.T) {
	const second = "\n@misc{b, doi={10.1000/b}}"
	huge := strings.Repeat("x", 1<<20)
	tests := map[string]struct {
		text string
		want []string
	}{
		"entry":            {"@misc{a, doi={10.1000/a}, note={" + huge + "}}" + second, []string{"1! entry is longer than 1048576 bytes", "2 doi:10.1000/b"}},
		"text between":     {huge + huge + " @misc{x, pmid=1} " + huge + second, []string{"2 doi:10.1000/b"}},
		"comment":          {"@comment{" + huge + "}" + second, []string{"2 doi:10.1000/b"}},
		"type":             {"@" + strings.Repeat("m", 100) + "{a, doi={10.1000/a}}" + second, []string{"2 doi:10.1000/b"}},
		"text in a macro":  {longMacros(63, huge[:16<<10]) + "@string{n={" + huge[:16190] + "}}\n@string{r={10.1000/a}}\n@misc{a, doi=r}", []string{`66! doi: macro "r" is not defined`}},
		"number of macros": {manyMacros(20_001) + "@misc{a, doi=m19999}\n@misc{b, doi=m20000}", []string{"20002 doi:10.1000/19999", `20003! doi: macro "m20000" is not defined`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRead(t, strings.NewReader(tt.text), intake.Options{Format: intake.BibTeX}, tt.want...)
		})
	}
}

func manyMacros(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "@string{m%d={10.1000/%d}}\n", i, i)
	}
	return b.String()
}

func longMacros(n int, text string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "@string{m%02d={%s}}\n", i, text)
	}
	return b.String()
}

func FuzzBibTeX(f *testing.F) {
	for _, seed := range []string{
		"@article{a, doi = \"10.1000/a\" # x, title={{A} \\'{e}}}\n@string{x = {y}}", "@misc(a, url={\\url{https://example.org}})",
		"@comment{\n@misc{a,", "@a{b,c=", "% x\n@preamble{\"x\"}@misc{,eprint={2101.00001},archiveprefix={arXiv}}", "@misc{a,note={\\href{x}{y} 10.1000/a}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkRows(t, text, intake.BibTeX)
		checkPieces(t, text, intake.BibTeX)
	})
}

// checkPieces checks that what is read does not depend on how much of the stream
// is there at a time.
func checkPieces(t *testing.T, text string, format intake.Format) {
	t.Helper()
	opt := intake.Options{Format: format}
	whole, pieces := readAll(t, strings.NewReader(text), opt), readAll(t, iotest.OneByteReader(strings.NewReader(text)), opt)
	if diff := cmp.Diff(whole, pieces); diff != "" {
		t.Fatalf("%q (-whole +in pieces):\n%s", text, diff)
	}
}
