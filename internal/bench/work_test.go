package bench

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPayload(t *testing.T) {
	if p := payload(); len(p) != 200 || !json.Valid(p) {
		t.Errorf("%s: %d bytes, want 200 of JSON", p, len(p))
	}
}

func TestPercentile(t *testing.T) {
	all := []time.Duration{5, 1, 4, 2, 3}
	for p, want := range map[int]time.Duration{0: 1, 20: 1, 21: 2, 50: 3, 99: 5, 100: 5} {
		if got := percentile(all, p); got != want {
			t.Errorf("percentile %d of 1 to 5 = %d, want %d", p, got, want)
		}
	}
	if got := percentile([]int{}, 50); got != 0 {
		t.Errorf("percentile of nothing = %d, want 0", got)
	}
}

func TestDepths(t *testing.T) {
	for longest, want := range map[int][]int{
		5: {5}, 10_000: {10_000}, 50_000: {10_000, 50_000}, 1_000_000: {10_000, 100_000, 1_000_000},
	} {
		if diff := cmp.Diff(want, depths(longest)); diff != "" {
			t.Errorf("depths up to %d (-want +got):\n%s", longest, diff)
		}
	}
}
