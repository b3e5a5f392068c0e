package report

import (
	"cmp"
	"slices"
)

// whole is 100 %, in tenths of a percent.
const whole = 1000

// shares splits n tenths of a percent in proportion to counts, by largest
// remainder (Hamilton's method): each share is off by less than a tenth, and
// together they are n. Of equal remainders the earlier gets more. They are all 0
// if the counts are.
func shares(counts []int, n int) []int {
	total := 0
	for _, c := range counts {
		total += c
	}
	got := make([]int, len(counts))
	if total == 0 {
		return got
	}
	order, left := make([]int, len(counts)), n
	for i, c := range counts {
		got[i], order[i] = c*n/total, i
		left -= got[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b]*n%total, counts[a]*n%total) })
	for _, i := range order[:left] {
		got[i]++
	}
	return got
}

// percent is a share as JSON has it.
func percent(tenths int) float64 { return float64(tenths) / (whole / 100) }
