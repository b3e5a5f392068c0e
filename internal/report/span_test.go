package report_test

import (
	"math"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/report"
)

func TestSpan(t *testing.T) {
	tests := map[time.Duration]string{
		0:                            "0 s",
		time.Millisecond:             "0.1 s",
		3 * time.Second:              "3 s",
		1500 * time.Millisecond:      "1.5 s",
		9940 * time.Millisecond:      "9.9 s",
		9960 * time.Millisecond:      "10 s",
		45 * time.Second:             "45 s",
		59600 * time.Millisecond:     "1 min",
		130 * time.Second:            "2 min 10 s",
		time.Hour - time.Millisecond: "1 h",
		2*time.Hour + 10*time.Minute + 20*time.Second: "2 h 10 min",
		2*time.Hour + 10*time.Second:                  "2 h",
		24*time.Hour - time.Second:                    "1 d",
		76 * time.Hour:                                "3 d 4 h",
		-130 * time.Second:                            "-2 min 10 s",
		math.MaxInt64:                                 "over 1000 d",
		math.MinInt64:                                 "-over 1000 d",
	}
	for d, want := range tests {
		if got := report.Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
	if got := report.Seconds(1e300); got != math.MaxInt64 {
		t.Errorf("Seconds(1e300) = %v", got)
	}
}
