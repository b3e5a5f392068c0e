package cli

import (
	"testing"
	"time"
)

func TestClockText(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 5, 12, 0, 0, 0, zone).In(time.Local)
	for in, layout := range map[time.Duration]string{time.Minute: "15:04 MST", 48 * time.Hour: "2006-01-02 15:04 MST"} {
		at := now.Add(in)
		if got, want := clockText(at.In(zone), now), at.Format(layout); got != want {
			t.Errorf("in %s: got %q, want %q", in, got, want)
		}
	}
}
