package report

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"

	"github.com/quire-dev/quire/queue"
)

// maxLine is how long a line of the manifest can be that is read: more than any of
// ours, as in tail.
const maxLine = tail

// ManifestFault is a line that is missing in the manifest or wrong.
type ManifestFault struct {
	ArtifactID string // empty if the line can't be read
	Note       string
}

// CheckManifest holds the manifest at path against the store. A line for each outcome
// that is still the job's must be there and say the same; lines of jobs that were
// pruned or got again are history and only have to be readable. What finished after
// since may not be there yet. It reads both side by side, in bounded memory.
func CheckManifest(ctx context.Context, path string, src Source, since time.Time, found func(ManifestFault) error) error {
	in, marks, done, err := readManifest(path)
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	defer done()
	side := manifestSides{src: src, lines: lines{in: in, found: found}, marks: marks, since: since}
	return side.walk(ctx)
}

// readManifest opens a manifest for reading, as long as it is now, and finds its
// marks; one that is not there is empty.
func readManifest(path string) (in *bufio.Reader, found marks, done func(), err error) {
	f, err := openRegular(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return bufio.NewReader(bytes.NewReader(nil)), nil, func() {}, nil
	}
	if err != nil {
		return nil, nil, nil, err
	}
	info, err := f.Stat()
	if err == nil {
		found, err = readMarks(io.NewSectionReader(f, 0, info.Size()))
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, f.Close())
	}
	return bufio.NewReaderSize(io.NewSectionReader(f, 0, info.Size()), readSize), found, func() { _ = f.Close() }, nil
}

// RebuildManifest writes the manifest at path anew: history as it was, and a line from
// the store for each outcome that is still the job's. Lines that can't be read or are
// out of order are left out. It is made beside and renamed when it is whole; keep is
// called right before with the path of the old one, to put it by.
func RebuildManifest(ctx context.Context, path, version string, src Source, keep func() error) error {
	m := &Manifest{path: path, lock: flock.New(path+lockExt, flock.SetPermissions(manifestMode)), version: version}
	defer m.lock.Close()
	over, err := m.turn(ctx)
	if err != nil {
		return err
	}
	defer over()
	if err := m.rebuild(ctx, src, keep); err != nil {
		return fmt.Errorf("write manifest anew: %w", err)
	}
	return nil
}

func (m *Manifest) rebuild(ctx context.Context, src Source, keep func() error) error {
	old, marks, done, err := readManifest(m.path)
	if err != nil {
		return err
	}
	defer done()
	out, err := os.CreateTemp(filepath.Dir(m.path), ".manifest-*.partial")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	anew := rewriting{to: w}
	side := manifestSides{
		src: src, lines: lines{in: old, found: tellNobody}, marks: marks, over: anew.over, old: anew.line,
		job: func(j queue.Job) error {
			text, err := m.line(ctx, src, j)
			if err != nil {
				return err
			}
			return anew.line(text)
		},
	}
	err = errors.Join(side.walk(ctx), w.Flush(), out.Chmod(manifestMode), out.Sync(), out.Close())
	if err == nil {
		err = keep()
	}
	if err == nil {
		err = os.Rename(out.Name(), m.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	d, err := os.Open(filepath.Dir(m.path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// manifestSides are the lines of a manifest and the jobs of a store, both in the
// order of their finish numbers.
type manifestSides struct {
	lines
	src   Source
	marks marks
	since time.Time               // zero: all that has finished has to be there
	over  func(text []byte) error // takes lines of a store that was replaced; may be nil
	old   func(text []byte) error // takes other lines of history; may be nil
	job   func(j queue.Job) error // takes outcomes that are still the job's; may be nil

	seq   int64
	page  []queue.Job
	after int64
	ended bool // of the jobs
}

// seenLine is what is compared of a line.
type seenLine struct {
	Seq        int64       `json:"seq"`
	ArtifactID string      `json:"artifact_id"`
	State      queue.State `json:"state"`
	SHA256     *string     `json:"sha256"`
	Bytes      *int64      `json:"bytes"`
	Path       *string     `json:"path"`
	UpdatedAt  string      `json:"updated_at"`
	Resumed    bool        `json:"resumed"`
}

func (s *manifestSides) walk(ctx context.Context) error {
	for {
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if text == nil {
			continue
		}
		var line seenLine
		err = json.Unmarshal(text, &line)
		if err == nil && s.marks.over(s.number, line.Seq) {
			if s.over == nil {
				continue
			}
			if err := s.over(text); err != nil {
				return err
			}
			continue
		}
		if err != nil || line.Seq <= s.seq {
			why := "is not in the order of finishing"
			if err != nil {
				why = "can't be read"
			}
			if err := s.found(ManifestFault{ArtifactID: line.ArtifactID, Note: "line " + strconv.Itoa(s.number) + " " + why}); err != nil {
				return err
			}
			continue
		}
		s.seq = line.Seq
		if err := s.line(ctx, line, text); err != nil {
			return err
		}
	}
	return s.jobsBefore(ctx, 0)
}

// line holds a line against the job that finished with its number.
func (s *manifestSides) line(ctx context.Context, line seenLine, text []byte) error {
	if err := s.jobsBefore(ctx, line.Seq); err != nil {
		return err
	}
	j, err := s.peek(ctx)
	if err != nil {
		return err
	}
	if j == nil || j.FinishSeq != line.Seq || !j.State.Terminal() {
		if s.old == nil {
			return nil
		}
		return s.old(text)
	}
	is := NewJob(*j)
	other := is.UpdatedAt.String() != line.UpdatedAt // an outcome that the store here does not know
	if (!other || !s.young(*j)) && (is.ArtifactID != line.ArtifactID || is.State != line.State || !same(is.SHA256, line.SHA256) || !same(is.Bytes, line.Bytes) || !same(is.Path, line.Path)) {
		if err := s.found(ManifestFault{is.ArtifactID, "line " + strconv.Itoa(s.number) + " says otherwise than the queue"}); err != nil {
			return err
		}
	}
	return s.take()
}

func same[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// jobsBefore takes the jobs that finished before number seq, which have no line; all
// that are left if it is 0.
func (s *manifestSides) jobsBefore(ctx context.Context, seq int64) error {
	for {
		j, err := s.peek(ctx)
		if err != nil || j == nil || seq != 0 && j.FinishSeq >= seq {
			return err
		}
		if j.State.Terminal() && (seq != 0 || !s.young(*j)) {
			if err := s.found(ManifestFault{j.ArtifactID, "has no line"}); err != nil {
				return err
			}
		}
		if err := s.take(); err != nil {
			return err
		}
	}
}

// young reports whether the line of an outcome may not be there yet.
func (s *manifestSides) young(j queue.Job) bool {
	return !s.since.IsZero() && !j.UpdatedAt.Before(s.since)
}

// take goes on to the next job.
func (s *manifestSides) take() error {
	j := s.page[0]
	s.page, s.after = s.page[1:], j.FinishSeq
	if s.job == nil || !j.State.Terminal() {
		return nil
	}
	return s.job(j)
}

// peek returns the next job that has finished, or nil.
func (s *manifestSides) peek(ctx context.Context) (*queue.Job, error) {
	if len(s.page) == 0 && !s.ended {
		page, err := finishedAfter(ctx, s.src, s.after, manifestPage)
		if err != nil {
			return nil, err
		}
		s.page, s.ended = page, len(page) == 0
	}
	if len(s.page) == 0 {
		return nil, nil //nolint:nilnil // that is how the end is told
	}
	return &s.page[0], nil
}
