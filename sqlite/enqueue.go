package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
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
	s.tell(e.added)
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
		call.added = newArrivals()
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
			call.added.add(j.Key, r.id, r.wait == 0)
		}
	}
	return t.insert(rows)
}

const (
	knownQuery = `SELECT 1 FROM jobs INDEXED BY jobs_place WHERE place = ? AND artifact_id = ?`
	// Who has one of these places; nearly always it is an artifact looked for.
	takenQuery = `SELECT artifact_id FROM jobs INDEXED BY jobs_place WHERE place IN (SELECT value FROM json_each(?))`
)

// taken returns the artifacts of calls, and perhaps some others, that have a job.
func (t *tx) taken(calls []*enqueueing) (map[string]bool, error) {
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
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	return known, nil
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
	t.counts.queued(r.key, queuedState(r.wait), 1)
	if r.wait > 0 {
		t.delays(t.now + r.wait)
	}
	return r, nil
}

// insertQuery inserts so many rows. Its parameters have no numbers, because the
// driver looks for the name of each in a list of all that have one.
func insertQuery(rows int) string {
	const row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	return `INSERT INTO jobs (id, state, key, priority, rank, due, run, first_key, created_at, updated_at, place, artifact_id, payload)
		VALUES ` + row + strings.Repeat(", "+row, rows-1)
}

func (t *tx) insert(rows []row) error {
	var args []any
	now := any(t.now)
	// Rows of one INSERT: a statement costs more than a row, so long ones are
	// twice as fast.
	for _, n := range []int{64, 8, 1} {
		if len(rows) < n {
			continue
		}
		query := t.w.inserts[n]
		for ; len(rows) >= n; rows = rows[n:] {
			args = args[:0]
			for _, r := range rows[:n] {
				key := any(r.key)
				args = append(args, r.id, queuedState(r.wait), key, r.Priority, r.rank, t.now+r.wait, r.run, key,
					now, now, place(r.ArtifactID), r.ArtifactID, text(r.Payload))
			}
			if _, err := t.exec(query, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// text is a document as a column keeps it: NULL for none.
func text(doc json.RawMessage) sql.NullString {
	return sql.NullString{String: string(doc), Valid: len(doc) > 0}
}
