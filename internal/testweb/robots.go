package testweb

import (
	"strings"
)

// robotsRules is a robots.txt as RFC 9309 reads it, kept small: the box judges
// clients with it and must not share their reading of it.
type robotsRules struct {
	groups []robotsGroup
}

type robotsGroup struct {
	agents []string // lower case
	lines  []robotsLine
}

type robotsLine struct {
	pattern string
	allow   bool
}

func parseRobots(text string) robotsRules {
	var rules robotsRules
	inAgents := false // the line before was a user-agent line too
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "user-agent":
			if !inAgents {
				rules.groups = append(rules.groups, robotsGroup{})
			}
			inAgents = true
			group := &rules.groups[len(rules.groups)-1]
			group.agents = append(group.agents, strings.ToLower(value))
		case "allow", "disallow":
			inAgents = false
			if len(rules.groups) == 0 || value == "" {
				continue
			}
			group := &rules.groups[len(rules.groups)-1]
			allow := strings.EqualFold(strings.TrimSpace(key), "allow")
			group.lines = append(group.lines, robotsLine{value, allow})
		}
	}
	return rules
}

// allows reports whether the agent may ask for the path (with its query).
func (rules robotsRules) allows(userAgent, path string) bool {
	product, _, _ := strings.Cut(userAgent, "/")
	lines := rules.linesFor(strings.ToLower(product))
	best, allowed := -1, true
	for _, line := range lines {
		longer := len(line.pattern) > best
		if (longer || len(line.pattern) == best && line.allow) && matches(line.pattern, path) {
			best, allowed = len(line.pattern), line.allow
		}
	}
	return allowed
}

// linesFor joins the groups that name the product, or else those for all.
func (rules robotsRules) linesFor(product string) []robotsLine {
	for _, name := range []string{product, "*"} {
		var lines []robotsLine
		found := false
		for _, group := range rules.groups {
			for _, agent := range group.agents {
				if agent == name {
					found = true
					lines = append(lines, group.lines...)
				}
			}
		}
		if found {
			return lines
		}
	}
	return nil
}

// matches reports whether the pattern, in which * stands for anything and a
// final $ for the end, matches the start of path.
func matches(pattern, path string) bool {
	pattern, anchored := strings.CutSuffix(pattern, "$")
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(path, parts[0]) {
		return false
	}
	rest := path[len(parts[0]):]
	for i, part := range parts[1:] {
		if anchored && i == len(parts)-2 {
			return strings.HasSuffix(rest, part)
		}
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return !anchored || rest == ""
}
