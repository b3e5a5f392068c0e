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
		INSERT INTO records (artifact_id, doc, updated_at) SELECT artifact_id, ?, ? FROM docs WHERE id = ?
		ON CONFLICT (artifact_id) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at`
	_, err = t.exec(query, string(s.Record), t.now, s.Lease.Job.ID)
	return true, err
}

// A lease is known by its job's id and key and by its token: that the key is
// compared, too, lets the counts of keys rely on it.
const finishQuery = `
	UPDATE jobs SET state = ?, key = ?, first_key = coalesce(first_key, key), reason = ?, class = ?, finish_seq = ?, owner = '', due = 0, updated_at = ?
	WHERE id = ? AND key = ? AND state = 2 AND token = ?`

const finishDocQuery = `UPDATE docs SET last_error = ?, result = ?, progress = NULL WHERE id = ?`

func (t *tx) finish(s queue.Settlement) (held bool, err error) {
	last, err := t.numbers()
	if err != nil {
		return false, err
	}
	from, to, err := t.way(s)
	if from == 0 || err != nil {
		return false, err
	}
	state := numbersOf(s.State)[0]
	n, err := t.exec(finishQuery, state, to, s.Reason, s.Class, last.seq+1, t.now, s.Lease.Job.ID, from, s.Lease.Token)
	if n == 0 || err != nil {
		return false, err
	}
	was := s.Lease.Job
	if s.Error != was.LastError || len(s.Result)+len(was.Result)+len(was.Progress) > 0 {
		if _, err := t.exec(finishDocQuery, s.Error, text(s.Result), was.ID); err != nil {
			return false, err
		}
	}
	last.seq++
	t.counts.add(-1, from, stateInProgress, 0)
	t.counts.outcomes[outcome{state, s.Reason, s.Class}]++
	return true, nil
}

// way returns the numbers of the key of a leased job and of the one where it
// goes. A lease at an unknown key, 0, is none of ours.
func (t *tx) way(s queue.Settlement) (from, to int64, err error) {
	if from, err = t.known(t.w.keys, s.Lease.Job.Key); from == 0 || err != nil || s.Key == "" {
		return from, from, err
	}
	to, err = t.number(t.w.keys, s.Key)
	return from, to, err
}

const (
	// Advance and Release, which are no failures, leave the class and error of the
	// last failure unless they bring a class of their own.
	handBackQuery = `
	UPDATE jobs SET state = ?, attempts = max(attempts - ?, 0), due = ?, reason = ?,
		class = iif(?, ?, class), owner = '', updated_at = ?
	WHERE id = ? AND key = ? AND state = 2 AND token = ?`
	handBackDocQuery = `
	UPDATE docs SET last_error = iif(?, ?, last_error), progress = coalesce(?, progress) WHERE id = ?`
	heldQuery = `SELECT run FROM jobs WHERE id = ? AND key = ? AND state = 2 AND token = ?`
	moveQuery = `UPDATE jobs SET key = ?, rank = ?, first_key = coalesce(first_key, key) WHERE id = ?`
)

func (t *tx) handBack(s queue.Settlement) (held bool, err error) {
	from, to, err := t.way(s)
	if from == 0 || err != nil {
		return false, err
	}
	wait := millis(s.Delay)
	if from != to {
		if held, err := t.move(s, from, to, wait <= 0); !held || err != nil {
			return false, err
		}
	} else {
		t.moveHeads()
	}
	givenBack := 1
	if s.Verb == queue.Retry {
		givenBack = 0
	}
	failed := s.Verb == queue.Retry || s.Class != ""
	n, err := t.exec(handBackQuery, queuedState(wait), givenBack, t.now+wait, s.Reason,
		failed, s.Class, t.now, s.Lease.Job.ID, to, s.Lease.Token)
	if n == 0 || err != nil {
		return false, err
	}
	if failed || len(s.Progress) > 0 {
		if _, err := t.exec(handBackDocQuery, failed, s.Error, text(s.Progress), s.Lease.Job.ID); err != nil {
			return false, err
		}
	}
	t.counts.add(-1, from, stateInProgress, 0)
	t.counts.add(1, to, queuedState(wait), t.now+wait)
	if wait > 0 {
		t.delays(t.now + wait)
	}
	return true, nil
}

// move takes a leased job to another key, where it gets a rank.
func (t *tx) move(s queue.Settlement, from, to int64, ready bool) (held bool, err error) {
	run, err := t.integerOr(0, heldQuery, s.Lease.Job.ID, from, s.Lease.Token)
	if run == 0 || err != nil {
		return false, err
	}
	rank, err := t.arrive(share{to, run}, s.Lease.Job.Priority, ready)
	if err != nil {
		return false, err
	}
	_, err = t.exec(moveQuery, to, rank, s.Lease.Job.ID)
	return true, err
}
