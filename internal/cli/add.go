package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
)

// batchRows is how many rows go into the queue in one transaction.
const batchRows = 1000

// added is what importing did.
type added struct {
	Added       int     `json:"added"`
	Known       int     `json:"known"`
	Rejected    int     `json:"rejected"`
	RejectsFile *string `json:"rejects_file"`
	Run         string  `json:"run"`
}

// rejected makes the exit code of rejected rows.
func (s added) rejected() error {
	if s.Rejected > 0 {
		return &exitError{code: exitPartial}
	}
	return nil
}

// print tells what was added.
func (s added) print(a *app) error {
	if a.json {
		return a.printJSON(s)
	}
	a.printf("%d added, %d already known, %d rejected\n", s.Added, s.Known, s.Rejected)
	if s.RejectsFile != nil {
		a.printf("rejected rows, with line and reason: %s\n", printable(*s.RejectsFile))
		a.tip("correct what was rejected and import it again: what is known is left alone")
	}
	return nil
}

// adder puts artifacts into the queue in batches and keeps the rejects.
type adder struct {
	sys     *quire.System // nil: only count (--dry-run)
	opt     quire.AddOptions
	hint    string
	rejects string // file for rejected rows, made when there is one
	log     func(format string, args ...any)
	ifNoID  string // added to the reason if an argument is no identifier

	meter func(doing string, look func() reading) (stop func())

	sum  added
	file *os.File

	queued, bad atomic.Int64 // rows so far, for the meter
}

// rejectsPath is where the rows of a batch go that could not be used, if the user does
// not say where. The batch's name is the user's, and no path.
func rejectsPath(data, run string) string {
	return filepath.Join(data, "rejects", strings.NewReplacer("/", "%2F", `\`, "%5C").Replace(run)+".jsonl")
}

// createRejects makes a rejects file, anew if there is one. A symlink that
// somebody has planted in its place is replaced, and not followed; those in /dev, such
// as /dev/stderr, are the system's.
func createRejects(name string) (*os.File, error) {
	if about, err := os.Lstat(name); err == nil && about.Mode().Type() == os.ModeSymlink && !strings.HasPrefix(name, "/dev/") {
		if err := os.Remove(name); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
}

// row is one line of the rejects file.
type row struct {
	Input  string `json:"input,omitempty"`
	Line   int    `json:"line,omitempty"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

func (ad *adder) reject(r row) error {
	ad.sum.Rejected++
	ad.bad.Add(1)
	if ad.rejects == "" {
		where := ""
		if r.Line > 0 {
			where = fmt.Sprintf(" line %d", r.Line)
		}
		ad.log("rejected%s: %s", where, r.Reason)
		return nil
	}
	if ad.file == nil {
		if err := os.MkdirAll(filepath.Dir(ad.rejects), 0o750); err != nil {
			return fmt.Errorf("create rejects file: %w", err)
		}
		f, err := createRejects(ad.rejects)
		if err != nil {
			return fmt.Errorf("create rejects file: %w", err)
		}
		ad.file = f
		ad.sum.RejectsFile = &ad.rejects
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write rejects file: %w", err)
	}
	n, err := ad.file.Write(append(line, '\n'))
	if err != nil {
		err = fmt.Errorf("write rejects file: %w", err)
		if at, seek := ad.file.Seek(int64(-n), io.SeekCurrent); n > 0 && seek == nil {
			err = errors.Join(err, ad.file.Truncate(at)) // to the last whole line
		}
	}
	return err
}

func (ad *adder) close() error {
	if ad.file == nil {
		return nil
	}
	return ad.file.Close()
}

// add queues a batch.
func (ad *adder) add(ctx context.Context, batch []quire.Request) error {
	if len(batch) == 0 {
		return nil
	}
	defer ad.queued.Add(int64(len(batch)))
	if ad.sys == nil {
		ad.sum.Added += len(batch)
		return nil
	}
	done, err := ad.sys.Add(ctx, batch, ad.opt)
	ad.sum.Added += done.Added
	ad.sum.Known += done.Known
	return err
}

// ids queues identifiers given as arguments.
func (ad *adder) ids(ctx context.Context, texts []string) error {
	var batch []quire.Request
	for _, text := range texts {
		artifact, err := paper.ParseID(text)
		if err != nil {
			if err := ad.reject(row{Text: text, Reason: err.Error() + ad.ifNoID + asFile(text, "quire queue import")}); err != nil {
				return err
			}
			continue
		}
		batch = append(batch, quire.Request{Artifact: artifact, Hint: ad.hint})
	}
	return ad.add(ctx, batch)
}

// stream queues the rows of a file. Reading and queueing go on side by side; what
// was read before the file broke off is queued.
func (ad *adder) stream(ctx context.Context, name string, r io.Reader, opt intake.Options) error {
	in := &tallied{Reader: r}
	defer ad.watch(name, in)()
	group, reading := errgroup.WithContext(ctx)
	batches := make(chan []quire.Request, 4)
	group.Go(func() error {
		defer close(batches)
		return ad.read(reading, name, in, opt, batches)
	})
	group.Go(func() error {
		for batch := range batches {
			if err := ad.add(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// watch shows how far the rows of a file are, until it is stopped.
func (ad *adder) watch(name string, in *tallied) (stop func()) {
	doing, size := "importing ", sizeOf(in.Reader)
	if ad.sys == nil {
		doing = "checking "
	}
	return ad.meter(doing+shortName(name), func() reading {
		bad := ad.bad.Load()
		r := reading{unit: "rows", done: ad.queued.Load() + bad, read: in.n.Load(), size: size}
		if bad > 0 {
			r.also = fmt.Sprintf("%d rejected", bad)
		}
		return r
	})
}

// read turns rows into batches.
func (ad *adder) read(ctx context.Context, name string, r io.Reader, opt intake.Options, to chan<- []quire.Request) error {
	batch := make([]quire.Request, 0, batchRows)
	send := func() error {
		select {
		case to <- batch:
			batch = make([]quire.Request, 0, batchRows)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for in, err := range intake.Read(r, opt) {
		if bad, ok := errors.AsType[*intake.Reject](err); ok {
			if err := ad.reject(row{Input: name, Line: bad.Line, Reason: bad.Reason, Text: bad.Text}); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return errors.Join(send(), fmt.Errorf("read %s: %w", name, err))
		}
		batch = append(batch, quire.Request{Artifact: in.Artifact, Title: in.Title, Hint: ad.hint})
		if len(batch) == batchRows {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}
