package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/quire-dev/quire/queue"
)

// Enqueue implements [queue.Store].
func (s *Store) Enqueue(ctx context.Context, jobs []queue.NewJob) (queue.Enqueued, error) {
	for i, j := range jobs {
		if err := j.Check(); err != nil {
			return queue.Enqueued{}, fmt.Errorf("enqueue: job %d of %d: %w", i+1, len(jobs), err)
		}
	}
	if len(jobs) == 0 {
		return queue.Enqueued{}, nil
	}
	e := &enqueueing{jobs: jobs}
	if err := s.w.do(ctx, op{enqueue: e}); err != nil {
		return queue.Enqueued{}, fmt.Errorf("enqueue: %w", err)
	}
	if e.added.rows > 0 {
		s.wake(e.added) // the syncer rings, once for many calls
	}
	return queue.Enqueued{Added: e.added.rows, Known: len(jobs) - e.added.rows}, nil
}

// enqueueing is a call of Enqueue.
type enqueueing struct {
	jobs  []queue.NewJob
	added *arrivals
}

// enqueue adds the jobs of many calls, in their order.
func (t *tx) enqueue(calls []*enqueueing) error {
	known, err := t.taken(calls)
	if err != nil {
		return err
	}
	last, err := t.numbers()
	if err != nil {
		return err
	}
	var rows []row
	for _, call := range calls {
		call.added = new(arrivals)
		for _, j := range call.jobs {
			if known[j.ArtifactID] {
				continue
			}
			known[j.ArtifactID] = true
			r, err := t.row(j, last.id+1)
			if err != nil {
				return err
			}
			last.id++
			rows = append(rows, r)
			call.added.add(j.Key, r.wait == 0)
		}
	}
	return t.insert(rows)
}

const (
	knownQuery = `SELECT id FROM docs INDEXED BY docs_place WHERE place = ? AND artifact_id = ?`
	// Who has one of these places; nearly always it is an artifact looked for.
	takenQuery = `SELECT artifact_id FROM docs INDEXED BY docs_place WHERE place IN (SELECT value FROM json_each(?))`
)

// few is a number of jobs up to which a statement for each costs less than one
// that reads them from a JSON array, which takes as long to begin as five others.
const few = 5

// taken returns the artifacts of calls, and perhaps some others, that have a job.
func (t *tx) taken(calls []*enqueueing) (known map[string]bool, err error) {
	known = make(map[string]bool)
	if len(calls) == 1 && len(calls[0].jobs) <= few {
		return known, t.takenEach(known, calls[0].jobs)
	}
	list := []byte{'['}
	for _, call := range calls {
		for _, j := range call.jobs {
			if len(list) > 1 {
				list = append(list, ',')
			}
			list = strconv.AppendInt(list, place(j.ArtifactID), 10)
		}
	}
	ids, err := t.texts(takenQuery, string(append(list, ']')))
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		known[id] = true
	}
	return known, nil
}

func (t *tx) takenEach(known map[string]bool, jobs []queue.NewJob) error {
	for _, j := range jobs {
		found, err := t.integerOr(0, knownQuery, place(j.ArtifactID), j.ArtifactID)
		if err != nil {
			return err
		}
		if found > 0 {
			known[j.ArtifactID] = true
		}
	}
	return nil
}

// row is a new job as its columns have it.
type row struct {
	id, key, run, rank, wait int64
	queue.NewJob
}

func (t *tx) row(j queue.NewJob, id int64) (r row, err error) {
	r = row{id: id, wait: millis(j.Delay), NewJob: j}
	if r.key, err = t.number(t.w.keys, j.Key); err != nil {
		return r, err
	}
	if r.run, err = t.number(t.w.runs, j.Run); err != nil {
		return r, err
	}
	if r.rank, err = t.arrive(share{r.key, r.run}, j.Priority, r.wait == 0); err != nil {
		return r, err
	}
	t.counts.add(1, r.key, queuedState(r.wait), t.now+r.wait)
	if r.wait > 0 {
		t.delays(t.now + r.wait)
	}
	return r, nil
}

// inserts are the statements that insert so many rows: one costs more than a
// row, so long ones are twice as fast. OR FAIL spares SQLite a journal of its own
// for the statement: one that fails takes its transaction with it. Parameters
// have no numbers, because the driver looks for the name of each in a list of all
// that have one. SQLite gives out the ids, which spares it to look for each.
type inserts struct {
	rows       int
	jobs, docs string
}

func newInserts(rows int) inserts {
	const job, doc = "(?, ?, ?, ?, ?, ?, ?)", "(?, ?, ?, ?)"
	return inserts{
		rows: rows,
		jobs: `INSERT OR FAIL INTO jobs (state, key, priority, rank, due, run, updated_at) VALUES ` + job + strings.Repeat(", "+job, rows-1),
		docs: `INSERT OR FAIL INTO docs (place, created_at, artifact_id, payload) VALUES ` + doc + strings.Repeat(", "+doc, rows-1),
	}
}

func (t *tx) insert(rows []row) error {
	if len(rows) > 0 && t.w.memory.last.gap {
		return t.insertAfter(rows[0].id-1, rows)
	}
	now := any(t.now)
	var jobs, docs []any
	for _, in := range t.w.inserts {
		for ; len(rows) >= in.rows; rows = rows[in.rows:] {
			jobs, docs = jobs[:0], docs[:0]
			for _, r := range rows[:in.rows] {
				jobs = append(jobs, queuedState(r.wait), r.key, r.Priority, r.rank, t.now+r.wait, r.run, now)
				docs = append(docs, place(r.ArtifactID), now, r.ArtifactID, text(r.Payload))
			}
			last := rows[in.rows-1].id
			if err := errors.Join(t.insertTo(last, in.jobs, jobs), t.insertTo(last, in.docs, docs)); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertTo runs an INSERT whose last row must get the number last.
func (t *tx) insertTo(last int64, query string, args []any) error {
	stmt, err := t.w.stmt(query)
	if err != nil {
		return err
	}
	res, err := stmt.ExecContext(context.Background(), t.w.arguments(args))
	if err != nil {
		return err
	}
	if got, err := res.LastInsertId(); got != last || err != nil {
		return errors.Join(fmt.Errorf("%w: a job got number %d, not %d", queue.ErrDamaged, got, last), err)
	}
	return nil
}

// insertAfter inserts rows whose first is numbered after one that was pruned. SQLite
// counts up from the greatest number there is, so for a moment there is that one.
func (t *tx) insertAfter(pruned int64, rows []row) error {
	for _, query := range []string{
		`INSERT INTO jobs (id, state, key, priority, rank, due, run, updated_at) VALUES (?, 3, 0, 0, 0, 0, 0, 0)`,
		`INSERT INTO docs (id, place, created_at, artifact_id) VALUES (?, 0, 0, '')`,
	} {
		if _, err := t.exec(query, pruned); err != nil {
			return err
		}
	}
	t.w.memory.last.gap = false
	if err := t.insert(rows); err != nil {
		return err
	}
	for _, query := range []string{`DELETE FROM jobs WHERE id = ?`, `DELETE FROM docs WHERE id = ?`} {
		if _, err := t.exec(query, pruned); err != nil {
			return err
		}
	}
	return nil
}
