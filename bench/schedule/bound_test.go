package main

import (
	"testing"
	"time"
)

func TestLowerBound(t *testing.T) {
	const s = time.Second
	free := []allowance{{"a", 100, 0}, {"b", 100, 0}}
	tests := map[string]struct {
		jobs    [][]visit
		keys    []allowance
		workers int
		want    bound
	}{
		"no jobs": {nil, free, 2, bound{}},
		"the longest job": {
			[][]visit{{{0, 1 * s}, {1, 5 * s}}, {{0, 2 * s}}}, free, 2, bound{6 * s, "longest job"},
		},
		"workers": {
			[][]visit{{{0, 2 * s}}, {{0, 2 * s}}, {{1, 2 * s}}}, free, 2, bound{3 * s, "workers"},
		},
		"a cap, behind the quickest way there": {
			[][]visit{{{0, 2 * s}, {1, 4 * s}}, {{0, 1 * s}, {1, 4 * s}}, {{0, 2 * s}, {1, 4 * s}}},
			[]allowance{{"a", 100, 0}, {"b", 2, 0}},
			100,
			bound{7 * s, "cap of b"}, // 1 + 12/2
		},
		"a pace: the last one starts after all others": {
			[][]visit{{{0, 1 * s}}, {{0, 2 * s}}, {{0, 1 * s}}},
			[]allowance{{"a", 100, 10 * s}},
			100,
			bound{21 * s, "pace of a"},
		},
		"one connection: what is longer, service or pace": {
			// 5 + 3 + 3, less the 2 that the last one need not wait
			[][]visit{{{0, 5 * s}}, {{0, 1 * s}}, {{0, 2 * s}}},
			[]allowance{{"a", 1, 3 * s}},
			100,
			bound{9 * s, "connection of a"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := lowerBound(tt.jobs, tt.keys, tt.workers); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
