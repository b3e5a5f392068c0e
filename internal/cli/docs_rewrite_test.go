package cli_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// edit puts other text in the place of lines.
type edit struct {
	line, lines int // from 1
	text        string
}

// rewrite applies edits, which are in the order of their lines.
func (d doc) rewrite(t *testing.T, edits []edit) {
	t.Helper()
	if len(edits) == 0 {
		return
	}
	lines := slices.Clone(d.lines)
	for _, e := range slices.Backward(edits) {
		end := e.line - 1 + e.lines
		lines = slices.Replace(lines, e.line-1, end, refreshed(lines[e.line-1:end], e.text)...)
	}
	if err := os.WriteFile(d.path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// refreshed is what a document says with what a command shows now, and with its … where
// they were, as far as that can be told.
func refreshed(said []string, shown string) []string {
	if shown == "" {
		return nil
	}
	got := strings.Split(strings.TrimSuffix(shown, "\n"), "\n")
	var fresh []string
	s, g := 0, 0
	for _, p := range append(common(said, got), [2]int{len(said), len(got)}) {
		fresh = append(fresh, between(said[s:p[0]], got[g:p[1]])...)
		if p[0] < len(said) {
			fresh = append(fresh, said[p[0]])
		}
		s, g = p[0]+1, p[1]+1
	}
	if !shows(fresh, shown) {
		return got
	}
	return fresh
}

// common pairs the lines of a longest common subsequence.
func common(said, got []string) (pairs [][2]int) {
	most := make([][]int, len(said)+1)
	most[len(said)] = make([]int, len(got)+1)
	same := func(s, g int) bool { return said[s] != "…" && shows(said[s:s+1], got[g]+"\n") }
	for s := len(said) - 1; s >= 0; s-- {
		most[s] = make([]int, len(got)+1)
		for g := len(got) - 1; g >= 0; g-- {
			most[s][g] = max(most[s+1][g], most[s][g+1])
			if same(s, g) {
				most[s][g] = max(most[s][g], 1+most[s+1][g+1])
			}
		}
	}
	for s, g := 0, 0; s < len(said) && g < len(got); {
		switch {
		case same(s, g) && most[s][g] == 1+most[s+1][g+1]:
			pairs = append(pairs, [2]int{s, g})
			s, g = s+1, g+1
		case most[s+1][g] >= most[s][g+1]:
			s++
		default:
			g++
		}
	}
	return pairs
}

// between puts got in the place of said, none of whose lines it has: with a … in said,
// as many lines before and after it as there were.
func between(said, got []string) []string {
	first := slices.Index(said, "…")
	if first < 0 {
		return got
	}
	last := len(said) - 1
	for said[last] != "…" {
		last--
	}
	head := min(first, len(got))
	rest := max(head, len(got)-(len(said)-1-last))
	return slices.Concat(got[:head], []string{"…"}, got[rest:])
}

func TestRefreshed(t *testing.T) {
	for name, tt := range map[string]struct {
		said  string
		shown string
		want  string
	}{
		"nothing shown":       {"a", "", ""},
		"a line changed":      {"a|b|c", "a|x|c", "a|x|c"},
		"… stays":             {"a|…|z", "A|b|c|z", "A|…|z"},
		"… in the middle":     {"a|b|…|y|z", "a|B|c|d|Y|z", "a|B|…|Y|z"},
		"… at the end":        {"a|…", "A|b|c", "A|…"},
		"… in a line":         {"took …|b", "took 3|B", "took …|B"},
		"nothing under the …": {"a|…|z", "a|Z", "a|…|Z"},
	} {
		t.Run(name, func(t *testing.T) {
			shown := strings.ReplaceAll(tt.shown, "|", "\n")
			if shown != "" {
				shown += "\n"
			}
			got := strings.Join(refreshed(strings.Split(tt.said, "|"), shown), "|")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
