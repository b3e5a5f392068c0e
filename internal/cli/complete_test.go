package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompleteConfigPaths(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"section": {"retry.m", "retry.max_attempts=\tretry.max="},
		"bool":    {"robots.obey=", "robots.obey=true\trobots.obey=false"},
		"words":   {"accept.versions=s", "accept.versions=submitted"},
		"number":  {"retry.max_attempts=", ""},
		"source":  {"resolvers.core.e", "resolvers.core.enabled="},
		"unknown": {"nosuch.key=", ""},
		"nothing": {"zzz", ""},
	}
	for name, tt := range tests {
		found, _ := completeConfigPaths(nil, nil, tt.text)
		for i, word := range found {
			found[i], _, _ = strings.Cut(word, "\t")
		}
		if diff := cmp.Diff(tt.want, strings.Join(found, "\t")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
