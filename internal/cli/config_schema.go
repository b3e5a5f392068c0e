package cli

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// Schema describes the configuration file for editors: JSON Schema 2020-12, made
// from [Config] and its tags.
func Schema() *jsonschema.Schema {
	schema := structSchema(reflect.TypeFor[Config]())
	schema.Title = "Configuration of quire"
	return schema
}

// structSchema is the schema of struct t, with what our own tags say.
func structSchema(t reflect.Type) *jsonschema.Schema {
	reflector := jsonschema.Reflector{
		FieldNameTag:               "yaml",
		Anonymous:                  true,
		DoNotReference:             true,
		RequiredFromJSONSchemaTags: true, // nothing is
		Mapper:                     textSchema,
	}
	schema := reflector.ReflectFromType(t)
	describe(schema, t)
	return schema
}

// textSchema knows the types that are written as text.
func textSchema(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == reflect.TypeFor[duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`}
	case t == reflect.TypeFor[byteSize](): // a number alone is bytes
		return &jsonschema.Schema{Extras: types("string", "integer"), Pattern: `^[0-9]+(\.[0-9]*)? ?([KkMGT]i?)?[Bb]?$`}
	case t == reflect.TypeFor[resolverName](): // or one of resolvers.custom
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Enum: enum(resolverNames())}, {Type: "string"}}}
	case t.Kind() == reflect.Struct && isText(t) || t.Kind() == reflect.String:
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// types is the keyword type with several of them, for which [jsonschema.Schema] has
// no field.
func types(names ...string) map[string]any { return map[string]any{"type": names} }

// also lets a value be of other types too.
func also(schema *jsonschema.Schema, names ...string) {
	if schema.Type != "" {
		schema.Extras = types(append([]string{schema.Type}, names...)...)
		schema.Type = ""
	} else if given, ok := schema.Extras["type"].([]string); ok {
		schema.Extras = types(append(given, names...)...)
	}
}

// describe adds what our own tags say to the schema of struct t.
func describe(schema *jsonschema.Schema, t reflect.Type) {
	for _, f := range fieldsOf(t) {
		name, inline := yamlName(f)
		if inline {
			value := structSchema(f.Type.Elem().Elem())
			value.Version = ""
			also(value, "null")
			schema.PatternProperties = map[string]*jsonschema.Schema{"^(host|resolver):.": value}
			continue
		}
		if f.Tag.Get("file") == "no" {
			schema.Properties.Delete(name)
			continue
		}
		property, ok := schema.Properties.Get(name)
		if !ok {
			continue
		}
		property.Description = f.Tag.Get("doc")
		describeValues(property, f)
		group := f.Type.Kind() == reflect.Struct && isGroup(f.Type)
		switch {
		case group:
			describe(property, f.Type)
		case f.Type.Kind() == reflect.Slice && isGroup(f.Type.Elem()):
			describe(property.Items, f.Type.Elem())
		}
		if group || strings.HasSuffix(f.Tag.Get("yaml"), ",omitempty") {
			also(property, "null") // nothing said: a name alone, as in the file that init writes
		}
	}
}

func describeValues(property *jsonschema.Schema, f reflect.StructField) {
	one, words := property, `[^,]+`
	oneof := f.Tag.Get("oneof")
	if oneof != "" {
		words = "(" + strings.ReplaceAll(oneof, ",", "|") + ")"
	}
	switch {
	case property.Items != nil:
		one = property.Items
		if !isGroup(f.Type.Elem()) { // a,b is a list, too
			property.Pattern = "^ *(" + words + " *(, *" + words + " *)*)?$"
			also(property, "string")
		}
	case f.Type.Kind() == reflect.Map:
		one = property.AdditionalProperties
		property.Pattern = "^ *[^,=]+=[^,=]+(,[^,=]+=[^,=]+)*$"
		also(property, "string")
	}
	if oneof != "" {
		one.Enum = enum(strings.Split(oneof, ","))
	}
	if low, high, found := strings.Cut(f.Tag.Get("range"), ".."); found && one.Type != "string" && one.Type != "" {
		one.Minimum, one.Maximum = json.Number(low), json.Number(high)
	}
}

func enum(words []string) []any {
	out := make([]any, len(words))
	for i, word := range words {
		out[i] = word
	}
	return out
}
