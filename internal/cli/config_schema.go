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
	case t == reflect.TypeFor[byteSize]():
		return &jsonschema.Schema{Type: "string", Pattern: `^[0-9]+(\.[0-9]*)? ?([KkMGT]i?)?[Bb]?$`}
	case t == reflect.TypeFor[resolverName](): // or one of resolvers.custom
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Enum: enum(resolverNames())}, {Type: "string"}}}
	case t.Kind() == reflect.Struct && isText(t) || t.Kind() == reflect.String:
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// describe adds what our own tags say to the schema of struct t.
func describe(schema *jsonschema.Schema, t reflect.Type) {
	for _, f := range fieldsOf(t) {
		name, inline := yamlName(f)
		if inline {
			value := structSchema(f.Type.Elem().Elem())
			value.Version = ""
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
		switch {
		case f.Type.Kind() == reflect.Struct && isGroup(f.Type):
			describe(property, f.Type)
		case f.Type.Kind() == reflect.Slice && isGroup(f.Type.Elem()):
			describe(property.Items, f.Type.Elem())
		}
	}
}

func describeValues(property *jsonschema.Schema, f reflect.StructField) {
	one := property
	switch {
	case property.Items != nil:
		one = property.Items
	case f.Type.Kind() == reflect.Map:
		one = property.AdditionalProperties
	}
	if oneof := f.Tag.Get("oneof"); oneof != "" {
		one.Enum = enum(strings.Split(oneof, ","))
	}
	if low, high, found := strings.Cut(f.Tag.Get("range"), ".."); found && one.Type != "string" {
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
