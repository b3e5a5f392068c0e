package cli

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

var errUnknownKey = errors.New("unknown key")

// keyed is a map of settings whose keys are not fixed. normalKey returns the one
// form of a key, errUnknownKey if it is none, or another error that says more.
type keyed interface {
	normalKey(text string) (string, error)
}

// layers lays values over a configuration and remembers where each came from.
type layers struct {
	origins  map[string]origin // by path; settings that are not here have their default
	problems []error
}

func (l *layers) fail(from origin, path string, why error) {
	l.problems = append(l.problems, problem(from, path, why))
}

// apply sets v, the setting at path, to what n says. A problem leaves the setting
// as it is and does not keep others from being set.
func (l *layers) apply(v reflect.Value, n node, path string, tag reflect.StructTag) {
	if n.kind == nullNode {
		return
	}
	if n.kind == scalarNode && (isGroup(v.Type()) || v.Kind() == reflect.Slice) {
		var err error
		if n, err = unfold(n, v.Kind(), path); err != nil {
			l.problems = append(l.problems, err)
			return
		}
	}
	want := scalarNode
	switch {
	case isGroup(v.Type()):
		want = mappingNode
	case v.Kind() == reflect.Slice:
		want = listNode
	}
	if n.kind != want {
		l.fail(n.from, path, fmt.Errorf("is %s; %s is expected", n.kind, want))
		return
	}
	switch want {
	case mappingNode:
		l.applyPairs(v, n, path, tag)
	case listNode:
		if isGroup(v.Type().Elem()) {
			l.applyGroups(v, n, path, tag)
			return
		}
		l.applyList(v, n, path, tag)
	default:
		if err := setText(v, n, tag); err != nil {
			l.fail(n.from, path, err)
			return
		}
		l.origins[path] = n.from
	}
}

// isGroup reports whether values of type t are made of settings with names.
func isGroup(t reflect.Type) bool {
	return (t.Kind() == reflect.Struct || t.Kind() == reflect.Map) && !isText(t)
}

func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// unfold reads the forms that fit in an environment variable: a,b for lists,
// a=1,b=2 for maps, and YAML in brackets for everything.
func unfold(n node, kind reflect.Kind, path string) (node, error) {
	text := strings.TrimSpace(n.text)
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		out, err := parseYAML([]byte(text), func(int) origin { return n.from })
		if err != nil { // said again, with the path
			at := origin{rank: n.from.rank, where: n.from.String() + ": " + shownPath(path)}
			_, err = parseYAML([]byte(text), func(int) origin { return at })
		}
		return out, err
	}
	if kind == reflect.Struct {
		return n, nil
	}
	out := node{kind: listNode, from: n.from}
	if kind == reflect.Map {
		out.kind = mappingNode
	}
	for part := range strings.SplitSeq(text, ",") {
		value := node{text: strings.TrimSpace(part), from: n.from}
		if kind == reflect.Map {
			key, number, found := strings.Cut(value.text, "=")
			if !found {
				return n, problem(n.from, path, fmt.Errorf("%q is not NAME=VALUE", value.text))
			}
			value.text = strings.TrimSpace(number)
			out.pairs = append(out.pairs, pair{key: strings.TrimSpace(key), from: n.from, value: value})
		} else if value.text != "" {
			out.list = append(out.list, value)
		}
	}
	return out, nil
}

// applyPairs sets the fields of a struct, or the values of a map, by name.
func (l *layers) applyPairs(v reflect.Value, n node, path string, tag reflect.StructTag) {
	seen := map[string]origin{}
	for _, p := range n.pairs {
		child, err := l.child(v, p, tag)
		at := join(path, child.name)
		if err != nil {
			l.fail(p.from, join(path, p.key), err)
			continue
		}
		if first, twice := seen[child.name]; twice {
			l.fail(p.from, at, fmt.Errorf("is given twice, first in %s", first))
			continue
		}
		seen[child.name] = p.from
		if err := secretFrom(p.from, child.tag); err != nil {
			l.fail(p.from, at, fmt.Errorf("%w; use %s_file or %s", err, p.key, envName(at)))
			continue
		}
		l.apply(child.value, p.value, at, child.tag)
		if child.store != nil {
			child.store()
		}
	}
}

// secretFrom refuses to take a secret from where it would lie open.
func secretFrom(from origin, tag reflect.StructTag) error {
	switch {
	case tag.Get("file") != "no":
		return nil
	case from.rank == byFile:
		return errors.New("is not read from this file")
	case from.rank == byFlag:
		return errors.New("is not taken from the command line, which everybody on this machine can read")
	}
	return nil
}

// child is one named part of a group.
type child struct {
	name  string
	value reflect.Value
	tag   reflect.StructTag
	store func() // puts value where it belongs, if it is not there already
}

func (l *layers) child(v reflect.Value, p pair, tag reflect.StructTag) (child, error) {
	if v.Kind() == reflect.Map {
		return mapChild(v, p, tag)
	}
	for i, f := range fieldsOf(v.Type()) {
		if name, inline := yamlName(f); inline {
			c, err := mapChild(v.Field(i), p, tag)
			if !errors.Is(err, errUnknownKey) {
				return c, err
			}
		} else if name == p.key {
			return child{name: name, value: v.Field(i), tag: f.Tag}, nil
		}
	}
	return child{name: p.key}, fmt.Errorf("%w; the nearest known is %s", errUnknownKey, nearestKey(v.Type(), p.key))
}

func mapChild(m reflect.Value, p pair, tag reflect.StructTag) (child, error) {
	key, err := m.Interface().(keyed).normalKey(p.key)
	if err != nil {
		return child{name: p.key}, err
	}
	elem := m.Type().Elem()
	if elem.Kind() == reflect.Pointer { // a group: it stays where it is
		value := m.MapIndex(reflect.ValueOf(key))
		if !value.IsValid() {
			value = reflect.New(elem.Elem())
			m.SetMapIndex(reflect.ValueOf(key), value)
		}
		return child{name: key, value: value.Elem(), tag: tag}, nil
	}
	value := reflect.New(elem).Elem()
	if old := m.MapIndex(reflect.ValueOf(key)); old.IsValid() {
		value.Set(old)
	}
	store := func() {
		if !value.IsZero() {
			m.SetMapIndex(reflect.ValueOf(key), value)
		}
	}
	return child{name: key, value: value, tag: tag, store: store}, nil
}

// applyList replaces a list. Each value may be there once.
func (l *layers) applyList(v reflect.Value, n node, path string, tag reflect.StructTag) {
	out := reflect.MakeSlice(v.Type(), 0, len(n.list))
	seen := map[string]bool{}
	for i, value := range n.list {
		elem := reflect.New(v.Type().Elem()).Elem()
		if value.kind != scalarNode {
			l.fail(value.from, path, fmt.Errorf("number %d is %s; %s is expected", i+1, value.kind, scalarNode))
			continue
		}
		if err := setText(elem, value, tag); err != nil {
			l.fail(value.from, path, err)
			continue
		}
		if seen[value.text] {
			l.fail(value.from, path, fmt.Errorf("%q is given twice", value.text))
			continue
		}
		seen[value.text] = true
		out = reflect.Append(out, elem)
	}
	v.Set(out)
	l.origins[path] = n.from
}

// setText sets one value from its text and checks it against its tags. v keeps
// its value if that is refused.
func setText(v reflect.Value, n node, tag reflect.StructTag) error {
	got := reflect.New(v.Type()).Elem()
	if err := parseText(got, n.text); err != nil {
		return err
	}
	if err := checkRange(got, n.text, tag.Get("range")); err != nil {
		return err
	}
	if words := tag.Get("oneof"); words != "" && !slices.Contains(strings.Split(words, ","), n.text) {
		return fmt.Errorf("%q is not one of %s", n.text, strings.ReplaceAll(words, ",", ", "))
	}
	if path, ok := reflect.TypeAssert[filePath](got); ok && n.from.dir != "" && path != "" && !filepath.IsAbs(string(path)) {
		got.SetString(filepath.Join(n.from.dir, string(path)))
	}
	v.Set(got)
	return nil
}

func parseText(v reflect.Value, text string) error {
	if reads, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		if text == "" {
			return nil
		}
		return reads.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is not true or false", text)
		}
		v.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%q is not a whole number", text)
		}
		v.SetInt(int64(n))
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(n) {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetFloat(n)
	default:
		panic("cli: no way to read a setting of type " + v.Type().String())
	}
	return nil
}

// checkRange refuses a v outside bounds, which are written LEAST..MOST in the
// form that v is written in.
func checkRange(v reflect.Value, text, bounds string) error {
	if bounds == "" {
		return nil
	}
	low, high, _ := strings.Cut(bounds, "..")
	least, most := reflect.New(v.Type()).Elem(), reflect.New(v.Type()).Elem()
	if err := errors.Join(parseText(least, low), parseText(most, high)); err != nil {
		return err
	}
	if compare(v, least) < 0 || compare(v, most) > 0 {
		return fmt.Errorf("%q is out of range; it must be from %s to %s", text, low, high)
	}
	return nil
}
