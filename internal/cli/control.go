package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/queue"
)

// change opens a queue that is there for changing it. Looking first keeps this
// from creating one where there is none.
func (a *app) change(ctx context.Context, do func(*quire.System) error) (err error) {
	seen, err := a.look(ctx)
	if err != nil {
		return err
	}
	if err := seen.Close(); err != nil {
		return err
	}
	cfg, err := a.settings(nil)
	if err != nil {
		return err
	}
	cfg.Log = a.logger()
	sys, err := a.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	return do(sys)
}

// act is a change of the jobs that a filter selects.
type act struct {
	ids    []string
	f      queue.Filter
	dryRun bool

	field, doing, did, would string      // of the JSON document; in words
	next                     func(n int) // tells what there is to do then; may be nil
	change                   func(context.Context, *quire.System, queue.Filter) (int, error)
}

// dryRun tells how many jobs would be changed.
func (a *app) dryRun(ctx context.Context, t act) (err error) {
	sys, err := a.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	var sum counter
	defer a.meter("counting", sum.look(a.totalOf(ctx, sys, t.f, t.ids...)))()
	n, err := eachPart(t.f, t.ids, func(f queue.Filter) (int, error) {
		f.Changed = sum.changed()
		return count(ctx, sys.Queue(), f)
	})
	if err != nil {
		return err
	}
	return a.tell(t.field, n, t.would)
}

// apply changes the jobs, or only counts them, and tells how many.
func (a *app) apply(ctx context.Context, t act) error {
	if t.dryRun {
		return a.dryRun(ctx, t)
	}
	var sum counter
	return a.change(ctx, func(sys *quire.System) error {
		stop := a.meter(t.doing, sum.look(a.totalOf(ctx, sys, t.f, t.ids...)))
		defer stop()
		n, err := eachPart(t.f, t.ids, func(f queue.Filter) (int, error) {
			f.Changed = sum.changed()
			return t.change(ctx, sys, f)
		})
		stop()
		switch {
		case err != nil && n > 0:
			return fmt.Errorf("%w (before that: %d %s)", err, n, t.did)
		case err != nil:
			return err
		}
		if err := a.tell(t.field, n, t.did); err != nil || t.next == nil {
			return err
		}
		t.next(n)
		return nil
	})
}

// tell prints how many jobs were changed.
func (a *app) tell(field string, n int, what string) error {
	if a.json {
		return a.printJSON(map[string]int{field: n})
	}
	a.printf("%d %s\n", n, what)
	return nil
}
