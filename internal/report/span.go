package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Span writes a duration for people, with two units at most: 45 s, 2 min 10 s,
// 2 h 10 min, 3 d 4 h.
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "-" + Span(-max(d, math.MinInt64+1))
	case d == 0:
		return "0 s"
	case d < 9950*time.Millisecond:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", max(d, 100*time.Millisecond).Seconds()), ".0") + " s"
	case d.Round(time.Second) < time.Minute:
		return fmt.Sprintf("%d s", d.Round(time.Second)/time.Second)
	case d.Round(time.Second) < time.Hour:
		return units(d.Round(time.Second), time.Minute, "min", time.Second, "s")
	case d.Round(time.Minute) < day:
		return units(d.Round(time.Minute), time.Hour, "h", time.Minute, "min")
	case d > 1000*day:
		return "over 1000 d"
	}
	return units(d.Round(time.Hour), day, "d", time.Hour, "h")
}

// units writes d in a large unit and what is left over in a small one.
func units(d, large time.Duration, name string, small time.Duration, rest string) string {
	text := fmt.Sprintf("%d %s", d/large, name)
	if left := d % large / small; left > 0 {
		text += fmt.Sprintf(" %d %s", left, rest)
	}
	return text
}

// Seconds is a number of seconds as a duration, at most the longest there is.
func Seconds(s float64) time.Duration {
	if s >= math.MaxInt64/1e9 {
		return math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}

// Size writes a number of bytes for people, in powers of 1024.
func Size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, i := float64(n), 0
	for ; v >= 1023.95 && i < len(units)-1; i++ { // more would be written 1024.0
		v /= 1 << 10
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}
