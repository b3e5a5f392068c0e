package report

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/quire-dev/quire/queue"
)

// agreement is how far a manifest and a store tell the same. Both have the same past up
// to some outcome, and none after it: an outcome that is still its job's is in the
// manifest, with its number and its time, or else it came later than the two parted.
// That is so of the store which the manifest follows, of an older copy of it, which
// gives the numbers after that once more, and of a new store, with no past in common.
type agreement struct {
	seq    int64 // of the last line that the store agrees with; 0 if there is none
	seen   int64 // all outcomes up to this number are in the manifest, or no longer a job's
	parted int64 // the first outcome after seq that has no line; 0 if all have
}

// outcome takes the store's next outcome, and whether the manifest says the same.
func (a *agreement) outcome(j queue.Job, same bool) {
	switch {
	case j.State.Terminal() && same:
		*a = agreement{seq: j.FinishSeq, seen: j.FinishSeq}
	case a.parted > 0:
	case j.State.Terminal():
		a.parted = j.FinishSeq
	default: // asked for again, which tells nothing
		a.seen = j.FinishSeq
	}
}

// back goes back to what was known of the lines and outcomes up to a number.
func (a *agreement) back(seq int64) {
	seq = max(0, seq)
	a.seq, a.seen = min(a.seq, seq), min(a.seen, seq)
	if a.parted > seq {
		a.parted = 0
	}
}

// joinGrows is how many times more of the manifest's end is read if what was read tells
// nothing. Mostly the last line tells enough.
const joinGrows = 16

// join finds how far the store agrees with the manifest, from the end on: after a
// restore that is as far as the backup is old.
func (m *Manifest) join(ctx context.Context, src Source) error {
	first, err := finishedAfter(ctx, src, 0, 1)
	if err != nil {
		return err
	}
	var at agreement
	// Else the store has no outcome that could be missing before the last line.
	if len(first) > 0 && first[0].FinishSeq <= m.seq {
		for size := int64(readSize); at.seq == 0; size *= joinGrows {
			from := max(0, m.size-size)
			if at, err = agreementFrom(ctx, io.NewSectionReader(m.f, from, m.size-from), from == 0, src); err != nil {
				return err
			}
			if from == 0 {
				break
			}
		}
	}
	m.at, m.joined = at, true
	return nil
}

// agreementFrom finds how far a store agrees with these lines. If they are not all of
// the manifest the first one may be cut, and no agreement tells nothing.
func agreementFrom(ctx context.Context, in io.Reader, all bool, src Source) (at agreement, err error) {
	side := manifestSides{src: src, lines: lines{in: bufio.NewReaderSize(in, readSize), found: tellNobody}}
	if !all {
		if _, err := side.next(); err != nil && !errors.Is(err, io.EOF) {
			return at, err
		}
	}
	for begun := all; ; begun = true {
		text, err := side.next()
		if errors.Is(err, io.EOF) {
			return at, nil
		}
		if err != nil {
			return at, err
		}
		seq, ok := lineSeq(text)
		if !ok {
			continue
		}
		if !begun || seq <= side.seq { // what is above is over from there on
			at.back(seq - 1)
			side.page, side.after, side.ended = nil, seq-1, false
		}
		side.seq = seq
		if err := side.agree(ctx, text, &at); err != nil {
			return at, err
		}
	}
}

// agree takes the outcomes up to the number of the line that was read.
func (s *manifestSides) agree(ctx context.Context, text []byte, at *agreement) error {
	for {
		j, err := s.peek(ctx)
		if err != nil || j == nil || j.FinishSeq > s.seq {
			return err
		}
		var line seenLine
		at.outcome(*j, j.FinishSeq == s.seq && json.Unmarshal(text, &line) == nil && line.ArtifactID == j.ArtifactID &&
			line.State == j.State && line.UpdatedAt == Time(j.UpdatedAt).String())
		if err := s.take(); err != nil {
			return err
		}
	}
}

// finishedAfter returns up to n jobs that ever finished, with numbers greater than seq.
func finishedAfter(ctx context.Context, src Source, seq int64, n int) ([]queue.Job, error) {
	if seq <= 0 {
		seq = -1 // 0 would select those that never did
	}
	jobs, err := src.Jobs(ctx, queue.Filter{AfterSeq: seq, Limit: n})
	if err != nil {
		return nil, fmt.Errorf("read finished jobs: %w", err)
	}
	return jobs, nil
}
