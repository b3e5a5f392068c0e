package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// recorder runs batches of numbers and takes a second for each.
type recorder struct {
	batches [][]int
	refuse  int // a number that the server does not take
}

func (r *recorder) run(_ context.Context, args []int) ([]int, error) {
	time.Sleep(time.Second)
	r.batches = append(r.batches, slices.Sorted(slices.Values(args)))
	if slices.Contains(args, r.refuse) {
		return nil, &pgconn.PgError{Code: "22000"}
	}
	return args, nil
}

// batches has 0 start, and others come while it is under way.
func batches(t *testing.T, r *recorder, others ...int) (errs map[int]error) {
	var work, callers sync.WaitGroup
	b := newBatcher(&work, maxBatch, r.run)
	var mu sync.Mutex
	errs = make(map[int]error)
	for _, n := range append([]int{0}, others...) {
		callers.Go(func() {
			got, err := b.do(t.Context(), n)
			if err == nil && got != n {
				t.Errorf("%d got the result of %d", n, got)
			}
			mu.Lock()
			defer mu.Unlock()
			errs[n] = err
		})
		synctest.Wait()
	}
	callers.Wait()
	work.Wait()
	return errs
}

func TestBatcher_folds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{refuse: -1}
		batches(t, r, 1, 2, 3)
		if len(r.batches) != 2 || !slices.Equal(r.batches[1], []int{1, 2, 3}) {
			t.Errorf("batches: %v", r.batches)
		}
	})
}

func TestBatcher_refused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for n, err := range batches(t, &recorder{refuse: 2}, 1, 2, 3) {
			if (err != nil) != (n == 2) {
				t.Errorf("%d: %v", n, err)
			}
		}
	})
}

// A caller that leaves does not keep the others, and is not done if it was waiting.
func TestBatcher_leaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{refuse: -1}
		var work sync.WaitGroup
		b := newBatcher(&work, maxBatch, r.run)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		var callers sync.WaitGroup
		for n := range 2 {
			callers.Go(func() {
				if _, err := b.do(ctx, n); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%d: %v", n, err)
				}
			})
			synctest.Wait()
		}
		callers.Wait()
		work.Wait()
		if len(r.batches) != 1 {
			t.Errorf("batches: %v", r.batches)
		}
		b.close()
		if _, err := b.do(t.Context(), 3); !errors.Is(err, errClosed) {
			t.Errorf("after close: %v", err)
		}
	})
}
