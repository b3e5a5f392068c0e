package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/report"
)

// People are shown the keys with most left, at most so many, and how many more there
// are.
func TestStats_keys(t *testing.T) {
	tests := map[string]struct {
		keys int
		last string
	}{
		"as many as fit": {mostKeys, "host:01.example"},
		"one too many":   {mostKeys + 1, "… and 1 more keys"},
		"many":           {mostKeys + 200, "… and 200 more keys"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var keys []report.KeyStats
			for i := range tt.keys {
				keys = append(keys, report.KeyStats{Key: fmt.Sprintf("host:%02d.example", i+1), Ready: 1, LeftSeconds: float64(i + 1), Breaker: "closed", RateFrom: "configured"})
			}
			slices.Reverse(keys[:tt.keys/2])
			lines := keyLines(keys, unlimited, mostKeys+2)[1:]
			text := strings.Join(lines, "\n")
			if shown := min(tt.keys, mostKeys); len(lines) != shown+max(0, min(1, tt.keys-mostKeys)) {
				t.Fatalf("%d lines of %d keys:\n%s", len(lines), tt.keys, text)
			}
			if first, want := lines[0], fmt.Sprintf("host:%02d.example ", tt.keys); !strings.HasPrefix(first, want) {
				t.Errorf("first is %q, want %s, which has most left", first, want)
			}
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, tt.last) {
				t.Errorf("last is %q, want %s", last, tt.last)
			}
		})
	}
}
