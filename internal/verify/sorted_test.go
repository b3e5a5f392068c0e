package verify

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// Whatever their number, entries come back in the order of their keys, those of one
// key in the order in which they came, and nothing is left behind.
func TestSorter(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, n := range []int{0, 1, chunkEntries - 1, chunkEntries, 3*chunkEntries + 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(n)))
			var s sorter[int]
			var want []entry[int]
			for i := range n {
				key := fmt.Sprintf("%06d", random.IntN(n))
				want = append(want, entry[int]{key, i})
				if err := s.add(key, i); err != nil {
					t.Fatal(err)
				}
			}
			if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
				t.Errorf("temporary files with a name: %v", left)
			}
			slices.SortStableFunc(want, func(a, b entry[int]) int { return cmp.Compare(a.Key, b.Key) })
			keys := make([]string, n)
			seen := make([]bool, n)
			for i := range n {
				e, err := s.peek()
				if err != nil || e == nil {
					t.Fatalf("entry %d: %v, %v", i, e, err)
				}
				keys[i], seen[e.Value] = e.Key, true
				if err := s.next(); err != nil {
					t.Fatal(err)
				}
			}
			if e, err := s.peek(); e != nil || err != nil {
				t.Errorf("after the last: %v, %v", e, err)
			}
			for i := range want {
				if keys[i] != want[i].Key || !seen[i] {
					t.Fatalf("entry %d: key %s, want %s; seen %t", i, keys[i], want[i].Key, seen[i])
				}
			}
			if err := s.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Where temporary files can't be made, a large store says so and a small one needs none.
func TestSorter_noTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", "/nonexistent")
	var s sorter[int]
	for i := range chunkEntries - 1 {
		if err := s.add("k", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.add("k", 0); err == nil {
		t.Error("no error without a directory for temporary files")
	}
}
