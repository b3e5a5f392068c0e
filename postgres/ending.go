package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// standing is where a leased job stands, looked up under a lock.
type standing struct {
	held bool
	arrival
	rank     int64
	attempts int
	owner    string
	leased   time.Time
}

// What the rank at the key to which the job goes depends on is read along.
const standingQuery = `
	SELECT s.n, w.key, j.run, w.priority, w.rank, w.attempts, w.owner, w.leased_at,
		(SELECT h.rank FROM quire.shares h WHERE h.key = s.key AND h.run = j.run),
		(SELECT h.rank FROM quire.queued h WHERE h.key = s.key AND h.priority = w.priority
			AND NOT h.delayed ORDER BY h.rank, h.id LIMIT 1),
		(SELECT h.rank FROM quire.served h WHERE h.key = s.key)
	FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[]) WITH ORDINALITY ORDER BY 1) AS s(id, token, key, n)
	JOIN quire.leased w ON w.id = s.id AND w.token = s.token JOIN quire.jobs j ON j.id = w.id
	FOR UPDATE OF w`

// look fills rows, at the next flush, with where the jobs of endings stand.
func (t *tx) look(endings []*ending, rows []standing, r *ranks) {
	ids, tokens, keys := make([]int64, len(endings)), make([]int64, len(endings)), make([]*string, len(endings))
	for i, e := range endings {
		ids[i], tokens[i], keys[i] = e.Lease.Job.ID, e.Lease.Token, optional(e.Key)
	}
	t.queue(standingQuery, func(found pgx.Rows) error {
		var n int64
		st := standing{held: true}
		var last, head, served *int64
		err := found.Scan(&n, &st.key, &st.run, &st.priority, &st.rank, &st.attempts, &st.owner, &st.leased, &last, &head, &served)
		if err != nil {
			return err
		}
		rows[n-1] = st
		if to := keys[n-1]; to != nil {
			r.found(arrival{share{*to, st.run}, st.priority}, last, head, served)
		}
		return nil
	}, ids, tokens, keys)
}

// apply gives an ending the rank at the key where its job arrives, and keeps the
// attempt that it ends if that failed.
func (st standing) apply(e *ending, r *ranks, kept *attempts) {
	if !st.held {
		return
	}
	if failed(e.Settlement) {
		kept.add(e.Lease.Job.ID, queue.Attempt{
			Number: st.attempts, Token: e.Lease.Token, Key: st.key, Owner: st.owner,
			Reason: e.Reason, Class: e.Class, Error: e.Error, Started: st.leased,
		})
	}
	ready := micros(e.Delay) == 0
	switch {
	case final(e.Settlement):
	case e.Key != "" && e.Key != st.key:
		rank := r.arrive(arrival{share{e.Key, st.run}, st.priority}, ready)
		e.rank = &rank
	case ready:
		r.stay(line{st.key, st.priority}, st.rank)
	}
}

// That a lease holds is decided by the statement that takes its row away. Rows are
// locked in the order of their ids, as everywhere, and numbered in that of the
// settlements.
const endQuery = `
	WITH gone AS (
		DELETE FROM quire.leased w
		USING (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::integer[], $7::bigint[],
			$8::text[], $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::bytea[]) WITH ORDINALITY ORDER BY 1)
			AS s(id, token, state, key, rank, back, wait, reason, class, error, progress, result, record, n),
			(SELECT clock_timestamp() AS now OFFSET 0) AS clock
		WHERE w.id = s.id AND w.token = s.token
		RETURNING w.id, w.token, w.priority, coalesce(s.rank, w.rank) AS rank, now + s.wait * interval '1 microsecond' AS available_at,
			now AS updated_at, w.finish_seq, greatest(w.attempts - s.back, 0) AS attempts, s.state::quire.state AS state,
			s.wait > 0 AS delayed, coalesce(s.key, w.key) AS key, s.reason, coalesce(s.class, w.class) AS class,
			coalesce(s.error, w.last_error) AS last_error, coalesce(s.progress, w.progress) AS progress,
			s.result AS new_result, w.result, s.record, s.n
	), back AS (
		INSERT INTO quire.queued (id, token, priority, rank, available_at, updated_at, finish_seq, attempts, state, delayed,
			key, reason, class, last_error, progress, result)
		SELECT id, token, priority, rank, available_at, updated_at, finish_seq, attempts, state, delayed,
			key, reason, class, last_error, progress, result
		FROM gone WHERE state = 'queued'
	), counted AS (
		INSERT INTO quire.waiting (key, ready, delayed)
		SELECT key, count(*) FILTER (WHERE NOT delayed), count(*) FILTER (WHERE delayed) FROM gone WHERE state = 'queued' GROUP BY key
	), final AS (
		INSERT INTO quire.finished (id, token, priority, rank, available_at, updated_at, finish_seq, attempts, state,
			key, reason, class, last_error, result)
		SELECT id, token, priority, rank, available_at, updated_at, nextval('quire.finish_seq'), attempts, state,
			key, reason, class, last_error, new_result
		FROM (SELECT * FROM gone WHERE state <> 'queued' ORDER BY n) AS g
	), tallied AS (
		INSERT INTO quire.ended (state, reason, class, n)
		SELECT state, reason, class, count(*) FROM gone WHERE state <> 'queued' GROUP BY state, reason, class
	), noted AS (
		INSERT INTO quire.records (artifact_id, doc, updated_at)
		SELECT j.artifact_id, g.record, g.updated_at FROM gone g JOIN quire.jobs j ON j.id = g.id WHERE g.record IS NOT NULL
		ON CONFLICT (artifact_id) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at
	)
	SELECT id, token, CASE WHEN state = 'queued' AND NOT delayed THEN key END FROM gone`

// end ends leases at the next flush, which marks those that held and tells what
// came back.
func (t *tx) end(all []*ending) arrivals {
	n := len(all)
	ids, tokens, ranks, waits := make([]int64, n), make([]int64, n), make([]*int64, n), make([]int64, n)
	states, reasons, back := make([]string, n), make([]string, n), make([]int32, n)
	keys, classes, errs := make([]*string, n), make([]*string, n), make([]*string, n)
	progress, results, records := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	place := make(map[held]*ending, n)
	for i, e := range all {
		place[held{e.Lease.Job.ID, e.Lease.Token}] = e
		ids[i], tokens[i], ranks[i], keys[i], reasons[i] = e.Lease.Job.ID, e.Lease.Token, e.rank, optional(e.Key), e.Reason
		progress[i], records[i] = document(e.Progress), document(e.Record)
		states[i] = string(queue.Queued)
		if final(e.Settlement) {
			states[i], results[i] = string(e.State), document(e.Result)
		} else {
			waits[i] = micros(e.Delay)
		}
		if e.Verb == queue.Advance || e.Verb == queue.Release {
			back[i] = 1
		}
		// Advance and Release, which are no failures, leave the class and error of
		// the last failure unless they bring a class of their own.
		if final(e.Settlement) || failed(e.Settlement) {
			classes[i], errs[i] = &e.Class, &e.Error
		}
	}
	came := make(arrivals)
	t.queue(endQuery, func(rows pgx.Rows) error {
		var h held
		var key *string
		err := rows.Scan(&h.id, &h.token, &key)
		if e := place[h]; e != nil {
			e.held = true
		}
		if key != nil {
			came.add(*key, 1)
		}
		return err
	}, ids, tokens, states, keys, ranks, back, waits, reasons, classes, errs, progress, results, records)
	return came
}

// optional is text as a column keeps it: NULL if it is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
