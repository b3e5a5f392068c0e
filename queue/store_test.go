package queue_test

import (
	"testing"

	"github.com/quire-dev/quire/queue"
)

func TestStats_Total(t *testing.T) {
	s := queue.Stats{Queued: 1, InProgress: 2, Done: 4, Skipped: 8, Error: 16, Ready: 1, Delayed: 1000}
	if got := s.Total(); got != 31 {
		t.Errorf("Total = %d, want 31: ready and delayed jobs are queued ones", got)
	}
}
