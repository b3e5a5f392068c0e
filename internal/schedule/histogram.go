package schedule

import (
	"math/bits"
	"time"
)

// Histogram counts durations, in buckets that double: under 1 ms, under 2 ms,
// under 4 ms, and so on up to two hours and more.
type Histogram [histogramBuckets]uint32

const histogramBuckets = 24

func (h *Histogram) add(d time.Duration) {
	h[min(bits.Len64(uint64(max(d, 0)/time.Millisecond)), histogramBuckets-1)]++
}

// Count returns how many durations were counted.
func (h *Histogram) Count() (n int) {
	for _, c := range h {
		n += int(c)
	}
	return n
}

// Quantile returns an upper bound, at most twice as high, of the duration that a
// share q of those counted does not exceed; 0 if they were all under 1 ms, or none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank, seen := q*float64(h.Count()), 0
	for i, c := range h {
		seen += int(c)
		if c > 0 && float64(seen) >= rank {
			if i == 0 {
				return 0
			}
			return time.Millisecond << i
		}
	}
	return 0
}
