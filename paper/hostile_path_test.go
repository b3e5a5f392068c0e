package paper_test

import (
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/quire-dev/quire/paper"
)

// TestArtifact_Path_hostile makes paths of ids that try to get out of the tree, or
// into the place of another: each is a safe name of its own.
func TestArtifact_Path_hostile(t *testing.T) {
	owner := make(map[string]string) // by path as the most forgiving file system compares it
	for name, ids := range map[string][]string{
		"B 35: to the parent":              {"../../etc/x", "../x"},
		"B 36: absolute":                   {"/etc/passwd", "//etc/passwd"},
		"B 37: in the ways of Windows":     {`..\..\x`, `C:\x`, `\\server\share`},
		"B 38: cleaned, they would be one": {"a/../b", "b", "./b", "a//b", "a/b"},
		"B 39: encoded":                    {"%2e%2e%2f", "%2E%2E%2F", "..%2f"},
		"B 40: overlong UTF-8":             {"a\xc0\xafb", "a\xe0\x80\xafb", "a\xffb"},
		"B 41: nothing much":               {".", "..", " ", "\t", "..."},
		"B 42: long":                       {strings.Repeat("a", 10_000), strings.Repeat("a", 9_999) + "b", strings.Repeat("é", 5_000)},
		"B 43: control characters":         {"a\x00b", "a\nb", "a\tb", "a\x1bb", "a\x7fb"},
		"B 44: what is not seen":           {"a\u202eb", "a\u200db", "e" + strings.Repeat("\u0301", 100)},
		"B 45: composed and decomposed":    {"\u00e9", "e\u0301"},
		"B 46: upper and lower case":       {"A", "a", "É"},
		"B 47: devices of Windows":         {"CON", "con", "NUL", "aux.pdf", "com1", "x.", "x "},
		"B 48: flags":                      {"-", "--help", "-rf"},
		"B 49: formulas":                   {"=cmd()", "+1", "@x", "-x"},
		"B 50: a script":                   {"<script>"},
		"B 51: SQL":                        {"'; DROP TABLE jobs; --"},
		"B 52: a temporary file":           {"x.part", "x.tmp", ".link-x"},
		"B 53: four bytes a character":     {"\U0001F600", "\U00020000"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, id := range ids {
				for _, full := range []string{"doi:10.1000/" + id, "arxiv:" + id, "xml:doi:10.1000/" + id} {
					path := paper.Artifact{ID: full}.Path()
					if !fs.ValidPath(path) || strings.Count(path, "/") != 1 || strings.ContainsAny(path, "\\:*?\"<>|") {
						t.Errorf("%.40q is at %q", full, path)
					}
					for part := range strings.SplitSeq(path, "/") {
						if len(part) > 210 || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.TrimSpace(part) != part {
							t.Errorf("%.40q is at %q", full, path)
						}
					}
					folded := norm.NFC.String(strings.ToLower(path))
					if other, taken := owner[folded]; taken && other != full {
						t.Errorf("%.40q and %.40q are both at %q", full, other, path)
					}
					owner[folded] = full
				}
			}
		})
	}
}
