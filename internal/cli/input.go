package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// input opens what an argument names for reading: a file, or stdin for -. doing
// says in errors what for. If twice is set the result is a [*os.File] that can be read again from its start.
func (a *app) input(ctx context.Context, doing, name string, twice bool) (io.ReadCloser, error) {
	open := func() (io.ReadCloser, error) { return os.Open(name) }
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
	f, err := spool(in)
	if err != nil {
		return nil, fmt.Errorf("spool %s: %w", name, err)
	}
	return f, nil
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
