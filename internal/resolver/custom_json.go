package resolver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// jsonReader takes the addresses of files from where a path leads.
func (c Custom) jsonReader() (func([]byte, string) ([]paper.Candidate, error), error) {
	if c.Attribute != "" || c.Index != 0 {
		return nil, errors.New("attribute and index are for mode html")
	}
	path, err := parsePath(c.Selector)
	if err != nil {
		return nil, fmt.Errorf("selector %q: %w", clip(c.Selector, 200), err)
	}
	fields := make(map[string]jsonPath)
	for word, at := range c.Mappings {
		if !slices.Contains(mapped(), word) {
			return nil, fmt.Errorf("mappings has %q, which is none of %s", clip(word, 80), strings.Join(mapped(), ", "))
		}
		if fields[word], err = parsePath("." + strings.TrimPrefix(at, ".")); err != nil {
			return nil, fmt.Errorf("mappings: %s: %w", word, err)
		}
	}
	if len(fields) > 0 && fields["url"] == nil && fields["pageURL"] == nil {
		return nil, errors.New("mappings has neither url nor pageURL")
	}
	return func(body []byte, _ string) ([]paper.Candidate, error) {
		var whole any
		if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &whole); err != nil {
			return nil, unreadable(body, err)
		}
		return mapAll(path.from(whole), fields), nil
	}, nil
}

func mapAll(values []any, fields map[string]jsonPath) []paper.Candidate {
	var found []paper.Candidate
	for _, value := range values {
		if len(fields) == 0 {
			if u, ok := value.(string); ok {
				found = append(found, paper.Candidate{URL: u, Kind: paper.PDF})
			}
			continue
		}
		field := func(word string) string {
			for _, v := range fields[word].from(value) {
				if s, ok := v.(string); ok {
					return s
				}
			}
			return ""
		}
		if fields["url"] == nil && fields["pageURL"] == nil {
			continue
		}
		c := paper.Candidate{URL: field("url"), Kind: paper.PDF}
		if _, err := cleanURL(c.URL); err != nil || c.URL == "" {
			c = page(field("pageURL"))
		}
		c.Version, c.License = version(field("version")), license(field("license"))
		found = append(found, c)
	}
	return found
}

// jsonPath is a way through JSON: the part of JSPath that only leads downwards.
// .name is a field of an object, ."any name" too; [0] is an element, [-1] the
// last one. A step goes into every element of an array.
type jsonPath []jsonStep

type jsonStep struct {
	name  string // empty: an index
	index int
}

const maxSteps = 20

var errBadPath = errors.New(`not a path such as .results.url, ."a name" or .links[0].href`)

func parsePath(text string) (jsonPath, error) {
	path := jsonPath{}
	rest := strings.TrimSpace(text)
	for rest != "" {
		var step jsonStep
		var err error
		switch {
		case len(path) == maxSteps:
			return nil, fmt.Errorf("has more than %d steps", maxSteps)
		case rest[0] == '[':
			inside, after, closed := strings.Cut(rest[1:], "]")
			if step.index, err = strconv.Atoi(inside); err != nil || !closed {
				return nil, errBadPath
			}
			rest = after
		case strings.HasPrefix(rest, `."`):
			quoted, err := strconv.QuotedPrefix(rest[1:])
			if err != nil || quoted == `""` {
				return nil, errBadPath
			}
			if step.name, err = strconv.Unquote(quoted); err != nil {
				return nil, errBadPath
			}
			rest = rest[1+len(quoted):]
		case rest[0] == '.':
			end := strings.IndexFunc(rest[1:], func(r rune) bool { return !nameRune(r) })
			if end < 0 {
				end = len(rest) - 1
			}
			if step.name = rest[1 : 1+end]; step.name == "" {
				return nil, errBadPath
			}
			rest = rest[1+end:]
		default:
			return nil, errBadPath
		}
		path = append(path, step)
	}
	if len(path) == 0 {
		return nil, errBadPath
	}
	return path, nil
}

func nameRune(r rune) bool {
	return r == '_' || r == '$' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r > '~'
}

// from returns what the path leads to from a value, at most maxElements of each
// step, arrays taken apart.
func (p jsonPath) from(value any) []any {
	values := []any{value}
	for _, step := range p {
		if step.name == "" {
			values = step.element(values)
			continue
		}
		var next []any
		for _, v := range spread(values) {
			if object, ok := v.(map[string]any); ok && object[step.name] != nil {
				next = append(next, object[step.name])
			}
		}
		values = next
	}
	return spread(values)
}

// element picks from all that is there so far, as JSPath does.
func (s jsonStep) element(values []any) []any {
	values = spread(values)
	at := s.index
	if at < 0 {
		at += len(values)
	}
	if at < 0 || at >= len(values) {
		return nil
	}
	return values[at : at+1]
}

func spread(values []any) []any {
	var all []any
	for _, v := range values {
		if array, ok := v.([]any); ok {
			all = append(all, array[:min(len(array), maxElements)]...)
		} else {
			all = append(all, v)
		}
		if len(all) >= maxElements {
			return all[:maxElements]
		}
	}
	return all
}
