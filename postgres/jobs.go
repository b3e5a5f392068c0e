package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// insertChunk bounds the rows of one statement.
const insertChunk = 2000

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
	if s.readOnly {
		return queue.Enqueued{}, fmt.Errorf("enqueue: %w", errReadOnly)
	}
	did, err := s.enqueues.do(ctx, jobs)
	if err != nil {
		return queue.Enqueued{}, fmt.Errorf("enqueue: %w", err)
	}
	return did, nil
}

// An addition is a job that several calls may want to add.
type addition struct {
	queue.NewJob
	call int   // of the first call with it
	id   int64 // 0 if it was known
}

// enqueue adds the jobs of several calls.
func (s *Store) enqueue(ctx context.Context, calls [][]queue.NewJob) ([]queue.Enqueued, error) {
	var all []addition
	place := make(map[string]int)
	for c, jobs := range calls {
		for _, j := range jobs {
			if _, known := place[j.ArtifactID]; !known {
				place[j.ArtifactID] = len(all)
				all = append(all, addition{NewJob: j, call: c})
			}
		}
	}
	var came arrivals
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		r := newRanks()
		t.promote(promoteLease)
		var arriving []arrival
		for i := range all {
			all[i].id = 0
			arriving = append(arriving, all[i].arrival())
		}
		r.know(t, arriving)
		for part := all; len(part) > 0; part = part[min(len(part), insertChunk):] {
			t.insert(part[:min(len(part), insertChunk)], func(artifact string, id int64) { all[place[artifact]].id = id })
		}
		if err := t.flush(ctx); err != nil {
			return err
		}
		came = t.place(all, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	did := make([]queue.Enqueued, len(calls))
	for _, a := range all {
		if a.id != 0 {
			did[a.call].Added++
		}
	}
	for c, jobs := range calls {
		did[c].Known = len(jobs) - did[c].Added
	}
	s.tell(came)
	_ = s.compact(ctx) // who adds a million jobs need not leave it to others; they are added anyway
	return did, nil
}

func (a addition) arrival() arrival {
	return arrival{share{a.Key, a.Run}, int64(a.Priority)}
}

// insert adds jobs that are new, at the next flush, and calls added for each.
func (t *tx) insert(jobs []addition, added func(artifact string, id int64)) {
	const query = `
	INSERT INTO quire.jobs (artifact_id, first_key, run, payload, created_at)
	SELECT j.artifact_id, j.key, j.run, j.payload, (SELECT clock_timestamp())
	FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS j(artifact_id, key, run, payload)
	ON CONFLICT (artifact_id) DO NOTHING RETURNING artifact_id, id`
	n := len(jobs)
	ids, keys, runs, payloads := make([]string, n), make([]string, n), make([]string, n), make([][]byte, n)
	for i, j := range jobs {
		ids[i], keys[i], runs[i], payloads[i] = j.ArtifactID, j.Key, j.Run, document(j.Payload)
	}
	t.queue(query, func(rows pgx.Rows) error {
		var artifact string
		var id int64
		err := rows.Scan(&artifact, &id)
		added(artifact, id)
		return err
	}, ids, keys, runs, payloads)
}

// place puts new jobs in line at their keys, at the next flush.
func (t *tx) place(all []addition, r *ranks) arrivals {
	const query = `
	INSERT INTO quire.queued (id, state, key, priority, rank, delayed, available_at, updated_at)
	SELECT j.id, 'queued', j.key, j.priority, j.rank, j.wait > 0, now + j.wait * interval '1 microsecond', now
	FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS j(id, key, priority, rank, wait),
		(SELECT clock_timestamp() AS now OFFSET 0) AS clock`
	came, moved := make(arrivals), make(moves)
	var ids, priorities, rank, waits []int64
	var keys []string
	for i, j := range all {
		if j.id != 0 {
			wait := micros(j.Delay)
			ids, keys, priorities = append(ids, j.id), append(keys, j.Key), append(priorities, int64(j.Priority))
			rank, waits = append(rank, r.arrive(j.arrival(), wait == 0)), append(waits, wait)
			moved.add(j.Key, wait > 0, 1)
			if wait == 0 {
				came.add(j.Key, 1)
			}
		}
		if len(ids) == insertChunk || i == len(all)-1 && len(ids) > 0 {
			t.queue(query, nil, ids, keys, priorities, rank, waits)
			ids, keys, priorities, rank, waits = nil, nil, nil, nil, nil
		}
	}
	moved.keep(t)
	r.keep(t)
	return came
}

// micros is d in microseconds, rounded up so that nothing comes too early;
// 0 if d is negative.
func micros(d time.Duration) int64 {
	n := d / time.Microsecond
	if d%time.Microsecond > 0 {
		n++
	}
	return int64(max(n, 0))
}

// document is a document as a column keeps it: NULL for none.
func document(doc json.RawMessage) []byte {
	if len(doc) == 0 {
		return nil
	}
	return doc
}
