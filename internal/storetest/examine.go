package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
)

func examine(t *testing.T, s Store, deep bool) queue.Examination {
	t.Helper()
	e, err := s.Examine(t.Context(), deep)
	if err != nil {
		t.Fatalf("Examine, deep %v: %v", deep, err)
	}
	return e
}

// examineWhole: a store that is whole says so, deep or not, and stays as it was.
func examineWhole(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1), job(2))
	leaseOne(t, s, key)
	before := stats(t, s)
	for _, deep := range []bool{false, true} {
		e := examine(t, s, deep)
		if len(e.Faults) > 0 || e.Needs != "" || e.Running || e.Runner != "" {
			t.Errorf("deep %v: %+v, want no faults, no needs and no runner", deep, e)
		}
		if e.Engine == "" || e.Schema < 1 || e.Bytes < 1 {
			t.Errorf("deep %v: %+v, want an engine, a schema and a size", deep, e)
		}
	}
	if after := stats(t, s); after.Total() != before.Total() || after.Ready != before.Ready || after.InProgress != before.InProgress {
		t.Errorf("the jobs were %+v, are %+v", before, after)
	}
}

// examineRunner: who looks sees that another store runs the queue, takes nothing
// from it, and sees that it has stopped.
func examineRunner(t *testing.T, a, b Store, _ func(time.Duration)) {
	held, release, err := a.LockRunner(t.Context())
	if err != nil {
		t.Fatalf("LockRunner: %v", err)
	}
	for _, s := range []Store{a, b} {
		if e := examine(t, s, false); !e.Running {
			t.Errorf("while it runs: %+v, want Running", e)
		}
	}
	if held.Err() != nil {
		t.Errorf("the right was lost: %v", context.Cause(held))
	}
	release()
	if e := examine(t, b, false); e.Running {
		t.Errorf("after it ran: %+v, want no Running", e)
	}
	_, release, err = b.LockRunner(t.Context())
	if err != nil {
		t.Fatalf("LockRunner afterwards: %v", err)
	}
	release()
}

// examineEnded: without time there is an error or an answer that says what is not
// known, but no fault that nobody has seen.
func examineEnded(t *testing.T, s Store, _ func(time.Duration)) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e, err := s.Examine(ctx, true); err == nil && e.Unchecked == "" || len(e.Faults) > 0 {
		t.Errorf("Examine: %+v, %v", e, err)
	}
}
