package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/quire-dev/quire/queue"
)

// Settle implements [queue.Store]. A settlement that is wrong in itself, such as
// a Finish without a terminal state, gets [queue.ErrInvalid].
func (s *Store) Settle(ctx context.Context, settlements ...queue.Settlement) ([]error, error) {
	if len(settlements) == 0 {
		return nil, nil
	}
	call := &settling{settlements: make([]queue.Settlement, len(settlements))}
	for i, one := range settlements {
		one.Reason, one.Class, one.Error = queue.CleanText(one.Reason), queue.CleanText(one.Class), queue.CleanText(one.Error)
		call.settlements[i] = one
	}
	if err := s.w.do(ctx, op{settle: call}); err != nil {
		return nil, fmt.Errorf("settle jobs: %w", err)
	}
	return call.errs, nil
}

// settling is a call of Settle.
type settling struct {
	settlements []queue.Settlement
	errs        []error // once it is done
}

// A hold is what the database has of a leased job.
type hold struct{ token, key, run int64 }

// A finish is what settlements have in common that one statement can do, for jobs
// each of which is [id, its number among the final outcomes].
type finish struct {
	state         int
	key           int64 // 0 keeps the job's
	reason, class string
}

// settle does the settlements of many calls, in their order, except that jobs
// that finish alike do so together at the end.
func (t *tx) settle(calls []*settling) error {
	holds, err := t.holds(calls)
	if err != nil {
		return err
	}
	alike := make(map[finish][][2]int64)
	for _, call := range calls {
		call.errs = make([]error, len(call.settlements))
		for i, s := range call.settlements {
			if call.errs[i] = s.Check(); call.errs[i] != nil {
				continue
			}
			id := s.Lease.Job.ID
			h, ok := holds[id]
			if !ok || h.token != s.Lease.Token {
				call.errs[i] = queue.ErrLeaseLost
				continue
			}
			delete(holds, id) // a second settlement of the lease comes too late
			if err := t.settleOne(s, h, alike); err != nil {
				return err
			}
		}
	}
	for f, jobs := range alike {
		if err := t.finish(f, jobs); err != nil {
			return err
		}
	}
	return nil
}

const (
	holdQuery  = `SELECT id, token, key, run FROM jobs WHERE id = ? AND state = 2`
	holdsQuery = `SELECT id, token, key, run FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND +state = 2`
)

// holds returns those of the jobs that calls settle that are leased.
func (t *tx) holds(calls []*settling) (map[int64]hold, error) {
	var ids []int64
	for _, call := range calls {
		for _, s := range call.settlements {
			ids = append(ids, s.Lease.Job.ID)
		}
	}
	holds := make(map[int64]hold, len(ids))
	if len(ids) <= few {
		for _, id := range ids {
			if err := t.hold(holds, holdQuery, id); err != nil {
				return nil, err
			}
		}
		return holds, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return holds, t.hold(holds, holdsQuery, string(list))
}

func (t *tx) hold(holds map[int64]hold, query string, arg any) error {
	rows, err := t.query(query, arg)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		holds[rows.integer(0)] = hold{token: rows.integer(1), key: rows.integer(2), run: rows.integer(3)}
	}
	return rows.Err()
}

// settleOne ends a lease that holds. A job that finishes is only noted in alike.
func (t *tx) settleOne(s queue.Settlement, h hold, alike map[finish][][2]int64) error {
	if failed(s) {
		if err := t.keepAttempt(s.Lease, s.Reason, s.Class, s.Error); err != nil {
			return err
		}
	}
	var to int64
	if s.Key != "" {
		var err error
		if to, err = t.number(t.w.keys, s.Key); err != nil {
			return err
		}
	}
	t.counts.queued(h.key, stateInProgress, -1)
	if s.Verb == queue.Finish {
		f := finish{numbersOf(s.State)[0], to, s.Reason, s.Class}
		last, err := t.numbers()
		if err != nil {
			return err
		}
		last.seq++
		alike[f] = append(alike[f], [2]int64{s.Lease.Job.ID, last.seq})
		if err := t.finishDoc(s); err != nil {
			return err
		}
	} else if err := t.handBack(s, h, to); err != nil {
		return err
	}
	return t.keepRecord(s)
}

const finishDocQuery = `UPDATE docs SET last_error = ?, result = ?, progress = NULL WHERE id = ?`

// finishDoc writes what a final outcome leaves of a job's documents, unless
// there was nothing and is nothing.
func (t *tx) finishDoc(s queue.Settlement) error {
	was := s.Lease.Job
	if s.Error == was.LastError && len(s.Result)+len(was.Result)+len(was.Progress) == 0 {
		return nil
	}
	_, err := t.exec(finishDocQuery, s.Error, text(s.Result), was.ID)
	return err
}

func (t *tx) keepRecord(s queue.Settlement) error {
	const query = `
		INSERT INTO records (artifact_id, doc, updated_at) SELECT artifact_id, ?, ? FROM docs WHERE id = ?
		ON CONFLICT (artifact_id) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at`
	if len(s.Record) == 0 {
		return nil
	}
	_, err := t.exec(query, string(s.Record), t.now, s.Lease.Job.ID)
	return err
}

const (
	finishOneQuery = `
	UPDATE jobs SET state = ?, key = coalesce(?, key), reason = ?, class = ?, finish_seq = ?, owner = '', due = 0, updated_at = ?
	WHERE id = ?`
	finishQuery = `
	UPDATE OR FAIL jobs SET state = ?, key = coalesce(?, jobs.key), reason = ?, class = ?, finish_seq = j.value ->> 1,
		owner = '', due = 0, updated_at = ?
	FROM json_each(?) j WHERE jobs.id = j.value ->> 0`
)

// finish gives jobs the same final outcome.
func (t *tx) finish(f finish, jobs [][2]int64) error {
	var key any
	if f.key > 0 {
		key = f.key
	}
	t.counts.outcomes[outcome{f.state, f.reason, f.class}] += len(jobs)
	if len(jobs) <= few {
		for _, j := range jobs {
			if _, err := t.exec(finishOneQuery, f.state, key, f.reason, f.class, j[1], t.now, j[0]); err != nil {
				return err
			}
		}
		return nil
	}
	list, err := json.Marshal(jobs)
	if err == nil {
		_, err = t.exec(finishQuery, f.state, key, f.reason, f.class, t.now, string(list))
	}
	return err
}

const (
	// Advance and Release, which are no failures, leave the class and error of the
	// last failure unless they bring a class of their own.
	handBackQuery = `
	UPDATE jobs SET state = ?, attempts = max(attempts - ?, 0), due = ?, reason = ?, class = iif(?, ?, class), owner = '', updated_at = ?
	WHERE id = ?`
	handBackDocQuery = `UPDATE docs SET last_error = iif(?, ?, last_error), progress = coalesce(?, progress) WHERE id = ?`
	moveQuery        = `UPDATE jobs SET key = ?, rank = ? WHERE id = ?`
)

// handBack queues a leased job again, at the key to unless that is 0.
func (t *tx) handBack(s queue.Settlement, h hold, to int64) error {
	id, wait := s.Lease.Job.ID, millis(s.Delay)
	if to == 0 {
		to = h.key
	}
	if to == h.key {
		t.moveHeads()
	} else if err := t.move(s, share{to, h.run}, wait <= 0); err != nil {
		return err
	}
	givenBack := 1
	if s.Verb == queue.Retry {
		givenBack = 0
	}
	failed := s.Verb == queue.Retry || s.Class != ""
	if _, err := t.exec(handBackQuery, queuedState(wait), givenBack, t.now+wait, s.Reason, failed, s.Class, t.now, id); err != nil {
		return err
	}
	t.counts.queued(to, queuedState(wait), 1)
	if wait > 0 {
		t.delays(t.now + wait)
	}
	if !failed && len(s.Progress) == 0 {
		return nil
	}
	_, err := t.exec(handBackDocQuery, failed, s.Error, text(s.Progress), id)
	return err
}

// move takes a leased job to another key, where it gets a rank.
func (t *tx) move(s queue.Settlement, to share, ready bool) error {
	rank, err := t.arrive(to, s.Lease.Job.Priority, ready)
	if err != nil {
		return err
	}
	_, err = t.exec(moveQuery, to.key, rank, s.Lease.Job.ID)
	return err
}
