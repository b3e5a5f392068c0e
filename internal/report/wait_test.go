package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/report"
)

func TestAdviseWaits(t *testing.T) {
	now := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	clock := func(at time.Time) string { return at.Format("15:04") }
	wait := func(jobs int, reason string, in time.Duration) []report.Wait {
		until := time.Time{}
		if in > 0 {
			until = now.Add(in)
		}
		return []report.Wait{report.NewWait("host:x", jobs, reason, until)}
	}
	many := func(n int) (waits []report.Wait) {
		for range n {
			waits = append(waits, wait(2, report.WaitPaused, 0)...)
		}
		return waits
	}
	tests := map[string]struct {
		waits  []report.Wait
		left   int
		paused bool
		want   string
	}{
		"nothing":      {nil, 0, false, ""},
		"nothing, all": {nil, 0, true, ""},
		"queue paused": {wait(3, report.WaitPaused, 0), 3, true, "3 wait because the queue is paused: resume it. [quire queue resume]"},
		"key paused":   {wait(1, report.WaitPaused, 0), 1, false, "1 waits at host:x, which is paused: resume it. [quire queue resume host:x]"},
		"gated": {wait(37, "throttled", 2*time.Hour), 40, false, "37 wait for host:x until 14:00, which asks for less: run again then. [quire queue run --drain]\n" +
			"3 are left: run again to go on. [quire queue run --drain]"},
		"daily":       {wait(2, "daily", 12*time.Hour), 2, false, "2 wait for host:x until 00:00, which has had its requests of today: run again then. [quire queue run --drain]"},
		"to be tried": {wait(2, report.WaitRetry, time.Minute), 2, false, "2 wait for host:x until 12:01 to be tried again: run again then. [quire queue run --drain]"},
		"soon":        {wait(2, "throttled", time.Second), 2, false, "2 are left: run again to go on. [quire queue run --drain]"},
		"many keys": {many(7), 14, false, strings.Repeat("2 wait at host:x, which is paused: resume it. [quire queue resume host:x]\n", 5) +
			"4 are left: run again to go on. [quire queue run --drain]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var lines []string
			sum := 0
			for _, a := range report.AdviseWaits(tt.waits, tt.left, tt.paused, now, clock) {
				lines = append(lines, a.Text+" ["+*a.Command+"]")
				sum += a.Count
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if sum != tt.left {
				t.Errorf("the counts add up to %d, want %d", sum, tt.left)
			}
		})
	}
}
