package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/gofrs/flock"

	"github.com/quire-dev/quire/queue"
)

// mostFaults is how many faults of a damaged database are told: what to do about
// it is the same for any number.
const mostFaults = 5

// Examine implements [queue.Examiner] with SQLite's own checks,
// https://www.sqlite.org/pragma.html#pragma_integrity_check.
func (s *Store) Examine(ctx context.Context, deep bool) (queue.Examination, error) {
	e, err := s.examine(ctx, deep)
	if err != nil {
		return e, fmt.Errorf("examine database %s: %w", s.path, explained(err))
	}
	return e, nil
}

func (s *Store) examine(ctx context.Context, deep bool) (e queue.Examination, err error) {
	e.Unchecked = "there was no time to read all of it"
	if e.Running, e.Runner, err = s.runner(); err != nil {
		return e, err
	}
	conn, err := s.rdb.Conn(ctx)
	if err != nil {
		return e, err
	}
	defer conn.Close()
	const query = `
		SELECT 'SQLite ' || sqlite_version(), v.user_version, p.page_size * c.page_count
		FROM pragma_user_version v, pragma_page_size p, pragma_page_count c`
	if err := conn.QueryRowContext(ctx, query).Scan(&e.Engine, &e.Schema, &e.Bytes); err != nil {
		return e, err
	}
	e.Log = walSize(s.path)
	faults, err := integrity(ctx, conn, deep)
	switch {
	case ctx.Err() != nil:
		return e, nil
	case errors.Is(explained(err), queue.ErrDamaged): // too damaged for the check
		faults = append(faults, err.Error())
	case err != nil:
		return e, err
	}
	if len(faults) > 0 && s.still && s.inUse() {
		e.Unchecked = "somebody has begun to write to it meanwhile"
		return e, nil
	}
	e.Faults, e.Unchecked = faults, ""
	return e, nil
}

// integrity returns what SQLite finds wrong. Without deep it does not look whether
// indexes and tables say the same.
func integrity(ctx context.Context, conn *sql.Conn, deep bool) (faults []string, err error) {
	check := "quick_check"
	if deep {
		check = "integrity_check"
	}
	rows, err := conn.QueryContext(ctx, fmt.Sprintf("PRAGMA %s(%d)", check, mostFaults))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return faults, err
		}
		for part := range strings.SplitSeq(line, "\n") {
			if part != "ok" && !strings.HasPrefix(part, "*** in database") && len(faults) < mostFaults {
				faults = append(faults, part)
			}
		}
	}
	return faults, rows.Err()
}

// runner reports whether some process holds the lock of LockRunner, and which. To
// find out it takes the lock for a moment, beside others who look, if it is free:
// who wants to run looks again after runnerPoll.
func (s *Store) runner() (running bool, who string, err error) {
	about, err := os.Stat(s.runFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, "", nil
	}
	if err != nil {
		return false, "", err
	}
	lock := flock.New(s.runFile(), flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	if err != nil {
		return false, "", fmt.Errorf("look who runs it: %w", err)
	}
	if free {
		return false, "", lock.Close()
	}
	return true, lockedBy(about), lock.Close()
}
