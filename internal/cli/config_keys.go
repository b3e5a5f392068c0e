package cli

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// fieldsOf lists the fields of a struct of settings.
func fieldsOf(t reflect.Type) []reflect.StructField {
	return reflect.VisibleFields(t)
}

// yamlName is a field's name in the file. The values of an inline map stand
// beside the fields of its struct.
func yamlName(f reflect.StructField) (name string, inline bool) {
	name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name, options == "inline"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// known is a path that can be set by name.
type known struct {
	path string
	flag string // that sets it, without the dashes; may be empty
}

// knownPaths lists all settings whose names are fixed, and the maps and structs
// that hold others.
func knownPaths(t reflect.Type, path string) []known {
	var out []known
	for _, f := range fieldsOf(t) {
		name, inline := yamlName(f)
		at := join(path, name)
		switch {
		case inline:
			out = append(out, known{path: path})
		case f.Type.Kind() == reflect.Struct && isGroup(f.Type):
			out = append(out, knownPaths(f.Type, at)...)
		default:
			out = append(out, known{path: at, flag: f.Tag.Get("flag")})
		}
	}
	return out
}

// nearestKey names the key of t, a struct or map type, that somebody may have
// meant by text. A key that exists elsewhere is named with its whole path.
func nearestKey(t reflect.Type, text string) string {
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		if strings.HasSuffix(k.path, "."+text) {
			return k.path
		}
	}
	return nearest(text, namesOf(t))
}

// namesOf lists the names of the settings of struct t.
func namesOf(t reflect.Type) (names []string) {
	for _, f := range fieldsOf(t) {
		if name, inline := yamlName(f); !inline {
			names = append(names, name)
		}
	}
	return names
}

// compare orders two values of one numeric type.
func compare(a, b reflect.Value) int {
	if a.CanFloat() {
		return cmp.Compare(a.Float(), b.Float())
	}
	return cmp.Compare(a.Int(), b.Int())
}

// walk calls visit with each setting below v, in the order of the file.
// Settings that may be left out and are, are passed over.
func walk(v reflect.Value, path string, visit func(path string, v reflect.Value)) {
	switch {
	case v.Kind() == reflect.Pointer:
		walk(v.Elem(), path, visit)
	case v.Kind() == reflect.Map:
		for _, key := range sortedKeys(v) {
			walk(v.MapIndex(reflect.ValueOf(key)), join(path, key), visit)
		}
	case isGroup(v.Type()):
		for i, f := range fieldsOf(v.Type()) {
			name, inline := yamlName(f)
			switch {
			case inline:
				walk(v.Field(i), path, visit)
			case !strings.HasSuffix(f.Tag.Get("yaml"), ",omitempty") || !v.Field(i).IsZero():
				walk(v.Field(i), join(path, name), visit)
			}
		}
	case v.Kind() == reflect.Slice && isGroup(v.Type().Elem()):
		for i := range v.Len() {
			walk(v.Index(i), element(path, i), visit)
		}
	default:
		visit(path, v)
	}
}

// sortedKeys lists the keys of a map of settings.
func sortedKeys(m reflect.Value) (keys []string) {
	for _, key := range m.MapKeys() {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	return keys
}

// envName is the environment variable that sets path.
func envName(path string) string {
	return "QUIRE_" + strings.ToUpper(strings.NewReplacer(".", "_", ":", "_").Replace(path))
}

// keyedPaths lists the settings of the built-in resolvers in maps by resolver. Those
// of hosts, whose names no variable can have, are reached by QUIRE_LIMITS.
func keyedPaths() (paths []string) {
	for _, name := range resolverNames() {
		paths = append(paths, "orchestrator.max_per_resolver."+name)
		for _, field := range namesOf(reflect.TypeFor[limitConfig]()) {
			paths = append(paths, "limits.resolver:"+name+"."+field)
		}
	}
	return paths
}

// environment finds the variables that set something. Those that seem to but do
// not are an error; those that mean something else are passed over.
func environment(environ []string) (found map[string]string, problems []error) {
	paths := map[string]string{}
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		paths[envName(k.path)] = k.path
	}
	for _, path := range keyedPaths() {
		paths[envName(path)] = path
	}
	names := slices.Concat(slices.Sorted(maps.Keys(paths)), globalVariables())
	found = map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		path, ok := paths[name]
		switch {
		case ok && value != "":
			found[path] = value
		case !ok && seemsMeant(name, names):
			why := "sets nothing; the nearest known is " + nearest(name, names)
			if strings.HasPrefix(name, "QUIRE_LIMITS_HOST_") {
				why = "sets nothing; a host's limits are set by QUIRE_LIMITS, such as {'host:arxiv.org': {every: 3s}}"
			}
			problems = append(problems, problem(origin{rank: byEnv, where: "env " + name}, "", errors.New(why)))
		}
	}
	return found, problems
}

// globalVariables are those that stand for flags of every command and not for
// anything in the file.
func globalVariables() []string {
	return []string{
		"QUIRE_DATA", "QUIRE_CONFIG", "QUIRE_STORE", "QUIRE_ARTIFACTS",
		"QUIRE_LOG_FORMAT", "QUIRE_LOG_LEVEL", "QUIRE_LOG_WORK", "QUIRE_PROGRESS",
	}
}

// seemsMeant reports whether a variable of this name was meant to configure
// something: it has the name of a section, or is mistyped by a letter or two.
func seemsMeant(name string, known []string) bool {
	if !strings.HasPrefix(name, "QUIRE_") || slices.Contains(globalVariables(), name) {
		return false
	}
	for _, f := range fieldsOf(reflect.TypeFor[Config]()) {
		if section, _ := yamlName(f); isGroup(f.Type) && strings.HasPrefix(name, envName(section)+"_") {
			return true
		}
	}
	return editDistance(name, nearest(name, known)) <= 2
}
