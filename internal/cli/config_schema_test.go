package cli

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
)

// TestSchema finds every key of the file in the schema, with a description.
func TestSchema(t *testing.T) {
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		at := Schema()
		for name := range strings.SplitSeq(k.path, ".") {
			if at == nil {
				break
			}
			at, _ = at.Properties.Get(name)
		}
		if secret := strings.HasSuffix(k.path, ".api_key"); secret != (at == nil) {
			t.Errorf("%s: got schema %v; only keys that the file must not have are left out", k.path, at)
		} else if at != nil && at.Description == "" {
			t.Errorf("%s has no description", k.path)
		}
	}
}

func TestSchema_details(t *testing.T) {
	text, err := json.Marshal(Schema())
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Closed     bool `json:"additionalProperties"`
		Properties map[string]jsonschema.Schema
	}
	schema.Closed = true
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if schema.Closed {
		t.Error("unknown keys are allowed")
	}
	workers, _ := schema.Properties["orchestrator"].Properties.Get("max_workers")
	if workers.Type != "integer" || workers.Minimum != "1" || workers.Maximum != "1024" {
		t.Errorf("max_workers: got %s from %s to %s", workers.Type, workers.Minimum, workers.Maximum)
	}
	for pattern, limit := range schema.Properties["limits"].PatternProperties {
		if every, ok := limit.Properties.Get("every"); !ok || every.Type != "string" {
			t.Errorf("limits of %s: got %v", pattern, limit)
		}
	}
	order, _ := schema.Properties["resolvers"].Properties.Get("order")
	if len(order.Items.AnyOf) != 2 || len(order.Items.AnyOf[0].Enum) != len(resolverNames()) {
		t.Errorf("resolvers.order: got %+v", order.Items)
	}
	custom, _ := schema.Properties["resolvers"].Properties.Get("custom")
	mode, _ := custom.Items.Properties.Get("mode")
	if mode == nil || len(mode.Enum) != 2 || mode.Description == "" {
		t.Errorf("resolvers.custom: got %+v", custom.Items)
	}
}
