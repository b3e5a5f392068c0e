package main

import (
	"context"
	"time"
)

// enqueueBy measures callers that enqueue some jobs by each call, while nothing
// works them off.
func enqueueBy(callers, some int) func(context.Context, bench) ([]metric, error) {
	return func(ctx context.Context, b bench) ([]metric, error) {
		begin := time.Now()
		added, err := b.enqueueUntil(ctx, callers, some, begin.Add(b.Limit))
		took := time.Since(begin)
		if err != nil {
			return nil, err
		}
		return perSecond(added, took), nil
	}
}
