package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/quire-dev/quire/queue"
)

// controlChunk bounds the transactions of Requeue, Cancel and Prune.
const controlChunk = 1000

// eachChunk has change treat the jobs that match f, of those in states, in
// transactions of at most controlChunk jobs, and returns how many there were.
func (s *Store) eachChunk(ctx context.Context, f queue.Filter, states []queue.State,
	change func(*tx, []found) error,
) (sum int, err error) {
	if f.States = narrowed(f.States, states); len(f.States) == 0 {
		return 0, f.Check()
	}
	left := f.Limit
	for {
		f.Limit = controlChunk
		if left > 0 {
			f.Limit = min(left, controlChunk)
		}
		query, args, err := selectJobs(f, "jobs.id, key, coalesce(first_key, key), run, priority, state, due, reason, class", "jobs.id")
		if err != nil {
			return sum, err
		}
		rows, err := write(ctx, s.w, func(t *tx) ([]found, error) {
			rows, err := t.rows(query, args...)
			if len(rows) == 0 || err != nil {
				return nil, err
			}
			return rows, change(t, rows)
		})
		if err != nil {
			return sum, err
		}
		sum += len(rows)
		f.Tell(sum)
		left -= len(rows)
		if len(rows) < f.Limit || left == 0 {
			return sum, nil
		}
		f.After = rows[len(rows)-1].id
	}
}

// narrowed are the states of asked, all if it is empty, that are in allowed.
func narrowed(asked, allowed []queue.State) []queue.State {
	if len(asked) == 0 {
		return allowed
	}
	return slices.DeleteFunc(slices.Clone(asked), func(s queue.State) bool {
		return slices.Contains(queue.States(), s) && !slices.Contains(allowed, s)
	})
}

// found is a job as eachChunk selects it.
type found struct {
	id, key, first, run, due int64
	priority, state          int
	outcome                  outcome // of a terminal one
}

func (t *tx) rows(query string, args ...any) (all []found, err error) {
	rows, err := t.w.conn.QueryContext(context.Background(), query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f found
		if err := rows.Scan(&f.id, &f.key, &f.first, &f.run, &f.priority, &f.state, &f.due, &f.outcome.reason, &f.outcome.class); err != nil {
			return nil, err
		}
		f.outcome.state = f.state
		all = append(all, f)
	}
	return all, rows.Err()
}

// Requeue implements [queue.Controller].
func (s *Store) Requeue(ctx context.Context, f queue.Filter) (int, error) {
	const query = `
		UPDATE jobs SET state = 0, key = coalesce(first_key, key), rank = ?, attempts = 0, due = ?, reason = '', class = '', updated_at = ?
		WHERE id = ?`
	var came *arrivals
	n, err := s.eachChunk(ctx, f, []queue.State{queue.Done, queue.Skipped, queue.Error}, func(t *tx, rows []found) error {
		came = new(arrivals)
		for _, r := range rows {
			rank, err := t.arrive(share{r.first, r.run}, r.priority, true)
			if err != nil {
				return err
			}
			key, err := t.nameOf(t.w.keys, r.first)
			if err != nil {
				return err
			}
			came.add(key, true)
			t.counts.outcomes[r.outcome]--
			t.counts.add(1, r.first, stateReady, t.now)
			if _, err := t.exec(query, rank, t.now, t.now, r.id); err != nil {
				return err
			}
			if err := t.clearDoc(r.id); err != nil {
				return err
			}
		}
		return nil
	})
	if n > controlChunk {
		came = changed() // what came in the chunks before is not in there
	}
	if n > 0 {
		s.tell(came)
	}
	if err != nil {
		return n, fmt.Errorf("requeue jobs: %w", err)
	}
	return n, nil
}

// clearDoc forgets what the attempts of a job have left.
func (t *tx) clearDoc(id int64) error {
	_, err := t.exec(`UPDATE docs SET last_error = '', result = NULL, progress = NULL WHERE id = ?`, id)
	return err
}

// Cancel implements [queue.Controller].
func (s *Store) Cancel(ctx context.Context, f queue.Filter) (int, error) {
	const query = `
		UPDATE jobs SET state = 4, reason = ?, class = '', finish_seq = ?, owner = '', due = 0, updated_at = ?
		WHERE id = ?`
	n, err := s.eachChunk(ctx, f, []queue.State{queue.Queued, queue.InProgress}, func(t *tx, rows []found) error {
		last, err := t.numbers()
		if err != nil {
			return err
		}
		t.moveHeads()
		for _, r := range rows {
			last.seq++
			t.counts.add(-1, r.key, r.state, r.due)
			t.counts.outcomes[outcome{stateSkipped, queue.ReasonCancelled, ""}]++
			if _, err := t.exec(query, queue.ReasonCancelled, last.seq, t.now, r.id); err != nil {
				return err
			}
			if err := t.clearDoc(r.id); err != nil {
				return err
			}
		}
		return nil
	})
	if n > 0 {
		s.tell(changed())
	}
	if err != nil {
		return n, fmt.Errorf("cancel jobs: %w", err)
	}
	return n, nil
}

// Prune implements [queue.Controller].
func (s *Store) Prune(ctx context.Context, f queue.Filter) (int, error) {
	n, err := s.eachChunk(ctx, f, []queue.State{queue.Done, queue.Skipped, queue.Error}, func(t *tx, rows []found) error {
		last, err := t.numbers()
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE floors SET job = ?, finish_seq = ?`, last.id, last.seq); err != nil {
			return err
		}
		t.w.memory.last = nil // there may be a gap now
		for _, r := range rows {
			t.counts.outcomes[r.outcome]--
			for _, query := range []string{
				`DELETE FROM attempts WHERE job = ?`, `DELETE FROM docs WHERE id = ?`, `DELETE FROM jobs WHERE id = ?`,
			} {
				if _, err := t.exec(query, r.id); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil && n > 0 {
		err = s.forgetShares(ctx)
	}
	if err != nil {
		return n, fmt.Errorf("prune jobs: %w", err)
	}
	return n, nil
}

// forgetShares drops the shares that no rank depends on: at keys where no job
// is left, those below what was served there.
func (s *Store) forgetShares(ctx context.Context) error {
	const query = `
		DELETE FROM shares WHERE rank < (
			SELECT served FROM keys WHERE id = shares.key AND ready = 0 AND delayed = 0 AND in_flight = 0)`
	_, err := write(ctx, s.w, func(t *tx) (int, error) {
		// What the operations before have changed in this transaction counts.
		if err := errors.Join(t.keepShares(), t.keepCounts()); err != nil {
			return 0, err
		}
		clear(t.w.memory.shares)
		return t.exec(query)
	})
	return err
}

// Pause implements [queue.Controller].
func (s *Store) Pause(ctx context.Context, key string) error {
	const query = `INSERT INTO keys (name, paused) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET paused = 1`
	return s.setPaused(ctx, "pause", query, key)
}

// Resume implements [queue.Controller].
func (s *Store) Resume(ctx context.Context, key string) error {
	return s.setPaused(ctx, "resume", `UPDATE keys SET paused = 0 WHERE name = ?`, key)
}

func (s *Store) setPaused(ctx context.Context, what, query, key string) error {
	err := queue.CheckText("key", key, 0, queue.MaxKey)
	if err == nil {
		_, err = write(ctx, s.w, func(t *tx) (int, error) { return t.exec(query, key) })
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, orQueue(key), err)
	}
	s.tell(changed())
	return nil
}

func orQueue(key string) string {
	if key == "" {
		return "the queue"
	}
	return key
}
