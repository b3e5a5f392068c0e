package intake_test

import (
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
)

func TestRIS(t *testing.T) {
	const second = "\nTY  - JOUR\nDO  - 10.1000/b\nER  - \n"
	tests := map[string]struct {
		text string
		want []string
	}{
		"plain":                {"TY  - JOUR\nDO  - 10.1000/a\nER  - \n" + second, []string{"1 doi:10.1000/a", "5 doi:10.1000/b"}},
		"CR LF, no space":      {"TY  -JOUR\r\nDO  -10.1000/a\r\nER  -\r\n", []string{"1 doi:10.1000/a"}},
		"other spacing":        {"TY - JOUR\nDO   - 10.1000/a\nER -\n", []string{"1 doi:10.1000/a"}},
		"text between":         {"Record 1\nDO  - 10.1000/x\n\n1.\nTY  - JOUR\nDO  - 10.1000/a\nER  - \nbye", []string{"5 doi:10.1000/a"}},
		"text with a tag":      {"TY  - JOUR\nAB  - x\nIN VITRO\nDO 10.1000/x\nDO  - 10.1000/a\nER  - \n", []string{"1 doi:10.1000/a"}},
		"no ER":                {"TY  - JOUR\nDO  - 10.1000/a" + second, []string{"1! the record has no ER line", "3 doi:10.1000/b"}},
		"no ER at the end":     {"TY  - JOUR\nDO  - 10.1000/a", []string{"1 doi:10.1000/a"}},
		"no identifier":        {"TY  - JOUR\nTI  - A title\nER  - \n" + second, []string{`1! no identifier in the record "A title"`, "5 doi:10.1000/b"}},
		"no identifier at all": {"TY  - JOUR\nER  - \n", []string{"1! no identifier in the record"}},
		"bad identifier":       {"TY  - JOUR\nDO  - none yet\nER  - \n", []string{`1! doi: not an identifier: "none yet"`}},
		"doi of a proxy":       {"TY  - JOUR\nDO  - http://doi.acm.org/10.1145/1.2\nER  - \n", []string{"1 doi:10.1145/1.2"}},
		"M3, a doi":            {"TY  - JOUR\nM3  - doi:10.1000/a\nER  - \n", []string{"1 doi:10.1000/a"}},
		"M3, a type":           {"TY  - JOUR\nM3  - Article\nUR  - https://example.org/a\nER  - \n", []string{"1 url:https://example.org/a"}},
		"C7, a number":         {"TY  - JOUR\nC7  - W1234\nM1  - 12345\nER  - \n", []string{"1! no identifier in the record"}},
		"C2, a PMCID":          {"TY  - JOUR\nC2  - PMC123\nER  - \n", []string{"1 pmcid:PMC123"}},
		"AN, short":            {"TY  - JOUR\nAN  - 12345678\nER  - \n", []string{"1 pmid:12345678"}},
		"AN, long":             {"TY  - JOUR\nAN  - 2019123456\nER  - \n", []string{"1! no identifier in the record"}},
		"AN of PubMed":         {"TY  - JOUR\nAN  - 12345678\nDP  - NLM\nER  - \n", []string{"1 pmid:12345678"}},
		"AN of Embase":         {"TY  - JOUR\nDB  - Embase\nAN  - 12345678\nER  - \n", []string{"1! no identifier in the record"}},
		"AN, a doi":            {"TY  - JOUR\nDB  - x\nAN  - 10.1000/a\nER  - \n", []string{"1 doi:10.1000/a"}},
		"AN of Web of Science": {"TY  - JOUR\nAN  - WOS:000221807500019\nER  - \n", []string{"1! no identifier in the record"}},
		"UR on several lines":  {"TY  - JOUR\nUR  - https://example.org/a\nhttps://doi.org/10.1000/a\nER  - \n", []string{"1 doi:10.1000/a"}},
		"L1 after UR":          {"TY  - JOUR\nL1  - https://example.org/a.pdf\nUR  - https://example.org/a\nER  - \n", []string{"1 url:https://example.org/a"}},
		"L1 alone":             {"TY  - JOUR\nL1  - internal-pdf://1/a.pdf\nL1  - https://example.org/a.pdf\nER  - \n", []string{"1 url:https://example.org/a.pdf"}},
		"doi in a note":        {"TY  - JOUR\nN1  - cited 3 times, doi: 10.1000/a\nER  - \n", []string{"1 doi:10.1000/a"}},
		"labels in a note":     {"TY  - JOUR\nN1  - PMID: 123\nER  - \n", []string{"1 pmid:123"}},
		"arxiv in the journal": {"TY  - JOUR\nJO  - arXiv preprint arXiv:1706.03762\nER  - \n", []string{"1 arxiv:1706.03762"}},
		"Web of Science":       {"FN Thing\nVR 1.0\nPT J\nTI A\n   B\nDI 10.1000/a\nPM 12\nER\n\nPT J\nDI 10.1000/b\nER\n\nEF", []string{"3 doi:10.1000/a", "10 doi:10.1000/b"}},
		"nothing at all":       {"10.1000/a\n", []string{"! after line 1: no record begins with a TY line: is it RIS?"}},
		"line too long":        {"TY  - JOUR\nAB  - " + strings.Repeat("x", 1<<20) + "\nDO  - 10.1000/a\nER  - \n" + second, []string{"1! line is longer than 1048576 bytes", "6 doi:10.1000/b"}},
		"line too long, no TY": {strings.Repeat("x", 2<<20) + second, []string{"2 doi:10.1000/b"}},
		"lines without end":    {"TY  - JOUR\n" + strings.Repeat("UR  - x\n", 100_000) + "UR  - https://example.org/\nER  - \n", []string{"1! url: not an identifier"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRead(t, strings.NewReader(tt.text), intake.Options{Format: intake.RIS}, tt.want...)
			checkRead(t, iotest.OneByteReader(strings.NewReader(tt.text)), intake.Options{Format: intake.RIS}, tt.want...)
		})
	}
}

// A record with several identifiers is one artifact with all of them; a title
// goes on until the next tag.
func TestRIS_row(t *testing.T) {
	want := intake.Row{
		Line: 1, Title: "A title of two lines",
		Artifact: paper.Artifact{
			ID:  "doi:10.1000/a",
			IDs: paper.IDs{DOI: "10.1000/a", PMCID: "PMC5", PMID: "4", URL: "https://example.org/x"},
		},
	}
	for name, text := range map[string]string{
		"ris": "TY  - JOUR\nT1  - A title of\n two lines\nTI  - Another\nUR  - https://example.org/x\nC2  - PMC5\nAN  - 4\nDO  - 10.1000/A\nER  - ",
		"wos": "PT J\nTI A title of\n   two lines\nTI Another\nUR https://example.org/x\nC2 PMC5\nPM 4\nDI 10.1000/A\nER",
	} {
		for row, err := range intake.Read(strings.NewReader(text), intake.Options{Format: intake.RIS}) {
			if diff := cmp.Diff(want, row); diff != "" || err != nil {
				t.Errorf("%s: %v, row (-want +got):\n%s", name, err, diff)
			}
		}
	}
}

func FuzzRIS(f *testing.F) {
	for _, seed := range []string{
		"TY  - JOUR\nDO  - 10.1000/a\nUR  - https://example.org\n x\nER  - \n", "FN x\nPT J\nTI a\n   b\nDI 10.1000/a\nER\nEF",
		"TY  - JOUR\nTY  - JOUR\nAN  - 1\nN1  - PMID: 2\n", "TY  -\nM3  - \nER",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkRows(t, text, intake.RIS)
		checkPieces(t, text, intake.RIS)
	})
}
