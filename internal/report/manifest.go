package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Source is what a manifest is made from.
type Source interface {
	Jobs(ctx context.Context, f queue.Filter) ([]queue.Job, error)
	Get(ctx context.Context, artifactID string) (paper.Record, error)
}

// Line is one line of the manifest: a finished artifact.
type Line struct {
	Job
	Title        *string     `json:"title"`
	IDs          paper.IDs   `json:"ids"`
	Hops         []paper.Hop `json:"hops"`
	AttemptCount int         `json:"attempt_count"`
	QuireVersion string      `json:"quire_version"`
	Seq          int64       `json:"seq"` // the job's finish number: grows from line to line
}

// Manifest is the append-only JSON Lines file of finished artifacts. It follows
// the store: each final outcome gives one line, in the order of finishing, and
// whatever a crash kept from being written is written when it next catches up.
// If the store is not the one that it followed, but an older copy or another, it goes
// on after the last line that both agree on, as [agreement] tells.
// Its writers, the run and who prunes, take turns.
type Manifest struct {
	path    string
	f       *os.File
	lock    *flock.Flock
	size    int64 // of the whole lines
	seq     int64 // of the last one
	joined  bool  // at has been found for this last line
	at      agreement
	version string
	log     *slog.Logger
}

// manifestPage is how many jobs are read from the store at a time.
const manifestPage = 500

const (
	manifestMode = 0o640
	lockExt      = ".lock" // beside the manifest: who writes it holds this
)

// turnWait is how long a writer waits for its turn. Whoever has it for longer is
// frozen, and will find, when it thaws, that the file has grown: see follow.
const turnWait = 10 * time.Second

// tail is more than the longest line: what is read to find the last one.
const tail = 4 << 20

// OpenManifest opens the manifest at path and cuts off a last line that a crash
// left incomplete. log is told if the manifest and the store do not belong together.
func OpenManifest(path, version string, log *slog.Logger) (*Manifest, error) {
	m := &Manifest{path: path, lock: flock.New(path+lockExt, flock.SetPermissions(manifestMode)), version: version, log: log}
	over, err := m.turn(context.Background())
	if err == nil {
		err = m.reopen()
		over()
	}
	if err != nil {
		return nil, fmt.Errorf("open manifest %s: %w", path, errors.Join(err, m.Close()))
	}
	return m, nil
}

// reopen opens the file that is at the path now.
func (m *Manifest) reopen() error {
	f, err := openRegular(m.path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	if m.f != nil {
		_ = m.f.Close() // all of it is synced
	}
	m.f = f
	return m.recover()
}

// openRegular opens a file as os.OpenFile does, but none that is not regular: what is
// written to a symlink that somebody has planted would go where he wants it.
func openRegular(path string, flag int) (*os.File, error) {
	seen, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0 {
		return os.OpenFile(path, flag|os.O_EXCL, manifestMode)
	}
	if err != nil {
		return nil, err
	}
	if !seen.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: %w", path, errNotRegular)
	}
	f, err := os.OpenFile(path, flag, manifestMode)
	if err != nil {
		return nil, err
	}
	if opened, err := f.Stat(); err != nil || !os.SameFile(seen, opened) {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, errNotRegular), err, f.Close())
	}
	return f, nil
}

var errNotRegular = errors.New("something else is in the place of this file")

// recover finds the last whole line and continues after it.
func (m *Manifest) recover() error {
	m.size, m.seq, m.joined = 0, 0, false
	size, err := m.f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	from := max(0, size-tail)
	end := make([]byte, size-from)
	if _, err := m.f.ReadAt(end, from); err != nil {
		return err
	}
	whole := bytes.LastIndexByte(end, '\n') + 1
	if whole == 0 && from > 0 {
		return errors.New("its last line is too long")
	}
	m.size = from + int64(whole)
	if err := m.f.Truncate(m.size); err != nil {
		return err
	}
	if whole == 0 {
		return nil
	}
	last := end[:whole-1]
	last = last[bytes.LastIndexByte(last, '\n')+1:]
	var line struct{ Seq int64 }
	if err := json.Unmarshal(last, &line); err != nil {
		return fmt.Errorf("read its last line: %w", err)
	}
	m.seq = line.Seq
	return nil
}

// CatchUp appends the jobs that finished since the last line that the store agrees
// with, and makes them durable.
func (m *Manifest) CatchUp(ctx context.Context, src Source) error {
	over, err := m.turn(ctx)
	if err != nil {
		return err
	}
	defer over()
	for {
		if err := m.follow(); err != nil {
			return fmt.Errorf("read manifest: %w", err)
		}
		if !m.joined {
			if err := m.join(ctx, src); err != nil {
				return fmt.Errorf("hold manifest against the store: %w", err)
			}
			continue // that may have taken longer than a turn
		}
		jobs, err := finishedAfter(ctx, src, m.at.seen, manifestPage)
		if err != nil {
			return err
		}
		if len(jobs) == 0 {
			return nil
		}
		if err := m.append(ctx, src, jobs); err != nil {
			return fmt.Errorf("write manifest: %w", err)
		}
	}
}

// turn waits until nobody else writes, and returns what ends the turn.
func (m *Manifest) turn(ctx context.Context) (over func(), err error) {
	if fi, err := os.Lstat(m.lock.Path()); err == nil && !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("lock manifest: %s: %w", m.lock.Path(), errNotRegular)
	}
	waiting, cancel := context.WithTimeout(ctx, turnWait)
	defer cancel()
	if _, err := m.lock.TryLockContext(waiting, turnWait/1000); err != nil && waiting.Err() == nil {
		return nil, fmt.Errorf("lock manifest: %w", err)
	}
	return func() { _ = m.lock.Unlock() }, nil // closing unlocks, too
}

// follow goes on where the file ends, if that is not where we left it: a write
// of ours broke off, or we were frozen and another run went on with it. If there is
// another file by now, which verify has written anew, it is that one's end.
func (m *Manifest) follow() error {
	info, err := m.f.Stat()
	if err != nil {
		return err
	}
	if at, err := os.Lstat(m.path); err != nil || !os.SameFile(at, info) {
		return m.reopen()
	}
	if info.Size() == m.size {
		return nil
	}
	return m.recover()
}

func (m *Manifest) append(ctx context.Context, src Source, jobs []queue.Job) error {
	var lines bytes.Buffer
	seq, at, again := m.seq, m.at, int64(0)
	for _, j := range jobs {
		at.seen = j.FinishSeq
		if !j.State.Terminal() {
			continue // asked for again: it will finish anew, with a number of its own
		}
		line, err := m.line(ctx, src, j)
		if err != nil {
			return err
		}
		if j.FinishSeq <= seq { // the store's numbers are not those of the last lines
			line, again = withMark(line), j.FinishSeq
		}
		seq, at.seq = j.FinishSeq, j.FinishSeq
		lines.Write(line)
		lines.WriteByte('\n')
	}
	// At its place and not at the end: what a write that broke off has left
	// behind is written over.
	if _, err := m.f.WriteAt(lines.Bytes(), m.size); err != nil {
		return err
	}
	if err := m.f.Sync(); err != nil {
		return err
	}
	if again > 0 {
		m.log.Warn("the queue is not the one that the manifest followed, but an older copy or another: went on after the last line that both agree on",
			"manifest", m.path, "last_seq", m.seq, "agreed_seq", m.at.seq, "resumed_seq", again)
	}
	m.size, m.seq, m.at = m.size+int64(lines.Len()), seq, at
	return nil
}

func (m *Manifest) line(ctx context.Context, src Source, j queue.Job) ([]byte, error) {
	line, err := ReadLine(ctx, src, j, m.version)
	if err != nil {
		return nil, err
	}
	return line.Marshal()
}

// ReadLine makes the line of a finished job, with what the catalog knows of its
// artifact. version is the program's.
func ReadLine(ctx context.Context, src Source, j queue.Job, version string) (Line, error) {
	rec, err := src.Get(ctx, j.ArtifactID)
	if err != nil && !errors.Is(err, paper.ErrNotFound) {
		return Line{}, err
	}
	line := Line{
		Job: NewJob(j), Title: known(rec.Title), IDs: rec.IDs, Hops: []paper.Hop{},
		AttemptCount: j.Attempts, QuireVersion: version, Seq: j.FinishSeq,
	}
	for _, t := range rec.Tried {
		line.Hops = append(line.Hops, t.Hops...)
	}
	return line, nil
}

// Marshal encodes the line, without a line end.
func (l Line) Marshal() ([]byte, error) {
	text, err := json.Marshal(l)
	return EscapeJSON(text), err
}

// Close closes the file.
func (m *Manifest) Close() error {
	err := m.lock.Close()
	if m.f != nil {
		err = errors.Join(m.f.Close(), err)
	}
	return err
}
