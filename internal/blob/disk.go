package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	dirMode  = 0o750
	fileMode = 0o640
)

// OutOfService reports whether err is about the disk, the process or the S3 service
// and would meet any other file too: no space, a read-only or failing disk, no more
// file descriptors, no permission, a service that is away or lets nobody in. It is
// not the fault of what was being written.
func OutOfService(err error) bool {
	if s3, ok := errors.AsType[*s3Error](err); ok && s3.service {
		return true
	}
	for _, errno := range []syscall.Errno{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO, syscall.EROFS,
		syscall.EMFILE, syscall.ENFILE, syscall.EACCES, syscall.EPERM,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// makeDir makes name unless it is a directory already. Its parent must exist. A
// symlink to a directory is no directory.
func makeDir(root *os.Root, name string) error {
	err := root.Mkdir(name, dirMode)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	fi, err := root.Lstat(name)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return fmt.Errorf("directory %s: %w", name, ErrForeign)
	}
	return nil
}

// checkParents returns nil if each directory above name, a path with slashes, is
// one: no symlink, even to a directory of the same root.
func checkParents(root *os.Root, name string) error {
	for i, c := range name {
		if c != '/' {
			continue
		}
		fi, err := root.Lstat(name[:i])
		if err != nil {
			return err
		}
		if !fi.IsDir() {
			return fmt.Errorf("directory %s: %w", name[:i], ErrForeign)
		}
	}
	return nil
}

// syncDir makes the names in a directory durable, where the system can.
func syncDir(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// commonDir returns the nearest directory above both paths, which are absolute
// and clean, or an error if there is none.
func commonDir(a, b string) (string, error) {
	for dir := a; ; dir = filepath.Dir(dir) {
		rel, err := filepath.Rel(dir, b)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no directory above both %s and %s", a, b)
		}
	}
}

// realDir makes a directory durable, with those above it, and returns its
// absolute path without symlinks.
func realDir(name string) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	above, err := realDir(filepath.Dir(name))
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(above)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if err := makeDir(root, filepath.Base(name)); err != nil {
		return "", err
	}
	return filepath.Join(above, filepath.Base(name)), syncDir(root, ".")
}
