package cli

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"strings"

	"github.com/quire-dev/quire/internal/manual"
)

// section is a part of the configuration file: the settings of one group.
type section struct {
	path     string // orchestrator; empty for what is in no group
	doc      string
	settings []manual.Term
	names    []manual.Term // that stand for NAME
}

// sections tells of all settings, in the order of the file. Sources have the same
// settings each, which are told once.
func sections() []section {
	all := []section{{}}
	t := reflect.TypeFor[Config]()
	defaults := defaultTexts()
	for _, f := range fieldsOf(t) {
		name, _ := yamlName(f)
		switch {
		case !isGroup(f.Type):
			all[0].settings = append(all[0].settings, settingTerm(name, name, f, defaults))
		case f.Type == reflect.TypeFor[resolversConfig]():
			all = append(all, sourceSections(name, f, defaults)...)
		default:
			s := section{path: name, doc: f.Tag.Get("doc"), settings: groupTerms(name, f.Type, defaults)}
			if f.Type == reflect.TypeFor[limitsConfig]() {
				s.doc += ". KEY is host:NAME or resolver:NAME; what is not set of it is as `quire limits` tells"
			}
			all = append(all, s)
		}
	}
	return all
}

// groupTerms tells of the settings below path.
func groupTerms(path string, t reflect.Type, defaults map[string]string) (terms []manual.Term) {
	for _, f := range fieldsOf(t) {
		name, inline := yamlName(f)
		at := join(path, name)
		switch {
		case inline: // the values stand beside the fields, under keys of their own
			at = join(path, "KEY")
			for _, k := range knownPaths(f.Type.Elem().Elem(), "") {
				terms = append(terms, settingTerm(join(at, k.path), path, k.field, defaults))
			}
		case f.Type.Kind() == reflect.Slice && isGroup(f.Type.Elem()):
			terms = append(terms, listTerms(at, f)...)
		case f.Type.Kind() == reflect.Struct && isGroup(f.Type):
			terms = append(terms, groupTerms(at, f.Type, defaults)...)
		default:
			terms = append(terms, settingTerm(at, at, f, defaults))
		}
	}
	return terms
}

// listTerms tells of a list of groups of settings, and of those.
func listTerms(path string, f reflect.StructField) []manual.Term {
	terms := []manual.Term{settingTerm(path, path, f, nil)}
	for _, k := range knownPaths(f.Type.Elem(), "") {
		terms = append(terms, settingTerm(path+"[]."+k.path, path, k.field, nil))
	}
	return terms
}

// sourceSections tells of the sources: what is set of all of them, of each by its
// name, and of those of one's own.
func sourceSections(path string, group reflect.StructField, defaults map[string]string) []section {
	all := section{path: path, doc: group.Tag.Get("doc")}
	each := section{path: path + ".NAME", doc: "of one source, by its NAME"}
	own := section{path: path + ".custom"}
	each.settings = groupTerms(each.path, reflect.TypeFor[resolverConfig](), nil)
	for _, f := range fieldsOf(group.Type) {
		name, _ := yamlName(f)
		at := join(path, name)
		switch {
		case f.Type == reflect.TypeFor[resolverConfig]():
			each.names = append(each.names, manual.Term{Name: at, Text: f.Tag.Get("doc"), Facts: []manual.Fact{
				{Label: "enabled by default", Value: defaults[at+".enabled"], Code: true},
			}})
		case f.Type.Kind() == reflect.Slice && isGroup(f.Type.Elem()):
			own.doc = f.Tag.Get("doc")
			own.settings = listTerms(at, f)
		default:
			all.settings = append(all.settings, settingTerm(at, at, f, defaults))
		}
	}
	return []section{all, each, own}
}

// settingTerm tells of the setting at path. In the environment it is, or is part of,
// the one at top.
func settingTerm(path, top string, f reflect.StructField, defaults map[string]string) manual.Term {
	flag := f.Tag.Get("flag")
	if flag != "" {
		flag = "--" + flag
	}
	return manual.Term{Name: path, Text: f.Tag.Get("doc"), Facts: []manual.Fact{
		{Label: "type", Value: kindOf(f)},
		{Label: "default", Value: defaults[path], Code: true},
		{Label: "allowed", Value: allowedOf(f)},
		{Label: "flag", Value: flag, Code: true},
		{Label: "environment", Value: envName(top), Code: true},
	}}
}

// defaultTexts has the defaults by path, as they are written.
func defaultTexts() map[string]string {
	texts := make(map[string]string)
	walk(reflect.ValueOf(defaultConfig()), "", func(path string, v reflect.Value) { texts[path] = show(v) })
	const caps = "orchestrator.max_per_resolver" // a map, which is told as one
	for _, path := range keysUnder(texts, caps+".") {
		texts[caps] = strings.TrimPrefix(texts[caps]+","+strings.TrimPrefix(path, caps+".")+"="+texts[path], ",")
	}
	return texts
}

// allowedOf is what a setting may be, within its type.
func allowedOf(f reflect.StructField) string {
	if words := f.Tag.Get("oneof"); words != "" {
		return strings.ReplaceAll(words, ",", ", ")
	}
	if low, high, found := strings.Cut(f.Tag.Get("range"), ".."); found {
		return low + " to " + high
	}
	return ""
}

// kindOf names the type of a setting for people.
func kindOf(f reflect.StructField) string {
	t, many := f.Type, ""
	switch {
	case t.Kind() == reflect.Slice && isGroup(t.Elem()):
		return "list of groups"
	case t.Kind() == reflect.Slice:
		t, many = t.Elem(), "list of "
	case t.Kind() == reflect.Map:
		return "map of whole numbers"
	}
	named := map[reflect.Type]string{
		reflect.TypeFor[duration]():     "duration",
		reflect.TypeFor[byteSize]():     "size",
		reflect.TypeFor[contact]():      "e-mail address",
		reflect.TypeFor[secret]():       "secret",
		reflect.TypeFor[filePath]():     "file",
		reflect.TypeFor[baseURL]():      "URL",
		reflect.TypeFor[proxyURL]():     "URL",
		reflect.TypeFor[netip.Prefix](): "network",
		reflect.TypeFor[resolverName](): "source",
		reflect.TypeFor[connectTo]():    "rule",
	}
	word, ok := named[t]
	switch {
	case ok:
	case t.Kind() == reflect.Bool:
		word = "true or false"
	case t.Kind() == reflect.Int:
		word = "whole number"
	case t.Kind() == reflect.Float64:
		word = "number"
	default:
		word = "text"
		if many != "" {
			word = "word"
		}
	}
	if many != "" && !strings.HasSuffix(word, "s") {
		word += "s"
	}
	return many + word
}

const configIntro = `
The configuration is YAML, in quire.yaml in the data directory or where --config
or QUIRE_CONFIG says. Nothing has to be set but contact. A setting comes from its
flag, else from its variable, else from the file, else it has its default;
quire config show --origin tells which, quire config check what is wrong, and
quire config schema gives the JSON Schema to an editor.

Unknown keys, keys that are given twice and values out of range are errors that
name the nearest known key, and the line. Durations have a unit: 500ms, 90s, 10m,
1h30m. So may sizes: 500kB, 256MiB. Relative paths of files are relative to the
directory of the configuration file. In a variable a list is words with commas, a
map NAME=VALUE with commas, and both can be YAML in brackets.
`

const configExample = `
  contact: you@university.edu
  orchestrator:
    max_workers: 32
    max_per_host: 4
  limits:
    host:arxiv.org: {in_flight: 1, every: 3s}
    default_host: {per_second: 2}
  resolvers:
    core: {enabled: true, api_key_file: core.key}
  accept: {versions: [published, accepted], max_bytes: 256MiB}
`

// title of a section in a document.
func (s section) title() string {
	if s.path == "" {
		return "Top level"
	}
	return s.path
}

// configPage is the man page of the configuration file.
func configPage() manual.Page {
	p := manual.Page{Name: "quire.yaml", Section: 5, Short: "configuration of quire(1)", Parts: []manual.Part{
		{Title: "Description", Text: strings.TrimSpace(configIntro)},
		{Title: "Example", Code: strings.Trim(configExample, "\n")},
	}}
	for _, s := range sections() {
		p.Parts = append(p.Parts, manual.Part{Title: s.title(), Text: sentence(s.doc), Terms: s.settings})
		if len(s.names) > 0 {
			p.Parts = append(p.Parts, manual.Part{Title: "Names of sources", Terms: s.names})
		}
	}
	p.Parts = append(p.Parts, manual.Part{Title: "See also", Text: "quire(1), quire-config(1), quire-limits(1), quire-environment(7)"})
	return p
}

// configReference is the document on all settings.
func configReference() []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, generated("# Settings"))
	intro := manual.Page{Parts: []manual.Part{{Text: strings.TrimSpace(configIntro), Code: strings.Trim(configExample, "\n")}}}
	b.Write(intro.Markdown(2))
	for _, s := range sections() {
		b.WriteString("\n")
		b.Write(manual.Page{Name: s.title(), Short: strings.TrimSuffix(sentence(s.doc), "."), Parts: []manual.Part{
			{What: "key", Terms: s.settings}, {What: "source", Terms: s.names},
		}}.Markdown(2))
	}
	return b.Bytes()
}

// sentence makes one of a text that begins with a small letter and has no end.
func sentence(doc string) string {
	if doc == "" {
		return ""
	}
	if first, _, _ := strings.Cut(doc, " "); !strings.Contains(first, ".") {
		doc = strings.ToUpper(doc[:1]) + doc[1:]
	}
	return doc + "."
}
