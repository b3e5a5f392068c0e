package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

// controlChunk bounds the transactions of Requeue, Cancel and Prune.
const controlChunk = 1000

// found is a job that matches a filter.
type found struct {
	id      int64
	state   string
	delayed bool
	key     string // where it is
	first   string // where it began
	run     string
	reason  string
	class   string

	priority int64
}

const foundColumns = `w.id, w.state::text, w.delayed, w.key, j.first_key, j.run, w.reason, w.class, w.priority`

// eachChunk has change treat the jobs that match f, of those in states, in
// transactions of at most controlChunk jobs, and returns how many there were.
// The jobs are locked. before, if any, runs first in each transaction.
func (s *Store) eachChunk(ctx context.Context, f queue.Filter, states []queue.State, before string,
	change func(ctx context.Context, t *tx, jobs []found) error,
) (sum int, err error) {
	if err := f.Check(); err != nil {
		return 0, err
	}
	if f.States = narrowed(f.States, states); len(f.States) == 0 {
		return 0, nil
	}
	f.After = max(f.After, 0)
	left := f.Limit
	for {
		f.Limit = controlChunk
		if left > 0 {
			f.Limit = min(left, controlChunk)
		}
		jobs, last, err := s.chunk(ctx, f, before, change)
		if err != nil {
			return sum, err
		}
		sum += len(jobs)
		f.Tell(sum)
		left -= len(jobs)
		if last == 0 || left == 0 {
			return sum, nil
		}
		f.After = last
	}
}

// narrowed are the states of asked, all if it is empty, that are in allowed.
func narrowed(asked, allowed []queue.State) []queue.State {
	if len(asked) == 0 {
		return allowed
	}
	return slices.DeleteFunc(slices.Clone(asked), func(s queue.State) bool { return !slices.Contains(allowed, s) })
}

// chunk treats the first jobs that match f.
//
// A job that another transaction moves just then is in neither place for the
// statement that locks: it waits for the one row to go and does not see the other
// come. So jobs are looked up first, which always finds each of them once, and
// locked until none is left that still matches.
func (s *Store) chunk(ctx context.Context, f queue.Filter, before string,
	change func(context.Context, *tx, []found) error,
) (jobs []found, last int64, err error) {
	where, args := conditions(f)
	lookQuery := fmt.Sprintf("SELECT w.id FROM quire.work w JOIN quire.jobs j ON j.id = w.id WHERE %s ORDER BY w.id LIMIT %d", where, f.Limit)
	within := where + fmt.Sprintf(" AND w.id = ANY ($%d::bigint[])", len(args)+1)
	againQuery := "SELECT w.id FROM quire.work w JOIN quire.jobs j ON j.id = w.id WHERE " + within
	lockQuery := "SELECT " + foundColumns + " FROM quire.work w JOIN quire.jobs j ON j.id = w.id WHERE " + within + " ORDER BY w.id FOR UPDATE OF w"
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		var left []int64
		jobs, last = nil, 0
		look := func(query string, args ...any) error {
			left = nil
			t.queue(query, func(rows pgx.Rows) error {
				var id int64
				err := rows.Scan(&id)
				left = append(left, id)
				return err
			}, args...)
			return t.flush(ctx)
		}
		if before != "" {
			t.queue(before, nil)
		}
		if err := look(lookQuery, args...); err != nil || len(left) == 0 {
			return err
		}
		for last = left[len(left)-1]; len(left) > 0; {
			locked := make(map[int64]bool)
			t.queue(lockQuery, func(rows pgx.Rows) error {
				var j found
				err := rows.Scan(&j.id, &j.state, &j.delayed, &j.key, &j.first, &j.run, &j.reason, &j.class, &j.priority)
				jobs, locked[j.id] = append(jobs, j), true
				return err
			}, append(slices.Clone(args), left)...)
			if err := t.flush(ctx); err != nil {
				return err
			}
			left = slices.DeleteFunc(left, func(id int64) bool { return locked[id] })
			if len(left) == 0 {
				break
			}
			if err := look(againQuery, append(slices.Clone(args), left)...); err != nil {
				return err
			}
		}
		if len(jobs) == 0 {
			return nil
		}
		slices.SortFunc(jobs, func(a, b found) int { return cmp.Compare(a.id, b.id) })
		return change(ctx, t, jobs)
	})
	return jobs, last, err
}

// Requeue implements [queue.Controller].
func (s *Store) Requeue(ctx context.Context, f queue.Filter) (int, error) {
	const query = `
		UPDATE quire.work w SET state = 'queued', key = q.key, rank = q.rank, attempts = 0, available_at = now, delayed = false,
			progress = NULL, result = NULL, reason = '', class = '', last_error = '', updated_at = now
		FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS q(id, key, rank), (SELECT clock_timestamp() AS now OFFSET 0) AS clock
		WHERE w.id = q.id`
	n, err := s.eachChunk(ctx, f, []queue.State{queue.Done, queue.Skipped, queue.Error}, "",
		func(ctx context.Context, t *tx, jobs []found) error {
			var arriving []arrival
			for _, j := range jobs {
				arriving = append(arriving, arrival{share{j.first, j.run}, j.priority})
			}
			r, moved := newRanks(), make(moves)
			t.promote(promoteLease)
			r.know(t, arriving)
			if err := t.flush(ctx); err != nil {
				return err
			}
			ids, keys, given := make([]int64, len(jobs)), make([]string, len(jobs)), make([]int64, len(jobs))
			for i, j := range jobs {
				ids[i], keys[i], given[i] = j.id, j.first, r.arrive(arriving[i], true)
				moved.add(j.first, false, 1)
			}
			t.queue(query, nil, ids, keys, given)
			uncount(t, jobs)
			moved.keep(t)
			r.keep(t)
			return nil
		})
	if n > 0 {
		s.tell(nil)
	}
	if err != nil {
		return n, fmt.Errorf("requeue jobs: %w", err)
	}
	return n, nil
}

// Cancel implements [queue.Controller].
func (s *Store) Cancel(ctx context.Context, f queue.Filter) (int, error) {
	const query = `
		WITH cancelled AS (
			UPDATE quire.work w SET state = 'skipped', reason = $2::text, class = '', progress = NULL, result = NULL, delayed = false,
				lease_expires_at = NULL, leased_at = NULL, owner = NULL, finish_seq = nextval('quire.finish_seq'), updated_at = now
			FROM (SELECT * FROM unnest($1::bigint[]) ORDER BY 1) AS c(id), (SELECT clock_timestamp() AS now OFFSET 0) AS clock
			WHERE w.id = c.id RETURNING w.state
		)
		INSERT INTO quire.ended (state, reason, class, n) SELECT state, $2::text, '', count(*) FROM cancelled GROUP BY state`
	n, err := s.eachChunk(ctx, f, []queue.State{queue.Queued, queue.InProgress}, lockFinish,
		func(_ context.Context, t *tx, jobs []found) error {
			moved, ids := make(moves), make([]int64, len(jobs))
			for i, j := range jobs {
				ids[i] = j.id
				if j.state == string(queue.Queued) {
					moved.add(j.key, j.delayed, -1)
				}
			}
			t.queue(query, nil, ids, queue.ReasonCancelled)
			moved.keep(t)
			return nil
		})
	if n > 0 {
		s.tell(nil)
	}
	if err != nil {
		return n, fmt.Errorf("cancel jobs: %w", err)
	}
	return n, nil
}

// Prune implements [queue.Controller].
func (s *Store) Prune(ctx context.Context, f queue.Filter) (int, error) {
	n, err := s.eachChunk(ctx, f, []queue.State{queue.Done, queue.Skipped, queue.Error}, "",
		func(_ context.Context, t *tx, jobs []found) error {
			ids := make([]int64, len(jobs))
			for i, j := range jobs {
				ids[i] = j.id
			}
			t.queue(`DELETE FROM quire.attempts WHERE job = ANY ($1::bigint[])`, nil, ids)
			t.queue(`DELETE FROM quire.work WHERE id = ANY ($1::bigint[])`, nil, ids)
			t.queue(`DELETE FROM quire.jobs WHERE id = ANY ($1::bigint[])`, nil, ids)
			uncount(t, jobs)
			return nil
		})
	if err != nil {
		return n, fmt.Errorf("prune jobs: %w", err)
	}
	return n, nil
}

// uncount takes terminal jobs out of the counts, at the next flush.
func uncount(t *tx, jobs []found) {
	const query = `
	INSERT INTO quire.ended (state, reason, class, n)
	SELECT e.state::quire.state, e.reason, e.class, -count(*) FROM unnest($1::text[], $2::text[], $3::text[]) AS e(state, reason, class)
	GROUP BY e.state, e.reason, e.class`
	states, reasons, classes := make([]string, len(jobs)), make([]string, len(jobs)), make([]string, len(jobs))
	for i, j := range jobs {
		states[i], reasons[i], classes[i] = j.state, j.reason, j.class
	}
	t.queue(query, nil, states, reasons, classes)
}

// Pause implements [queue.Controller].
func (s *Store) Pause(ctx context.Context, key string) error {
	return s.setPaused(ctx, "pause", `INSERT INTO quire.pauses (key) VALUES ($1::text) ON CONFLICT (key) DO NOTHING`, key)
}

// Resume implements [queue.Controller].
func (s *Store) Resume(ctx context.Context, key string) error {
	return s.setPaused(ctx, "resume", `DELETE FROM quire.pauses WHERE key = $1::text`, key)
}

func (s *Store) setPaused(ctx context.Context, what, query, key string) error {
	err := queue.CheckText("key", key, 0, queue.MaxKey)
	if err == nil {
		err = s.write(ctx, func(_ context.Context, t *tx) error {
			t.queue(query, nil, key)
			return nil
		})
	}
	if err != nil {
		if key == "" {
			key = "the queue"
		}
		return fmt.Errorf("%s %s: %w", what, key, err)
	}
	s.tell(nil)
	return nil
}
