package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/quire-dev/quire/queue"
)

// Settle implements [queue.Store]. A settlement that is wrong in itself, such as
// a Finish without a terminal state, gets [queue.ErrInvalid].
func (s *Store) Settle(ctx context.Context, settlements ...queue.Settlement) ([]error, error) {
	if len(settlements) == 0 {
		return nil, nil
	}
	if s.readOnly {
		return nil, fmt.Errorf("settle jobs: %w", errReadOnly)
	}
	errs, err := s.settles.do(ctx, settlements)
	if err != nil {
		return nil, fmt.Errorf("settle jobs: %w", err)
	}
	return errs, nil
}

// ending is a settlement on its way to the server.
type ending struct {
	queue.Settlement
	err  *error // of its caller
	rank *int64 // nil keeps the job's
	held bool
}

// settle settles for several calls.
func (s *Store) settle(ctx context.Context, calls [][]queue.Settlement) ([][]error, error) {
	results := make([][]error, len(calls))
	var all []*ending
	known := make(map[held]bool)
	for i, settlements := range calls {
		results[i] = make([]error, len(settlements))
		for j, one := range settlements {
			err := &results[i][j]
			h := held{one.Lease.Job.ID, one.Lease.Token}
			if *err = one.Check(); *err != nil {
				continue
			}
			if *err = queue.ErrLeaseLost; known[h] {
				continue // the second settlement of a lease comes too late
			}
			known[h] = true
			all = append(all, &ending{Settlement: clean(one), err: err})
		}
	}
	if len(all) == 0 {
		return results, nil
	}
	var came arrivals
	err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		came, err = t.settle(ctx, all)
		return err
	})
	for _, e := range all {
		if e.held {
			*e.err = nil
		}
	}
	s.tellOthers(came)
	return results, err
}

func clean(s queue.Settlement) queue.Settlement {
	s.Reason, s.Class, s.Error = queue.CleanText(s.Reason), queue.CleanText(s.Class), queue.CleanText(s.Error)
	return s
}

func final(s queue.Settlement) bool { return s.Verb == queue.Finish }

// failed reports whether s ends an attempt that is worth keeping.
func failed(s queue.Settlement) bool {
	return s.Verb == queue.Retry || s.Class != "" || final(s) && s.State == queue.Error
}

func (t *tx) settle(ctx context.Context, all []*ending) (arrivals, error) {
	var looked []*ending
	moving := slices.ContainsFunc(all, func(e *ending) bool { return !final(e.Settlement) && e.Key != "" })
	for _, e := range all {
		e.held, e.rank = false, nil
		if failed(e.Settlement) || moving && !final(e.Settlement) {
			looked = append(looked, e)
		}
	}
	if slices.ContainsFunc(all, func(e *ending) bool { return final(e.Settlement) }) {
		t.queue(lockFinish, nil)
	}
	var kept attempts
	if len(looked) > 0 {
		if moving {
			t.promote(promoteLease)
		}
		rows, r := make([]standing, len(looked)), newRanks()
		t.look(looked, rows, r)
		if err := t.flush(ctx); err != nil {
			return nil, err
		}
		for i, e := range looked {
			rows[i].apply(e, r, &kept)
		}
		defer r.keep(t)
	}
	came := t.end(all)
	kept.keep(t)
	return came, nil
}
