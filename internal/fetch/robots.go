package fetch

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	productToken   = "quire"
	maxRobotsBytes = 500 << 10 // RFC 9309 section 2.5: the least that must be parsed
)

// rules are what a robots.txt says to one crawler. Nil rules allow everything.
type rules struct {
	list  []rule
	delay time.Duration // Crawl-delay; 0 if none
}

type rule struct {
	pattern  string // normal form; '*' is the wildcard
	anchored bool   // ended in '$'
	allow    bool
}

// parseRules reads a robots.txt for the crawler that calls itself token, in lower
// case (RFC 9309 section 2.2). What it does not understand it skips. Crawl-delay is
// not in the RFC; it holds for the user agents named so far in its group and does
// not end their list.
func parseRules(text []byte, token string) *rules {
	var own, others rules // for token, for "*"
	var current []*rules  // those of the group at hand
	listing, named := true, false
	for line := range robotsLines(text) {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "user-agent":
			if !listing {
				current, listing = nil, true
			}
			group := &others
			switch agentToken(value) {
			case token:
				group, named = &own, true
			case "*":
			default:
				continue
			}
			if !slices.Contains(current, group) {
				current = append(current, group)
			}
		case "allow", "disallow":
			listing = false
			for _, r := range current {
				r.add(value, name == "allow")
			}
		case "crawl-delay":
			for _, r := range current {
				r.delay = max(r.delay, crawlDelay(value))
			}
		}
	}
	if named {
		return &own
	}
	return &others
}

// robotsLines yields the lines of text without comments: up to the limit, whole
// ones only, ended by LF, CRLF or CR.
func robotsLines(text []byte) func(yield func(string) bool) {
	if len(text) > maxRobotsBytes {
		text = text[:maxRobotsBytes]
		text = text[:bytes.LastIndexAny(text, "\r\n")+1] // half a rule may say the opposite
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	return func(yield func(string) bool) {
		for line := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == '\n' || r == '\r' }) {
			line, _, _ = strings.Cut(line, "#")
			if !yield(line) {
				return
			}
		}
	}
}

// agentToken returns the product token at the start of a User-agent value, in
// lower case: "quire" of "Quire/1.0".
func agentToken(value string) string {
	if value == "*" || strings.HasPrefix(value, "* ") {
		return "*"
	}
	value = strings.ToLower(value)
	end := strings.IndexFunc(value, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '_' })
	if end >= 0 {
		value = value[:end]
	}
	return value
}

// crawlDelay returns 0 for what is no sensible number of seconds.
func crawlDelay(value string) time.Duration {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, longestWait.Seconds()) * float64(time.Second))
}

func (r *rules) add(pattern string, allow bool) {
	if pattern == "" {
		return // "Disallow:" forbids nothing
	}
	pattern, anchored := strings.CutSuffix(pattern, "$")
	r.list = append(r.list, rule{normalPattern(pattern), anchored, allow})
}

// allows reports whether path, with its query, may be fetched: the longest
// matching pattern decides, and allow wins a tie (RFC 9309 section 2.2.2).
func (r *rules) allows(path string) bool {
	if r == nil {
		return true
	}
	path = normalPath(path)
	longest, allow := -1, true
	for _, rule := range r.list {
		n := len(rule.pattern)
		if rule.anchored {
			n++
		}
		if n < longest || (n == longest && allow) || !rule.matches(path) {
			continue
		}
		longest, allow = n, rule.allow
	}
	return allow
}

// size is about how much memory the rules take.
func (r *rules) size() int {
	const perRule = 32
	n := 0
	if r != nil {
		for _, rule := range r.list {
			n += perRule + len(rule.pattern)
		}
	}
	return n
}

// matches takes time linear in the length of path, however many stars there are:
// each part between two is looked for once, from where the last one ended.
func (r rule) matches(path string) bool {
	part, rest, star := strings.Cut(r.pattern, "*")
	path, ok := strings.CutPrefix(path, part)
	for ok && star {
		part, rest, star = strings.Cut(rest, "*")
		if !star && r.anchored {
			return strings.HasSuffix(path, part)
		}
		_, path, ok = strings.Cut(path, part)
	}
	return ok && (path == "" || !r.anchored)
}

func normalPattern(s string) string {
	s = normal(s, "*")
	for strings.Contains(s, "**") {
		s = strings.ReplaceAll(s, "**", "*")
	}
	return s
}

func normalPath(s string) string { return normal(s, "") }

// normal returns the form in which paths and patterns are compared (RFC 9309
// section 2.2.2): octets that have to be percent-encoded are, in upper case, and
// those that need not be are not. Only what would change its meaning stays
// encoded: "/" and "?" in the path, "*" and "$" everywhere unless in keep.
func normal(s, keep string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	query := false
	for i := 0; i < len(s); i++ {
		c, encoded := s[i], false
		if c == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c, encoded, i = byte(n), true, i+2
			}
		}
		query = query || (c == '?' && !encoded)
		switch {
		case c == '%' && !encoded, plainOctet(c), !encoded && strings.IndexByte(keep, c) >= 0,
			(c == '/' || c == '?') && (query || !encoded):
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// plainOctet tells the unreserved octets of RFC 3986 and those reserved ones that
// mean the same encoded or not.
func plainOctet(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-._~:@!&'()+,;=[]", c) >= 0
}
