package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/charmbracelet/x/ansi"
)

// input opens what an argument names for reading: a file, or stdin for -. doing
// says in errors what for. If twice is set the result is a [*os.File] that can be read again from its start.
func (a *app) input(ctx context.Context, doing, name string, twice bool) (io.ReadCloser, error) {
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	if f, ok := a.env.Stdin.(*os.File); name == "-" && ok && !twice && isRegular(f) {
		return keptOpen{f}, nil
	}
	if name == "-" {
		open = func() (io.ReadCloser, error) { return io.NopCloser(a.env.Stdin), nil }
	} else {
		about, err := os.Stat(name)
		switch {
		case err == nil && about.IsDir():
			return nil, fmt.Errorf("%s: open %s: is a directory", doing, name)
		case err != nil || about.Mode().IsRegular():
			f, err := os.Open(name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", doing, err)
			}
			return f, nil
		}
	}
	in := readUntil(ctx, open)
	if !twice {
		return io.NopCloser(in), nil
	}
	seen := &tallied{Reader: in}
	stop := a.meter("reading "+shortName(name), func() reading { return reading{bytes: seen.n.Load()} })
	f, err := spool(seen)
	stop()
	if err != nil {
		return nil, fmt.Errorf("spool %s: %w", name, err)
	}
	return f, nil
}

func isRegular(f *os.File) bool {
	about, err := f.Stat()
	return err == nil && about.Mode().IsRegular()
}

// keptOpen is a file that is not ours to close.
type keptOpen struct{ *os.File }

// Close does nothing.
func (keptOpen) Close() error { return nil }

// tallied is an input whose bytes are counted as they are read.
type tallied struct {
	io.Reader
	n atomic.Int64
}

// tallyStep bounds what is read at once: who reads in large steps would show
// compressed files as standing still, then jumping.
const tallyStep = 64 << 10

// Read implements [io.Reader].
func (t *tallied) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p[:min(len(p), tallyStep)])
	t.n.Add(int64(n))
	return n, err
}

// sizeOf returns how many bytes of an input are still to be read; 0 if nobody knows.
func sizeOf(in io.Reader) int64 {
	f, ok := in.(interface {
		io.Seeker
		Stat() (fs.FileInfo, error)
	})
	if !ok {
		return 0
	}
	about, err := f.Stat()
	if err != nil || !about.Mode().IsRegular() {
		return 0
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return max(0, about.Size()-at)
}

// shortName is the name of an input in a line of progress.
func shortName(name string) string {
	if name == "-" {
		return "stdin"
	}
	const cells = 30 // so that on a terminal of 80 the figures stay in sight
	return ansi.Truncate(filepath.Base(name), cells, "…")
}

// readUntil reads what open returns until ctx ends. A pipe or terminal that says
// nothing, or that nobody opens for writing, must not keep the program from
// stopping; the goroutine that waits for it ends with the program.
func readUntil(ctx context.Context, open func() (io.ReadCloser, error)) io.Reader {
	r, w := io.Pipe()
	go func() {
		in, err := open()
		if err == nil {
			_, err = io.Copy(w, in)
			err = errors.Join(err, in.Close())
		}
		_ = w.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { _ = w.CloseWithError(ctx.Err()) })
	return r
}

// spool copies a stream into a file that vanishes when it is closed.
func spool(in io.Reader) (_ *os.File, err error) {
	f, err := os.CreateTemp("", "quire-import-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := os.Remove(f.Name()); err != nil { // it lives on while it is open
		return nil, err
	}
	if _, err := io.Copy(f, in); err != nil {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}
