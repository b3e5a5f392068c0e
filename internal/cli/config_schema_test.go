package cli

import (
	"reflect"
	"strings"
	"testing"
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
