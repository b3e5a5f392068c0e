package paper_test

import (
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/quire-dev/quire/paper"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestArtifact_Path(t *testing.T) {
	tests := map[string]string{
		"doi:10.1371/journal.pone.0000001":  "10.1371/journal.pone.0000001",
		"doi:10.1016/s0531-5131(03)00469-2": "10.1016/s0531-5131%2803%2900469-2",
		"doi:10.1000/a/b":                   "10.1000/a%2Fb",
		"doi:10.1000/a%2fb":                 "10.1000/a%252fb",
		"doi:10.1000/../../etc/x":           "10.1000/%2E.%2F..%2Fetc%2Fx",
		"doi:10.1000/..":                    "10.1000/%2E%2E",
		"doi:10.1000/.":                     "10.1000/%2E",
		"doi:10.1000/.hidden":               "10.1000/%2Ehidden",
		"doi:10.1000/a.":                    "10.1000/a%2E",
		"doi:10.1000/con":                   "10.1000/%63on",
		"doi:10.1000/aux.pdf":               "10.1000/%61ux.pdf",
		"doi:10.1000/lpt9":                  "10.1000/%6Cpt9",
		"doi:10.1000/console":               "10.1000/console",
		`doi:10.1000/..\x`:                  "10.1000/%2E.%5Cx",
		"doi:10.1000/x.part":                "10.1000/x.part",
		"doi:10.1000/a~b":                   "10.1000/a%7Eb",
		"doi:10.1000/\x00\n\x1b":            "10.1000/%00%0A%1B",
		"arxiv:2101.00001":                  "arxiv/2101.00001",
		"arxiv:math/0309136":                "arxiv/math%2F0309136",
		"pmcid:PMC123":                      "pmcid/PMC123",
		"pmid:123":                          "pmid/123",
		"openalex:W1":                       "openalex/W1",
		"url:https://example.org/":          "url/8198d1bac40a1033653a78e48800cefc9e6b974ff075c66e5548b5c1e145a2b0",
	}
	for id, want := range tests {
		a := paper.Artifact{ID: id}
		if got := a.Path(); got != want {
			t.Errorf("Path of %q = %q, want %q", id, got, want)
		}
		checkPath(t, a)
	}
}

func TestArtifact_Path_hashes(t *testing.T) {
	long := strings.Repeat("a", 167)
	tests := map[string]string{ // id: how its path begins
		"doi:10.1000/" + strings.Repeat("a", 200):   "10.1000/" + long + "aaa",
		"doi:10.1000/" + strings.Repeat("a", 201):   "10.1000/" + long + "~",
		"doi:10.1000/" + strings.Repeat("<", 100):   "10.1000/" + strings.Repeat("%3C", 55) + "%3~",
		"doi:10.1000/" + strings.Repeat("a", 1012):  "10.1000/" + long + "~",
		"doi:10." + strings.Repeat("1", 300) + "/a": "10." + strings.Repeat("1", 164) + "~",
		"/etc/passwd": "other/",
		"doi:../x":    "other/",
		"doi:arxiv/x": "other/",
		"pmcid:../x":  "other/",
		"pmid:":       "other/",
		"":            "other/",
	}
	for id, want := range tests {
		a := paper.Artifact{ID: id}
		if got := a.Path(); !strings.HasPrefix(got, want) {
			t.Errorf("Path of %.60q = %q, want %q at its start", id, got, want)
		}
		checkPath(t, a)
	}
}

// Different artifacts have different paths, also without case; ids are drawn
// from few characters, so that near misses are frequent.
func TestArtifact_Path_injective(t *testing.T) {
	suffix := rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune("ab./%~-2ef")), 1, 6, -1),
		rapid.SampledFrom([]string{"con", "com1", "%63on", "a%2e", "a.", strings.Repeat("a", 201)}),
		rapid.Map(rapid.IntRange(190, 220), func(n int) string { return strings.Repeat("a", n) }),
	)
	ids := rapid.Map(suffix, func(s string) string { return "doi:10.1000/" + s })
	rapid.Check(t, func(t *rapid.T) {
		a, b := paper.Artifact{ID: ids.Draw(t, "a")}, paper.Artifact{ID: ids.Draw(t, "b")}
		if a.ID != b.ID && strings.EqualFold(a.Path(), b.Path()) {
			t.Fatalf("%q and %q have path %q", a.ID, b.ID, a.Path())
		}
		// The path of one as the identifier of another.
		_, name, _ := strings.Cut(a.Path(), "/")
		if c := (paper.Artifact{ID: "doi:10.1000/" + name}); c.ID != a.ID && strings.EqualFold(c.Path(), a.Path()) {
			t.Fatalf("%q and %q have path %q", a.ID, c.ID, a.Path())
		}
		checkPath(t, a)
	})
}

func checkPath(t interface {
	Helper()
	Fatalf(string, ...any)
}, a paper.Artifact,
) {
	t.Helper()
	p := a.Path()
	names := strings.Split(p, "/")
	if len(names) != 2 || path.Clean(p) != p || path.IsAbs(p) || strings.ContainsAny(p, "\\:*?\"<>|\x00 ") {
		t.Fatalf("path %q of %q is not safe", p, a.ID)
	}
	for _, name := range names {
		if name == "" || len(name) > 200 || name[0] == '.' || strings.HasSuffix(name, ".") {
			t.Fatalf("name %q of %q is not safe", name, a.ID)
		}
	}
	_, id, _ := strings.Cut(a.ID, ":")
	if names[0] == "url" || names[0] == "other" || strings.Contains(p, "~") {
		return // a hash
	}
	if back, err := url.PathUnescape(p); err != nil || back != id && back != names[0]+"/"+id {
		t.Fatalf("path %q of %q reads back as %q, %v", p, a.ID, back, err)
	}
}
