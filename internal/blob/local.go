package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"syscall"
)

// Local is a store in a directory of this machine. It reaches files only
// through [os.Root]: no name and no symlink leads out of its directories.
type Local struct {
	files *os.Root // the blobs
	temps spool    // what is being written

	// Both lie below base, and rename goes through it.
	base             *os.Root
	filesIn, tempsIn string

	// Directories known to be durable: sha256/ab and sha256/ab/cd by their bytes.
	upper [1 << 8]atomic.Bool
	lower [1 << 16]atomic.Bool
}

var (
	_ Store      = (*Local)(nil)
	_ Quarantine = (*Local)(nil)
)

// OpenLocal opens the store in the directory root, whose temporary files are in
// the directory tmp of the same file system. It makes the two if they are
// missing; nothing else is written before the first Commit.
func OpenLocal(root, tmp string) (*Local, error) {
	l := &Local{}
	if err := l.open(root, tmp); err != nil {
		return nil, errors.Join(fmt.Errorf("open blob store %s: %w", root, err), l.Close())
	}
	return l, nil
}

func (l *Local) open(files, temps string) (err error) {
	if files, err = realDir(files); err != nil {
		return err
	}
	if temps, err = realDir(temps); err != nil {
		return err
	}
	base, err := commonDir(files, temps)
	if err != nil {
		return err
	}
	if l.filesIn, err = filepath.Rel(base, files); err != nil {
		return err
	}
	if l.tempsIn, err = filepath.Rel(base, temps); err != nil {
		return err
	}
	for _, dir := range []struct {
		root **os.Root
		name string
	}{{&l.files, files}, {&l.temps.root, temps}, {&l.base, base}} {
		if *dir.root, err = os.OpenRoot(dir.name); err != nil {
			return err
		}
	}
	return l.checkRename()
}

// LookLocal opens the store in the directory root for looking only: nothing is
// made or changed, and Create and SetAside give errors. Its error wraps
// fs.ErrNotExist if nothing was ever stored there.
func LookLocal(root string) (*Local, error) {
	files, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("open blob store %s: %w", root, err)
	}
	return &Local{files: files}, nil
}

// errLooking says that a store was opened by LookLocal.
var errLooking = fmt.Errorf("blob store opened for looking only: %w", fs.ErrPermission)

// checkRename fails if files could not move from the one directory to the other.
// It tries with a file that does not exist: Linux compares the mounts first.
func (l *Local) checkRename() error {
	const nothing = "rename-check"
	if err := l.rename(nothing+partExt, nothing); errors.Is(err, syscall.EXDEV) {
		return fmt.Errorf("temporary files must be on the same file system as the blobs: %w", err)
	}
	return nil
}

// Close releases the directories. No writer may be in use.
func (l *Local) Close() error {
	var errs []error
	for _, r := range []*os.Root{l.files, l.temps.root, l.base} {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}

// Clean removes the temporary files that a crash left behind and says how many.
// Only the owner of the directory calls it, before it begins to write.
func (l *Local) Clean(ctx context.Context) (removed int, err error) {
	return l.temps.clean(ctx, func(string) bool { return false })
}

// Open opens a blob. See [Store].
func (l *Local) Open(ctx context.Context, key string) (io.ReadSeekCloser, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	if _, err := parseKey(key); err != nil {
		return nil, 0, err
	}
	name := filepath.FromSlash(key)
	if err := checkParents(l.files, key); err != nil {
		return nil, 0, fmt.Errorf("open blob: %w", err)
	}
	seen, err := l.files.Lstat(name)
	if err != nil {
		return nil, 0, fmt.Errorf("open blob: %w", err)
	}
	if !seen.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("open blob %s: %w", key, ErrForeign)
	}
	f, err := l.files.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("open blob: %w", err)
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(seen, opened) {
		err = ErrForeign
	}
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("open blob %s: %w", key, err)
	}
	return f, opened.Size(), nil
}

// Walk visits the blobs. See [Store].
func (l *Local) Walk(ctx context.Context, fn func(Blob) error) error {
	return fs.WalkDir(l.files.FS(), top, func(key string, d fs.DirEntry, err error) error {
		if key == top && errors.Is(err, fs.ErrNotExist) {
			return nil // nothing was ever stored
		}
		if err != nil {
			return fmt.Errorf("walk blobs: %w", err)
		}
		if d.IsDir() {
			return ctx.Err()
		}
		fi, err := d.Info()
		if err != nil {
			return fmt.Errorf("walk blobs: %w", err)
		}
		b := Blob{Path: key, Bytes: fi.Size(), Existed: true, Modified: fi.ModTime()}
		if fi.Mode().IsRegular() {
			b.SHA256, _ = parseKey(key) // empty if it is none of ours
		}
		return fn(b)
	})
}

// rename moves a temporary file to its place.
func (l *Local) rename(temp, key string) error {
	return l.base.Rename(filepath.Join(l.tempsIn, temp), filepath.Join(l.filesIn, filepath.FromSlash(key)))
}

// makeDirs makes the directory of a hash durable, once for each directory.
func (l *Local) makeDirs(sum string) error {
	prefix, err := hex.DecodeString(sum[:4])
	if err != nil {
		return err
	}
	upper, lower := &l.upper[prefix[0]], l.lowerFlag(prefix)
	if lower.Load() {
		return nil
	}
	dir := dirFor(sum)
	if !upper.Load() {
		if err := errors.Join(l.makeDurable(top), l.makeDurable(path.Dir(dir))); err != nil {
			return err
		}
		upper.Store(true)
	}
	if err := l.makeDurable(dir); err != nil {
		return err
	}
	lower.Store(true)
	return nil
}

func (l *Local) makeDurable(dir string) error {
	if err := makeDir(l.files, dir); err != nil {
		return err
	}
	return syncDir(l.files, path.Dir(dir))
}

func (l *Local) lowerFlag(prefix []byte) *atomic.Bool {
	return &l.lower[int(prefix[0])<<8|int(prefix[1])]
}
