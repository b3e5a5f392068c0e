package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeFile makes a file of what fill writes: beside it, and renamed when it is
// whole, so that what was there stays until then. What is no regular file, such
// as a pipe, is written as it is.
func writeFile(name string, fill func(io.Writer) error) (err error) {
	if about, err := os.Stat(name); err == nil && !about.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(filled(f, fill), f.Close())
	}
	if _, err := os.Stat(filepath.Dir(name)); err != nil {
		return fmt.Errorf("write %s: its directory: %w", name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".partial-*")
	if err != nil {
		return err
	}
	err = errors.Join(filled(f, fill), f.Chmod(0o640), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func filled(f *os.File, fill func(io.Writer) error) error {
	w := bufio.NewWriter(f)
	return errors.Join(fill(w), w.Flush())
}
