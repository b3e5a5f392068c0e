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
			if errs[i] = checkSettlement(settlement); errs[i] != nil {
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

func checkSettlement(s queue.Settlement) error {
	switch s.Verb {
	case queue.Finish:
		if !s.State.Terminal() {
			return fmt.Errorf("%w state: %q does not end a job", queue.ErrInvalid, s.State)
		}
	case queue.Retry, queue.Advance, queue.Release:
	default:
		return fmt.Errorf("%w verb: %q", queue.ErrInvalid, s.Verb)
	}
	return checkText("key", s.Key, 0, queue.MaxKey)
}

// settle ends one lease and reports whether it still held. Both statements
// compare the token and change the row in one go.
func (t *tx) settle(s queue.Settlement) (held bool, err error) {
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
	UPDATE jobs SET state = ?, key = coalesce(nullif(?, ''), key), reason = ?, class = ?, last_error = ?,
		progress = NULL, result = ?, finish_seq = ?, lease_owner = '', lease_expires_at = 0, updated_at = ?
	WHERE id = ? AND state = 'in_progress' AND token = ?`

func (t *tx) finish(s queue.Settlement) (held bool, err error) {
	seq, err := t.nextSeq()
	if err != nil {
		return false, err
	}
	n, err := t.exec(finishQuery, s.State, s.Key, s.Reason, s.Class, s.Error,
		text(s.Result), seq, t.now, s.Lease.Job.ID, s.Lease.Token)
	if n == 1 {
		t.lastSeq = seq
	}
	return n == 1, err
}

// Advance and Release, which are no failures, leave the class and error of the
// last failure unless they bring a class of their own.
const handBackQuery = `
	UPDATE jobs SET state = 'queued', key = coalesce(nullif(?, ''), key), attempts = max(attempts - ?, 0),
		available_at = ?, delayed = ?, reason = ?,
		class = iif(?, ?, class), last_error = iif(?, ?, last_error), progress = coalesce(?, progress),
		lease_owner = '', lease_expires_at = 0, updated_at = ?
	WHERE id = ? AND state = 'in_progress' AND token = ?`

func (t *tx) handBack(s queue.Settlement) (held bool, err error) {
	givenBack := 1
	if s.Verb == queue.Retry {
		givenBack = 0
	}
	wait := millis(s.Delay)
	failed := s.Verb == queue.Retry || s.Class != ""
	n, err := t.exec(handBackQuery, s.Key, givenBack, t.now+wait, wait > 0, s.Reason,
		failed, s.Class, failed, s.Error, text(s.Progress), t.now, s.Lease.Job.ID, s.Lease.Token)
	return n == 1, err
}

const lastSeqQuery = `SELECT coalesce(max(finish_seq), 0) FROM jobs WHERE finish_seq > 0`

// nextSeq is the number of the next final outcome. It is taken when lastSeq is
// set to it.
func (t *tx) nextSeq() (int64, error) {
	if t.lastSeq == 0 {
		last, err := t.number(lastSeqQuery)
		if err != nil {
			return 0, err
		}
		t.lastSeq = last
	}
	return t.lastSeq + 1, nil
}
