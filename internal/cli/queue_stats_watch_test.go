package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/quire-dev/quire/internal/report"
)

// busyStats are those of a run with more keys than a terminal has rows.
func busyStats(keys int) report.Stats {
	s := report.Stats{
		Queued: 9000, InProgress: 32, Done: 12000, Skipped: 4000, Error: 85, Total: 25117, Ready: 8000, Delayed: 1000, OldestReadySeconds: 512,
		Reasons: map[string]int{"stored": 12000, "no_oa_location": 3900, "policy_skipped": 100, "transient": 60, "throttled": 25},
		Classes: map[string]int{"no_oa_location": 3900, "transient": 60, "throttled": 25},
	}
	rate := 2.0
	for i := range keys {
		k := report.KeyStats{
			Key: fmt.Sprintf("host:journals-%02d.press.example", i), Ready: 400 - 3*i, Delayed: i, InFlight: 2, Cap: 4, PerSecond: &rate, Breaker: "closed",
			RateFrom: "configured", HeadAgeSeconds: float64(20 + i), LeftSeconds: float64(4000 - 90*i),
		}
		switch i % 4 {
		case 1:
			why := "throttled"
			k.GateSeconds, k.GateReason, k.RateFrom = 725, &why, "learnt"
		case 2:
			k.Breaker = "open"
		case 3:
			k.Key, k.Batch = "resolver:論文データベース", 50
		}
		s.Keys = append(s.Keys, k)
	}
	return s
}

// The page fits, whatever the terminal's size: a line that is too long or one too many
// would scroll it.
func TestStatsPage(t *testing.T) {
	at := time.Date(2026, 3, 4, 17, 31, 2, 0, time.UTC)
	o := &stats{app: &app{data: "quire-data"}}
	for _, size := range [][2]int{{80, 24}, {40, 15}, {200, 50}, {20, 6}, {1, 1}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			for _, keys := range []int{0, 1, 3, 40, 400} {
				lines := o.pageLines(busyStats(keys), at, size[0], size[1])
				if len(lines) > size[1] {
					t.Errorf("%d keys: %d lines", keys, len(lines))
				}
				for _, line := range lines {
					if n := ansi.StringWidth(line); n > size[0] {
						t.Errorf("%d keys: %d cells: %q", keys, n, line)
					}
				}
				if keys == 40 && size[0] > 30 {
					wantPage(t, "stats-"+name+".txt", lines)
				}
			}
		})
	}
}

// wantPage compares a page with that in testdata, which was looked at.
func wantPage(t *testing.T, name string, lines []string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got := strings.Join(lines, "\n") + "\n"
	if os.Getenv("QUIRE_TEST_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
