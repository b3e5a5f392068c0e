package fetch

import (
	"strconv"
	"strings"
	"time"
)

// mostInFlight is where a number of requests at once is no limit any more.
const mostInFlight = 1 << 20

// member is one of a structured field's list (RFC 9651), such as "name";q=10;w=1:
// the item and its parameters.
type member []string

// members returns those of a list field.
func members(values []string) (all []member) {
	for _, value := range values {
		for _, text := range split(value, ',') {
			all = append(all, split(text, ';'))
		}
	}
	return all
}

func (m member) item() string { return m[0] }

// param returns the value of a parameter without quotes, "" if there is none. Of
// several the last counts.
func (m member) param(name string) (value string) {
	for _, part := range m[1:] {
		if key, v, ok := strings.Cut(part, "="); ok && key == name {
			value = strings.Trim(v, `"`)
		}
	}
	return value
}

// split returns the trimmed parts of text between those separators that are in
// no quotes, at least one.
func split(text string, separator byte) (parts []string) {
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[start:]))
}

// single returns the value of a field that should occur once, without the
// parameters that some give beside it: "" if there is none, or if it says
// several things.
func single(values []string) string {
	value := ""
	for i, m := range members(values) {
		switch {
		case i == 0:
			value = m.item()
		case len(m) == 1 && m.item() != value:
			return ""
		}
	}
	return value
}

// number reads digits, maybe with a fraction, and nothing else.
func number(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// interval reads a window: seconds, or a number with its unit as in "1s". 0 if
// it is none, or longer than any quota's.
func interval(text string) time.Duration {
	if n, ok := number(text); ok && n <= longestQuota.Seconds() {
		return time.Duration(n * float64(time.Second))
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > longestQuota {
		return 0
	}
	return d
}

// inFlight reads a number of requests at once; 0 if it is none.
func inFlight(text string) int {
	n, ok := number(text)
	if !ok || n < 1 || n > mostInFlight {
		return 0
	}
	return int(n)
}
