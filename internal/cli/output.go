package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// writeFile makes a file of what fill writes: beside it, and renamed when it is
// whole, so that what was there stays until then. What is no regular file, such
// as a pipe, is written as it is. Errors name the file that was asked for.
func writeFile(name string, fill func(io.Writer) error) (err error) {
	if about, err := os.Stat(name); err == nil && !about.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		err = filled(f, fill)
		if closed := f.Close(); err == nil {
			err = closed
		}
		return err
	}
	if _, err := os.Stat(filepath.Dir(name)); err != nil {
		return fmt.Errorf("write %s: its directory: %w", name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".partial-*")
	if err != nil {
		return named(err, name)
	}
	err = filled(f, fill)
	for _, step := range []func() error{func() error { return f.Chmod(0o640) }, f.Sync} {
		if err == nil {
			err = step()
		}
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(named(err, name), os.Remove(f.Name()))
	}
	return nil
}

// named makes an error of a file that stands in for another one tell of that.
func named(err error, name string) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok && strings.HasPrefix(filepath.Base(of.Path), "."+filepath.Base(name)+".partial-") {
		return &fs.PathError{Op: of.Op, Path: name, Err: of.Err}
	}
	return err
}

func filled(f *os.File, fill func(io.Writer) error) error {
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return err
	}
	return w.Flush()
}
