package sqlite

import (
	"context"
	"fmt"

	"github.com/quire-dev/quire/queue"
)

// Settle implements [queue.Store]. A settlement that is wrong in itself, such as
// a Finish without a terminal state, gets [queue.ErrInvalid].
func (s *Store) Settle(ctx context.Context, settlements ...queue.Settlement) ([]error, error) {
	if len(settlements) == 0 {
		return nil, nil
	}
	errs, err := write(ctx, s.w, func(t *tx) ([]error, error) {
		errs := make([]error, len(settlements))
		for i, settlement := range settlements {
			if errs[i] = settlement.Check(); errs[i] != nil {
				continue
			}
			held, err := t.settle(settlement)
			if err != nil {
				return nil, err
			}
			if !held {
				errs[i] = queue.ErrLeaseLost
			}
		}
		return errs, nil
	})
	if err != nil {
		return nil, fmt.Errorf("settle jobs: %w", err)
	}
	return errs, nil
}

// settle ends one lease and reports whether it still held. Each statement
// compares the token.
func (t *tx) settle(s queue.Settlement) (held bool, err error) {
	s.Reason, s.Class, s.Error = queue.CleanText(s.Reason), queue.CleanText(s.Class), queue.CleanText(s.Error)
	if failed(s) {
		if err := t.keepAttempt(s.Lease, s.Reason, s.Class, s.Error); err != nil {
			return false, err
		}
	}
	if s.Verb == queue.Finish {
		held, err = t.finish(s)
	} else {
		held, err = t.handBack(s)
	}
	if !held || err != nil || len(s.Record) == 0 {
		return held, err
	}
	const query = `
		INSERT INTO records (artifact_id, doc, updated_at) SELECT artifact_id, ?, ? FROM jobs WHERE id = ?
		ON CONFLICT (artifact_id) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at`
	_, err = t.exec(query, string(s.Record), t.now, s.Lease.Job.ID)
	return true, err
}

const finishQuery = `
	UPDATE jobs SET state = ?, key = coalesce(?, key), reason = ?, class = ?, last_error = ?,
		progress = NULL, result = ?, finish_seq = ?, owner = '', due = 0, updated_at = ?
	WHERE id = ? AND state = 2 AND token = ?`

func (t *tx) finish(s queue.Settlement) (held bool, err error) {
	last, err := t.numbers()
	if err != nil {
		return false, err
	}
	key, err := t.optionalKey(s.Key)
	if err != nil {
		return false, err
	}
	n, err := t.exec(finishQuery, numbersOf(s.State)[0], key, s.Reason, s.Class, s.Error,
		text(s.Result), last.seq+1, t.now, s.Lease.Job.ID, s.Lease.Token)
	last.seq += int64(n)
	return n == 1, err
}

// optionalKey is the number of a key, nil for none.
func (t *tx) optionalKey(name string) (any, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // NULL
	}
	return t.number(t.w.keys, name)
}

const (
	// Advance and Release, which are no failures, leave the class and error of the
	// last failure unless they bring a class of their own.
	handBackQuery = `
	UPDATE jobs SET state = ?, key = ?, rank = ?, attempts = max(attempts - ?, 0), due = ?, reason = ?,
		class = iif(?, ?, class), last_error = iif(?, ?, last_error), progress = coalesce(?, progress),
		owner = '', updated_at = ?
	WHERE id = ? AND state = 2 AND token = ?`
	heldQuery = `SELECT key, run, priority, rank FROM jobs WHERE id = ? AND state = 2 AND token = ?`
)

func (t *tx) handBack(s queue.Settlement) (held bool, err error) {
	wait := millis(s.Delay)
	at, held, err := t.next(s, wait <= 0)
	if !held || err != nil {
		return false, err
	}
	givenBack := 1
	if s.Verb == queue.Retry {
		givenBack = 0
	}
	failed := s.Verb == queue.Retry || s.Class != ""
	n, err := t.exec(handBackQuery, queuedState(wait), at.key, at.rank, givenBack, t.now+wait, s.Reason,
		failed, s.Class, failed, s.Error, text(s.Progress), t.now, s.Lease.Job.ID, s.Lease.Token)
	return n == 1, err
}

// next returns where a job that is handed back goes, and its rank there: the one
// it has unless it arrives at another key.
func (t *tx) next(s queue.Settlement, ready bool) (at row, held bool, err error) {
	stmt, err := t.w.stmt(heldQuery)
	if err != nil {
		return at, false, err
	}
	err = stmt.QueryRowContext(context.Background(), s.Lease.Job.ID, s.Lease.Token).Scan(&at.key, &at.run, &at.Priority, &at.rank)
	if err != nil {
		return at, false, ignoreNoRows(err)
	}
	to := at.key
	if s.Key != "" {
		if to, err = t.number(t.w.keys, s.Key); err != nil {
			return at, false, err
		}
	}
	if to == at.key {
		t.moveHeads()
		return at, true, nil
	}
	at.key = to
	at.rank, err = t.arrive(share{at.key, at.run}, at.Priority, ready)
	return at, true, err
}
