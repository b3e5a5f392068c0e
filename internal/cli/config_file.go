package cli

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// fileHead begins a file that init writes.
const fileHead = `# Configuration of quire.
#
# Every setting is here, with its default after a #: take the # away to change it.
# A setting without a default has no value. Durations need a unit: 30s, 10m, 1h30m.
#
# A flag (--set retry.max=2h) goes before an environment variable (QUIRE_RETRY_MAX=2h),
# and that before this file. quire config show --origin tells what is in force,
# quire config check what is wrong, and quire config schema is for editors.
#
# While quire get or quire queue run goes on, kill -HUP makes it read its limits again:
# all of limits, orchestrator.max_per_host, max_per_domain and max_per_resolver, and
# retry.breaker. All else holds for the next run.
`

// fileWriter writes a configuration file in which what the command line has said is
// set, and all else stands after a #.
type fileWriter struct {
	*loaded
	text strings.Builder
	told map[string]bool // which settings have been explained, by the type of their group and name
}

// File returns l as a configuration file with comments, made from the tags of
// [Config]. Taking away each # that stands right before a setting changes nothing.
func (l *loaded) File() string {
	w := &fileWriter{loaded: l, told: make(map[string]bool)}
	w.text.WriteString(fileHead)
	w.group(reflect.ValueOf(l.Config), "", "")
	return w.text.String()
}

// group writes the settings of a struct.
func (w *fileWriter) group(v reflect.Value, path, indent string) {
	for i, f := range fieldsOf(v.Type()) {
		name, inline := yamlName(f)
		at := join(path, name)
		switch {
		case inline:
			w.keys(v.Field(i), path, indent)
		case refusedPath(at):
		case f.Tag.Get("file") == "no":
			w.explain(indent, v.Type(), name, fmt.Sprintf("%s is not read from here: give %s_file, or %s", name, name, envName(at)))
		case f.Type.Kind() == reflect.Struct && isGroup(f.Type):
			if path == "" || i > 0 {
				w.text.WriteString("\n")
			}
			w.comment(indent, f.Tag.Get("doc"))
			w.text.WriteString(indent + name + ":\n")
			w.group(v.Field(i), at, indent+"  ")
		default:
			if path == "" || f.Type.Kind() == reflect.Slice && isGroup(f.Type.Elem()) {
				w.text.WriteString("\n")
			}
			w.explain(indent, v.Type(), name, fieldDoc(f))
			w.setting(indent, name, w.literal(v.Field(i), f), w.given(at))
		}
	}
}

// explain writes what a setting is for, once for all groups of a kind.
func (w *fileWriter) explain(indent string, group reflect.Type, name, text string) {
	if at := group.String() + "." + name; !w.told[at] {
		w.told[at] = true
		w.comment(indent, text)
	}
}

// keys writes the settings of hosts and resolvers by name, of which none has a default.
func (w *fileWriter) keys(m reflect.Value, path, indent string) {
	w.text.WriteString("\n")
	w.comment(indent, "and single ones by key, such as")
	w.comment(indent, "  host:arxiv.org: {in_flight: 1, every: 3s}")
	w.comment(indent, "  resolver:crossref: {per_second: 5}")
	for _, key := range sortedKeys(m) {
		if at := join(path, key); w.given(at) {
			w.setting(indent, fmt.Sprintf("%q", key), flow(m.MapIndex(reflect.ValueOf(key)).Interface()), true)
		}
	}
}

// given reports whether the command line has said path, or something below it.
func (w *fileWriter) given(path string) bool {
	for at, from := range w.origins {
		if from.rank == byFlag && (at == path || strings.HasPrefix(at, path+".") || strings.HasPrefix(at, path+"[")) {
			return true
		}
	}
	return false
}

func (w *fileWriter) comment(indent, text string) { w.text.WriteString(indent + "# " + text + "\n") }

func (w *fileWriter) setting(indent, name, value string, given bool) {
	mark := "#"
	if given {
		mark = ""
	}
	w.text.WriteString(strings.TrimRight(indent+mark+name+": "+value, " ") + "\n")
}

// literal is a value as it stands in the file; nothing for one that may be left out
// and is.
func (w *fileWriter) literal(v reflect.Value, f reflect.StructField) string {
	if v.IsZero() && strings.HasSuffix(f.Tag.Get("yaml"), ",omitempty") {
		return ""
	}
	return flow(v.Interface())
}

// flow writes a value on one line.
func flow(v any) string {
	text, err := yaml.MarshalWithOptions(v, yaml.Flow(true))
	if err != nil {
		panic(fmt.Sprintf("cli: write %T: %v", v, err)) // a type of ours that can't be written: a defect here
	}
	return strings.TrimSpace(string(text))
}

// fieldDoc says what a setting is for and what it may be.
func fieldDoc(f reflect.StructField) string {
	doc := f.Tag.Get("doc")
	if low, high, found := strings.Cut(f.Tag.Get("range"), ".."); found {
		doc += fmt.Sprintf("; from %s to %s", low, high)
	}
	if words := f.Tag.Get("oneof"); words != "" {
		doc += "; of " + strings.ReplaceAll(words, ",", ", ")
	}
	return doc
}

// refusedPath reports whether a setting that its kind of group has is refused there.
func refusedPath(path string) bool {
	return path == "limits.default_host.batch" || strings.HasSuffix(path, ".dump") && path != "resolvers.unpaywall.dump"
}
