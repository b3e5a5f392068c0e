package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/quire-dev/quire/internal/report"
)

func TestPrintable(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":              {"Étude № 5, 漢字 🙂", "Étude № 5, 漢字 🙂"},
		"empty":              {"", ""},
		"escape sequence":    {"\x1b[31mred", `\x1b[31mred`},
		"lines":              {"a\r\nb\tc", `a\r\nb\tc`},
		"NUL, DEL, BEL":      {"\x00\x7f\a", `\x00\x7f\a`},
		"C1 control":         {"\u009b1m", `\u009b1m`},
		"other direction":    {"\u202egpj.exe", `\u202egpj.exe`},
		"zero width":         {"a\u200bb\u200d", `a\u200bb\u200d`},
		"line separator":     {"a\u2028b", `a\u2028b`},
		"tag characters":     {"\U000e0001", `\U000e0001`},
		"not UTF-8":          {"a\xc0\xafb", `a\ufffd\ufffdb`},
		"no-break space":     {"a\u00a0b", `a\u00a0b`},
		"quotes as they are": {`"it's" \n`, `"it's" \n`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := report.Printable(tt.text); got != tt.want {
				t.Errorf("Printable(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestEscapeJSON(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":          {"Étude 漢字 🙂 <&>", "Étude 漢字 🙂 <\\u0026>"},
		"DEL and C1":     {"\x7f\u009b", `\u007f\u009b`},
		"direction":      {"\u202ex", `\u202ex`},
		"tag characters": {"\U000e0001", `\udb40\udc01`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := `"` + strings.ReplaceAll(tt.text, "&", `\u0026`) + `"`
			got := string(report.EscapeJSON([]byte(doc)))
			if want := `"` + tt.want + `"`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func FuzzEscapeJSON(f *testing.F) {
	f.Add("a\u202e\x7f\U000e0001")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var before, after string
		escaped := report.EscapeJSON(doc)
		if err := json.Unmarshal(doc, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(escaped, &after); err != nil || after != before {
			t.Errorf("%s means %q, was %q (%v)", escaped, after, before, err)
		}
		for _, r := range string(escaped) {
			if !unicode.IsPrint(r) {
				t.Errorf("%q is still there", r)
			}
		}
	})
}
