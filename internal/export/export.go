// Package export writes what the store knows of finished artifacts in formats
// for other programs. It reads the store page by page and keeps nothing, so the
// number of artifacts costs time but no memory. What finishes meanwhile may be
// left out.
package export

import (
	"context"
	"fmt"
	"io"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

// Options say what is exported.
type Options struct {
	States  []queue.State // final ones; none: all of them
	Run     string        // of this batch only; empty: of all
	Version string        // of the program
	Told    func(n int)   // told often how many artifacts there were so far; may be nil
}

// pageRows is how many jobs are read from the store at a time.
const pageRows = 500

// each calls do for the finished artifacts that opt selects, in the order of
// queueing, and returns how many they were.
func each(ctx context.Context, src report.Source, opt Options, do func(report.Line) error) (n int, err error) {
	f := queue.Filter{States: opt.States, Run: opt.Run, Limit: pageRows}
	if len(f.States) == 0 {
		f.States = []queue.State{queue.Done, queue.Skipped, queue.Error}
	}
	for {
		jobs, err := src.Jobs(ctx, f)
		if err != nil {
			return n, fmt.Errorf("read finished jobs: %w", err)
		}
		for _, j := range jobs {
			line, err := report.ReadLine(ctx, src, j, opt.Version)
			if err != nil {
				return n, fmt.Errorf("read record: %w", err)
			}
			if err := do(line); err != nil {
				return n, err
			}
			n++
		}
		if opt.Told != nil {
			opt.Told(n)
		}
		if len(jobs) < f.Limit {
			return n, nil
		}
		f.After = jobs[len(jobs)-1].ID
	}
}

// Manifest writes a line of JSON per artifact, as manifest.jsonl has them, and
// returns how many. Its order is that of queueing.
func Manifest(ctx context.Context, w io.Writer, src report.Source, opt Options) (n int, err error) {
	return each(ctx, src, opt, func(l report.Line) error { return writeLine(w, l) })
}

func writeLine(w io.Writer, l report.Line) error {
	text, err := l.Marshal()
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// text is a value, or nothing where it is unknown.
func text[T any](v *T) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(*v)
}
