package postgres

import (
	"context"
	"slices"
	"sync"
)

// maxBatch bounds how many calls share a transaction, and so how long the first
// of them waits for the others.
const maxBatch = 512

// batcher folds concurrent calls into transactions: those that come while one is
// under way go together into the next. Nobody waits for company: a call that
// finds nothing under way goes at once.
type batcher[A, R any] struct {
	// run does all calls in one transaction, or none and returns an error.
	run  func(ctx context.Context, args []A) ([]R, error)
	most int
	work *sync.WaitGroup // of who owns the batcher

	mu      sync.Mutex
	waiting []*call[A, R]
	busy    bool // a goroutine is in loop
	closed  bool
}

type call[A, R any] struct {
	ctx    context.Context //nolint:containedctx // of the caller, who waits for done
	arg    A
	result R
	err    error
	done   chan struct{}
}

func newBatcher[A, R any](work *sync.WaitGroup, most int, run func(context.Context, []A) ([]R, error)) *batcher[A, R] {
	return &batcher[A, R]{run: run, most: most, work: work}
}

// do returns after the transaction of the call. If ctx ends before that, it
// returns ctx's error, and the call is not done if its transaction has not begun.
func (b *batcher[A, R]) do(ctx context.Context, arg A) (result R, err error) {
	if err := ctx.Err(); err != nil {
		return result, err
	}
	c := &call[A, R]{ctx: ctx, arg: arg, done: make(chan struct{})}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return result, errClosed
	}
	b.waiting = append(b.waiting, c)
	if !b.busy {
		b.busy = true
		b.work.Go(b.loop)
	}
	b.mu.Unlock()
	select {
	case <-c.done:
		return c.result, c.err
	case <-ctx.Done():
		return result, ctx.Err()
	}
}

// loop runs transactions until no call waits.
func (b *batcher[A, R]) loop() {
	for {
		b.mu.Lock()
		n := min(len(b.waiting), b.most)
		if n == 0 {
			b.busy = false
			b.mu.Unlock()
			return
		}
		calls := b.waiting[:n:n]
		b.waiting = slices.Clone(b.waiting[n:])
		b.mu.Unlock()
		b.together(calls)
	}
}

// together runs calls in one transaction. If the server refuses it, each call
// runs again alone, so that none suffers from a neighbour.
func (b *batcher[A, R]) together(calls []*call[A, R]) {
	calls = slices.DeleteFunc(calls, func(c *call[A, R]) bool { return c.ctx.Err() != nil })
	if len(calls) == 0 {
		return
	}
	args := make([]A, len(calls))
	for i, c := range calls {
		args[i] = c.arg
	}
	ctx, cancel := anyOf(calls)
	results, err := b.run(ctx, args)
	cancel()
	if err != nil && len(calls) > 1 && refused(err) {
		for _, c := range calls {
			b.together([]*call[A, R]{c})
		}
		return
	}
	for i, c := range calls {
		if c.err = err; err == nil {
			c.result = results[i]
		}
		close(c.done)
	}
}

// anyOf is a context that ends when those of all calls have.
func anyOf[A, R any](calls []*call[A, R]) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(calls[0].ctx))
	var stops []func() bool
	var mu sync.Mutex
	left := len(calls)
	for _, c := range calls {
		stops = append(stops, context.AfterFunc(c.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				cancel()
			}
		}))
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// close makes later calls fail. Those under way go on.
func (b *batcher[A, R]) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}
