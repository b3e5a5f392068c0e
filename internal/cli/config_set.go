package cli

import (
	"reflect"
	"slices"
	"strings"
)

// setting is what --set says: PATH=VALUE.
type setting struct{ path, text string }

// bySet is where values of --set come from.
func bySet() origin { return origin{rank: byFlag, where: "flag --set"} }

// parseSettings reads the arguments of --set. Of one without a value its error
// shows what looks like a path, and no more: the rest may be a secret.
func parseSettings(args []string) ([]setting, error) {
	var out []setting
	for _, arg := range args {
		path, text, found := strings.Cut(arg, "=")
		if !found || path == "" {
			shown := strings.IndexFunc(path, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_.", r) })
			if shown >= 0 {
				path = path[:shown] + "…"
			}
			return nil, usage("--set %q: must be PATH=VALUE, such as --set orchestrator.max_workers=8", path)
		}
		out = append(out, setting{path, text})
	}
	return out, nil
}

// checkSettings refuses what --set says if it is wrong by itself, for commands that
// do not read the configuration as well.
func checkSettings(sets []setting) error {
	c := defaultConfig()
	l := &layers{origins: make(map[string]origin)}
	l.applySettings(reflect.ValueOf(&c).Elem(), sets)
	if len(l.problems) > 0 {
		return &configError{problems: l.problems}
	}
	return nil
}

// applySettings applies what --set says, in the order given.
func (l *layers) applySettings(root reflect.Value, sets []setting) {
	for _, s := range sets {
		l.apply(root, nest(s.path, s.text, bySet()), "", "")
	}
}

// conflict returns an error if a flag of its own and --set say the same setting.
func (l *layers) conflict(path, own string) error {
	if l.origins[path] != bySet() {
		return nil
	}
	return usage("--%s and --set %s are both given; one is enough", own, path)
}

// nest wraps text in the mappings that lead to path.
func nest(path, text string, from origin) node {
	n := node{text: text, from: from}
	for _, name := range slices.Backward(steps(path, text)) {
		n = node{kind: mappingNode, from: from, pairs: []pair{{key: name, from: from, value: n}}}
	}
	return n
}

// steps splits path into the names that lead to its setting. The key of a host has
// dots of its own, so below limits only the last name is split off, if it is, or is
// nearly, that of a setting: limits.host:arxiv.org.every. With all settings of the
// key in text there is none.
func steps(path, text string) []string {
	names := strings.Split(path, ".")
	fixed := namesOf(reflect.TypeFor[limitsConfig]())
	if names[0] != "limits" || len(names) < 3 || slices.Contains(fixed, names[1]) {
		return names
	}
	last := len(names) - 1
	whole := []string{"limits", strings.Join(names[1:], ".")}
	if strings.HasPrefix(strings.TrimSpace(text), "{") || strings.Contains(names[last], ":") {
		return whole
	}
	if editDistance(names[last], nearest(names[last], namesOf(reflect.TypeFor[limitConfig]()))) > 2 {
		return whole
	}
	return []string{"limits", strings.Join(names[1:last], "."), names[last]}
}
