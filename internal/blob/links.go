package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Links is a tree of symlinks that gives blobs names for people, with a file beside
// each that says what it is. It can be made again from the records at any time, so
// it is not synced to disk. Safe for concurrent use.
type Links struct {
	root   *os.Root
	target string // the blob store, relative to root, with slashes
}

// OpenLinks opens the link tree in the directory root, made if it is missing,
// for the blob store in the directory target.
func OpenLinks(root, target string) (*Links, error) {
	dir, err := realDir(root)
	if err != nil {
		return nil, fmt.Errorf("open links %s: %w", root, err)
	}
	if target, err = realDir(target); err != nil {
		return nil, fmt.Errorf("open links %s: %w", root, err)
	}
	return openLinks(dir, target)
}

// openLinks opens the tree in dir; both paths are absolute and without symlinks.
func openLinks(dir, target string) (*Links, error) {
	rel, err := filepath.Rel(dir, target)
	if err != nil {
		return nil, fmt.Errorf("open links %s: %w", dir, err)
	}
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open links %s: %w", dir, err)
	}
	return &Links{root: r, target: filepath.ToSlash(rel)}, nil
}

// Close releases the directory.
func (l *Links) Close() error { return l.root.Close() }

// Link makes name, with slashes between directories and without extension, a
// symlink to the blob at blobPath, whose extension it gets. Doing it again
// changes nothing; another blob takes the link over in one step. What is there
// and no symlink is left alone: ErrForeign.
func (l *Links) Link(name, blobPath string) error {
	if _, err := parseKey(blobPath); err != nil {
		return fmt.Errorf("link %q: %w", name, err)
	}
	if !validName(name) {
		return fmt.Errorf("link %q: %w", name, fs.ErrInvalid)
	}
	if err := l.link(name+extOf(blobPath), blobPath); err != nil {
		return fmt.Errorf("link %q: %w", name, err)
	}
	return nil
}

func validName(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "\\\x00")
}

func (l *Links) link(name, blobPath string) error {
	depth := strings.Count(name, "/")
	target := strings.Repeat("../", depth) + l.target + "/" + blobPath
	if err := l.makeParents(name); err != nil {
		return err
	}
	err := l.root.Symlink(target, name)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	fi, err := l.root.Lstat(name)
	if err != nil {
		return err
	}
	if fi.Mode().Type() != fs.ModeSymlink {
		return ErrForeign
	}
	if old, err := l.root.Readlink(name); err == nil && filepath.ToSlash(old) == target {
		return nil
	}
	return l.replace(target, name)
}

// replace points a link elsewhere. There is a link under name at any time.
func (l *Links) replace(target, name string) error {
	aside, err := l.aside()
	if err != nil {
		return err
	}
	if err := l.root.Symlink(target, aside); err != nil {
		return err
	}
	if err := l.root.Rename(aside, name); err != nil {
		return errors.Join(err, l.root.Remove(aside))
	}
	return nil
}

// makeParents makes the directories above name. None of them may be a symlink.
func (l *Links) makeParents(name string) error {
	for i, c := range name {
		if c == '/' {
			if err := makeDir(l.root, name[:i]); err != nil {
				return err
			}
		}
	}
	return nil
}
