package resolver

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/quire-dev/quire/paper"
)

const (
	maxCandidates = 100  // of one answer
	maxTitle      = 1024 // bytes of a title that are kept
)

// tidy makes an answer fit for use: URLs normalised, bad and repeated ones
// dropped, texts of a size to store. Files of other formats come behind PDFs and
// pages, which lead to PDFs, so that whoever takes only the first few loses none of
// these.
func tidy(source string, answer paper.Answer) paper.Answer {
	raw := slices.Clone(answer.Candidates)
	slices.SortStableFunc(raw, func(a, b paper.Candidate) int { return rank(a.Kind) - rank(b.Kind) })
	answer.Candidates = nil
	seen := make(map[string]bool)
	for _, c := range raw {
		if len(answer.Candidates) == maxCandidates {
			break
		}
		u, err := cleanURL(c.URL)
		if err != nil || seen[u] {
			continue
		}
		seen[u] = true
		c.URL, c.Source = u, source
		answer.Candidates = append(answer.Candidates, c)
	}
	answer.Title = clip(answer.Title, maxTitle)
	return answer
}

func rank(kind paper.Kind) int {
	if kind == paper.PDF || kind == paper.Landing {
		return 0
	}
	return 1
}

// clip cuts a text to at most n bytes, at a character, and its white space to
// single spaces.
func clip(s string, n int) string {
	if len(s) > 4*n {
		s = s[:4*n] // leave no more to split than can matter
	}
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " ")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
