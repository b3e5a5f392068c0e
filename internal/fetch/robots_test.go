package fetch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/fetch"
)

// TestRobots_corpus checks every verdict on real robots.txt files that two
// independent matchers agree on.
func TestRobots_corpus(t *testing.T) {
	type file struct {
		File  string
		Delay *float64 `json:"crawl_delay_examplebot"`
		Cases []struct {
			Agent   string `json:"user_agent"`
			Path    string
			Allowed bool
		}
	}
	const recorded = 1274
	verdicts, right := 0, 0
	for _, f := range corpus.JSONL[file](t, "robots", "index.jsonl") {
		text := corpus.Read(t, f.File)
		for _, c := range f.Cases {
			verdicts++
			if got := fetch.RobotsAllows(text, strings.ToLower(c.Agent), c.Path); got == c.Allowed {
				right++
			} else {
				t.Errorf("%s: %s %s: allowed %v, want %v", f.File, c.Agent, c.Path, got, c.Allowed)
			}
		}
		want := 0.0
		if f.Delay != nil {
			want = *f.Delay
		}
		if got := fetch.RobotsDelay(text, "examplebot"); got != want {
			t.Errorf("%s: Crawl-delay %v, want %v", f.File, got, want)
		}
	}
	t.Logf("%d of %d verdicts right", right, verdicts)
	if verdicts < recorded {
		t.Errorf("%d verdicts checked, want %d", verdicts, recorded)
	}
}

func TestRobots_rules(t *testing.T) {
	tests := map[string]struct {
		text, path string
		want       bool
	}{
		"empty file":                      {"", "/x", true},
		"prefix":                          {"User-agent: *\nDisallow: /a", "/abc", false},
		"other path":                      {"User-agent: *\nDisallow: /a", "/b", true},
		"disallow nothing":                {"User-agent: *\nDisallow:", "/b", true},
		"own group beats star":            {"User-agent: *\nDisallow: /\nUser-agent: Quire\nAllow: /", "/b", true},
		"own group may be empty":          {"User-agent: *\nDisallow: /\n\nUser-agent: quire\nSitemap: x", "/b", true},
		"own token with version":          {"User-agent: quire/2.0\nDisallow: /", "/b", false},
		"longer token is another":         {"User-agent: quirebot\nDisallow: /", "/b", true},
		"groups merge":                    {"User-agent: quire\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: quire\nDisallow: /b", "/b", false},
		"list of agents":                  {"User-agent: a\nUser-agent: quire\nUser-agent: b\nDisallow: /", "/b", false},
		"crawl-delay splits no list":      {"User-agent: quire\nCrawl-delay: 1\nUser-agent: b\nDisallow: /", "/b", false},
		"sitemap splits no list":          {"User-agent: quire\nSitemap: x\nUser-agent: b\nDisallow: /", "/b", false},
		"rule before any agent":           {"Disallow: /\nUser-agent: *\nDisallow: /a", "/b", true},
		"longest wins":                    {"User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", true},
		"longest wins, other order":       {"User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/b", true},
		"allow wins ties":                 {"User-agent: *\nDisallow: /a\nAllow: /a", "/a", true},
		"allow wins ties, other order":    {"User-agent: *\nAllow: /a\nDisallow: /a", "/a", true},
		"wildcard":                        {"User-agent: *\nDisallow: /*.pdf", "/x/y.pdf?z", false},
		"anchor":                          {"User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", false},
		"anchor does not reach":           {"User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", true},
		"anchor without star":             {"User-agent: *\nDisallow: /$", "/x", true},
		"anchored part may not overlap":   {"User-agent: *\nDisallow: /ab*b$", "/ab", true},
		"dollar inside is literal":        {"User-agent: *\nDisallow: /a$b", "/a$bc", false},
		"star in path is literal":         {"User-agent: *\nDisallow: /a%2A", "/a*", false},
		"encoded star is no wildcard":     {"User-agent: *\nDisallow: /a%2Ac", "/abc", true},
		"encoded unreserved in rule":      {"User-agent: *\nDisallow: /%7Ejoe", "/~joe", false},
		"encoded unreserved in path":      {"User-agent: *\nDisallow: /~joe", "/%7ejoe", false},
		"raw UTF-8 in rule":               {"User-agent: *\nDisallow: /é", "/%c3%a9", false},
		"encoded slash is another path":   {"User-agent: *\nDisallow: /a/b", "/a%2Fb", true},
		"encoded reserved in query":       {"User-agent: *\nDisallow: /a?u=http://x", "/a?u=http%3A%2F%2Fx", false},
		"space before colon":              {"User-agent : *\nDisallow : /a", "/a", false},
		"case of names":                   {"USER-AGENT: *\nDISALLOW: /a", "/a", false},
		"case of paths":                   {"User-agent: *\nDisallow: /A", "/a", true},
		"comment":                         {"User-agent: * # all\nDisallow: /a # not /b", "/b", true},
		"CR lines":                        {"User-agent: *\rDisallow: /a\r", "/a", false},
		"byte order mark":                 {"\uFEFFUser-agent: *\nDisallow: /a", "/a", false},
		"HTML":                            {"<!DOCTYPE html><html><body>not found</body></html>", "/a", true},
		"thirty stars":                    {"User-agent: *\nDisallow: /" + strings.Repeat("*a", 30) + "b$", "/" + strings.Repeat("a", 4000), true},
		"rule within 500 KiB":             {"User-agent: *\n" + strings.Repeat("#\n", 249<<10) + "Disallow: /a\n", "/a", false},
		"rule cut at 500 KiB is left out": {"User-agent: *\n" + strings.Repeat("#", 500<<10-14-1-11) + "\nDisallow: /abcdef", "/abcdef", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := fetch.RobotsAllows([]byte(tt.text), "quire", tt.path); got != tt.want {
				t.Errorf("allowed %v, want %v", got, tt.want)
			}
		})
	}
}

// TestRobots_hostileSize bounds the work for one question, whatever the rules.
func TestRobots_hostileSize(t *testing.T) {
	texts := map[string]string{
		"many rules":   "User-agent: *\n" + strings.Repeat("Disallow: /*a*b\n", 32<<10),
		"one long":     "User-agent: *\nDisallow: /" + strings.Repeat("*a", 250<<10),
		"only stars":   "User-agent: *\nDisallow: /" + strings.Repeat("*", 500<<10) + "b",
		"many agents":  strings.Repeat("User-agent: quire\n", 14<<10) + strings.Repeat("Disallow: /b\n", 17<<10),
		"long literal": "User-agent: *\nDisallow: /*" + strings.Repeat("a", 499<<10) + "b",
	}
	path := "/" + strings.Repeat("a", 8<<10)
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			fetch.RobotsAllows([]byte(text), "quire", path)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func FuzzRobots(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /*a*b$\nCrawl-delay: 1e9", "/xaxb?%zz%2F")
	f.Add("User-agent: quire\rAllow: %\nDisallow: %4", "%")
	f.Fuzz(func(t *testing.T, text, path string) {
		allowed := fetch.RobotsAllows([]byte(text), "quire", path)
		if !strings.Contains(strings.ToLower(text), "disallow") && !allowed {
			t.Error("refused without a Disallow")
		}
		if delay := fetch.RobotsDelay([]byte(text), "quire"); delay < 0 || delay > 86400 {
			t.Errorf("Crawl-delay %v", delay)
		}
	})
}
