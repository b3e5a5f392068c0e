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

	field reflect.StructField // of an inline map: of the map
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
			out = append(out, known{path: path, field: f})
		case f.Type.Kind() == reflect.Struct && isGroup(f.Type):
			out = append(out, knownPaths(f.Type, at)...)
		default:
			out = append(out, known{path: at, flag: f.Tag.Get("flag"), field: f})
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
	var names []string
	for _, f := range fieldsOf(t) {
		if name, inline := yamlName(f); !inline {
			names = append(names, name)
		}
	}
	return nearest(text, names)
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
		for _, key := range slices.Sorted(maps.Keys(keysOf(v))) {
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

func keysOf(m reflect.Value) map[string]struct{} {
	keys := map[string]struct{}{}
	for _, key := range m.MapKeys() {
		keys[key.String()] = struct{}{}
	}
	return keys
}

// envName is the environment variable that sets path.
func envName(path string) string {
	return "QUIRE_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// environment finds the variables that set something. Those that seem to but do
// not are an error; those that mean something else are passed over.
func environment(environ []string) (found map[string]string, problems []error) {
	paths := map[string]string{}
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		paths[envName(k.path)] = k.path
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
			problems = append(problems, problem(origin{rank: byEnv, where: "env " + name}, "",
				errors.New("sets nothing; the nearest known is "+nearest(name, names))))
		}
	}
	return found, problems
}

// globalVariables are those that stand for flags of every command, or for what the
// program must know before it reads any, and not for anything in the file.
func globalVariables() []string {
	return []string{
		"QUIRE_DATA", "QUIRE_CONFIG", "QUIRE_STORE", "QUIRE_ARTIFACTS",
		"QUIRE_LOG_FORMAT", "QUIRE_LOG_LEVEL", "QUIRE_PROGRESS", "QUIRE_COMPLETE_WITHIN",
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
