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
	added, err := write(ctx, s.w, func(t *tx) (*arrivals, error) { return t.enqueue(jobs) })
	if err != nil {
		return queue.Enqueued{}, fmt.Errorf("enqueue: %w", err)
	}
	s.tell(added)
	return queue.Enqueued{Added: added.rows, Known: len(jobs) - added.rows}, nil
}

func (t *tx) enqueue(jobs []queue.NewJob) (*arrivals, error) {
	fresh, err := t.unknown(jobs)
	added := newArrivals()
	if len(fresh) == 0 || err != nil {
		return added, err
	}
	last, err := t.numbers()
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(fresh))
	for i, j := range fresh {
		if rows[i], err = t.row(j); err != nil {
			return nil, err
		}
		last.id++
		rows[i].id = last.id
		t.counts.queued(rows[i].key, queuedState(millis(j.Delay)), 1)
		added.add(j.Key, rows[i].id, j.Delay <= 0)
	}
	return added, t.insert(rows)
}

const (
	knownQuery = `SELECT 1 FROM jobs INDEXED BY jobs_place WHERE place = ? AND artifact_id = ?`
	// Places that are taken; nearly all of them by the artifact looked for.
	takenQuery = `SELECT artifact_id FROM jobs INDEXED BY jobs_place WHERE place IN (SELECT value FROM json_each(?))`
)

// unknown returns the jobs whose artifact has none yet, each artifact once.
func (t *tx) unknown(jobs []queue.NewJob) ([]queue.NewJob, error) {
	if len(jobs) == 1 {
		known, err := t.integerOr(0, knownQuery, place(jobs[0].ArtifactID), jobs[0].ArtifactID)
		if known > 0 || err != nil {
			return nil, err
		}
		return jobs, nil
	}
	list := []byte{'['}
	for i, j := range jobs {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, place(j.ArtifactID), 10)
	}
	known, err := t.texts(takenQuery, string(append(list, ']')))
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(jobs)+len(known))
	for _, id := range known {
		seen[id] = true
	}
	fresh := make([]queue.NewJob, 0, len(jobs))
	for _, j := range jobs {
		if !seen[j.ArtifactID] {
			seen[j.ArtifactID] = true
			fresh = append(fresh, j)
		}
	}
	return fresh, nil
}

// row is a new job as its columns have it.
type row struct {
	id, key, run, rank int64
	queue.NewJob
}

func (t *tx) row(j queue.NewJob) (r row, err error) {
	r.NewJob = j
	if r.key, err = t.number(t.w.keys, j.Key); err != nil {
		return r, err
	}
	if r.run, err = t.number(t.w.runs, j.Run); err != nil {
		return r, err
	}
	r.rank, err = t.arrive(share{r.key, r.run}, j.Priority, j.Delay <= 0)
	return r, err
}

// insertQuery inserts so many rows. Parameter 1 is the time now.
func insertQuery(rows int) string {
	const columns = 9
	var q strings.Builder
	q.WriteString(`INSERT INTO jobs (id, state, key, priority, rank, due, run, first_key, created_at, updated_at, place, artifact_id, payload) VALUES `)
	for r := range rows {
		if r > 0 {
			q.WriteString(", ")
		}
		p := 2 + r*columns
		fmt.Fprintf(&q, "(?%d, ?%d > ?1, ?%d, ?%d, ?%d, ?%d, ?%d, ?%d, ?1, ?1, ?%d, ?%d, ?%d)",
			p, p+4, p+1, p+2, p+3, p+4, p+5, p+1, p+6, p+7, p+8)
	}
	return q.String()
}

func (t *tx) insert(rows []row) error {
	var args []any
	// Rows of one INSERT: a statement costs more than a row, so long ones are
	// twice as fast.
	for _, n := range []int{64, 8, 1} {
		if len(rows) < n {
			continue
		}
		query := t.w.inserts[n]
		for ; len(rows) >= n; rows = rows[n:] {
			args = append(args[:0], t.now)
			for _, r := range rows[:n] {
				args = append(args, r.id, r.key, r.Priority, r.rank, t.now+millis(r.Delay), r.run,
					place(r.ArtifactID), r.ArtifactID, text(r.Payload))
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
