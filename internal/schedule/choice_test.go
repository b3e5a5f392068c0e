package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/queue"
)

// BenchmarkTable_next measures the choice of a key alone, without what a start
// changes in its limits: half by turns, half by weight.
func BenchmarkTable_next(b *testing.B) {
	for _, keys := range []int{200, 10_000, 100_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			t := New(Config{Slots: 32, Rule: func(string) limit.Rule { return limit.Rule{InFlight: 4} }})
			backlog := make([]queue.KeyBacklog, keys)
			for i := range backlog {
				backlog[i] = queue.KeyBacklog{Key: fmt.Sprint("host:www.journal-of-benchmarks.example/", i), Ready: 1 << 40}
			}
			t.Refresh(time.Now(), backlog)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				t.fair = 16 * (i % 2)
				k, _ := t.next(0)
				t.turns.requeue(k.number, 0)
				t.byWeight.requeue(k.number, int(t.byWeight.links[k.number].ring))
			}
		})
	}
}
