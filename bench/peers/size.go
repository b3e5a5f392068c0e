package main

import "context"

// size measures what a queued job takes in the store, its indexes included.
func size(ctx context.Context, b bench) ([]metric, error) {
	before, err := b.sys.size(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.populate(ctx, b.N); err != nil {
		return nil, err
	}
	after, err := b.sys.size(ctx)
	if err != nil {
		return nil, err
	}
	return []metric{{Name: "size", Unit: "bytes/job", Value: float64(after-before) / float64(b.N), Less: true}}, nil
}
