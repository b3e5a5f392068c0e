package export

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// put links or copies a file and checks its sum. What is wrong with the file is
// an unfitError.
func put(from, to, sum string) (size int64, err error) {
	info, err := os.Lstat(from)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", from)
	}
	if err != nil {
		return 0, &unfitError{err}
	}
	in, err := os.Open(from)
	if err != nil {
		return 0, &unfitError{err}
	}
	defer in.Close()
	if _, err := os.Lstat(to); err == nil {
		return 0, &unfitError{fmt.Errorf("%s: another file has its place", to)}
	}
	read := sha256.New()
	if os.Link(from, to) == nil {
		size, err = io.Copy(read, in)
		if err != nil {
			err = &unfitError{err}
		}
	} else {
		size, err = copyTo(to, in, read)
	}
	if err == nil && hex.EncodeToString(read.Sum(nil)) != sum {
		err = &unfitError{fmt.Errorf("%s: its SHA-256 is not that of the record", from)}
	}
	if err != nil {
		return 0, errors.Join(err, ignoreMissing(os.Remove(to)))
	}
	return size, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func copyTo(to string, in io.Reader, sum io.Writer) (int64, error) {
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(io.MultiWriter(out, sum), in)
	return size, errors.Join(err, out.Sync(), out.Close())
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// tagFile is a file of the bag that we write ourselves, with its sum and size.
type tagFile struct {
	name string
	file *os.File
	hash hash.Hash
	size int64
	rest []byte // not written yet
}

func (b *bag) create(name string) (*tagFile, error) {
	f, err := os.OpenFile(filepath.Join(b.dir, filepath.FromSlash(name)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	return &tagFile{name: name, file: f, hash: sha256.New()}, nil
}

// Write implements [io.Writer].
func (f *tagFile) Write(p []byte) (int, error) {
	_, _ = f.hash.Write(p)
	f.size += int64(len(p))
	if f.rest = append(f.rest, p...); len(f.rest) < 64<<10 {
		return len(p), nil
	}
	return len(p), f.flush()
}

func (f *tagFile) flush() error {
	_, err := f.file.Write(f.rest)
	f.rest = f.rest[:0]
	return err
}

func (f *tagFile) sum() string { return hex.EncodeToString(f.hash.Sum(nil)) }

func (f *tagFile) close() error { return errors.Join(f.flush(), f.file.Sync(), f.file.Close()) }
