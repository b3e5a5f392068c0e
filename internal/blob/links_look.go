package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxSidecar is how many bytes are read of a file in the link tree: records are
// under 64 KiB, and escaping makes at most six bytes of one.
const maxSidecar = 1 << 20

// linkTemps is the directory, in the tree, of links and files that are about to be
// renamed to their places.
const linkTemps = ".tmp"

// LookLinks opens the link tree in the directory root for looking only: nothing is
// made or changed. Its error wraps fs.ErrNotExist if there is none.
func LookLinks(root, target string) (*Links, error) {
	dir, err := filepath.Abs(root)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open links %s: %w", root, err)
	}
	if target, err = filepath.Abs(target); err != nil {
		return nil, fmt.Errorf("open links %s: %w", root, err)
	}
	if resolved, err := filepath.EvalSymlinks(target); err == nil {
		target = resolved
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open links %s: %w", root, err)
	}
	return openLinks(dir, target)
}

// Entry is a file or a link in a link tree.
type Entry struct {
	Name     string // with slashes and extension
	Blob     string // of a link into the blob store: the Path there
	Regular  bool   // a regular file
	Modified time.Time
}

// Walk calls fn for everything but directories in the tree, directory by directory
// in the order of the names, until fn or ctx returns an error.
func (l *Links) Walk(ctx context.Context, fn func(Entry) error) error {
	return fs.WalkDir(l.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name != "." {
			return nil // another run has just renamed it
		}
		if err != nil {
			return fmt.Errorf("walk links: %w", err)
		}
		if d.IsDir() && name == linkTemps {
			return fs.SkipDir
		}
		if d.IsDir() {
			return ctx.Err()
		}
		fi, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("walk links: %w", err)
		}
		e := Entry{Name: name, Regular: fi.Mode().IsRegular(), Modified: fi.ModTime()}
		if fi.Mode().Type() == fs.ModeSymlink {
			e.Blob = l.leadsTo(name)
		}
		return fn(e)
	})
}

// leadsTo returns the Path of the blob that a link leads to, or "" if it leads
// elsewhere.
func (l *Links) leadsTo(name string) string {
	target, err := l.root.Readlink(filepath.FromSlash(name))
	if err != nil {
		return ""
	}
	key, ours := strings.CutPrefix(filepath.ToSlash(target), strings.Repeat("../", strings.Count(name, "/"))+l.target+"/")
	if _, err := parseKey(key); !ours || err != nil {
		return ""
	}
	return key
}

// Read returns what a regular file of the tree holds. One that is larger than any
// of ours, or no regular file, gives [ErrForeign].
func (l *Links) Read(name string) ([]byte, error) {
	if err := checkParents(l.root, name); err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	seen, err := l.root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	if !seen.Mode().IsRegular() || seen.Size() > maxSidecar {
		return nil, fmt.Errorf("read %q: %w", name, ErrForeign)
	}
	f, err := l.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	defer f.Close()
	if opened, err := f.Stat(); err != nil || !os.SameFile(seen, opened) {
		return nil, fmt.Errorf("read %q: %w", name, errors.Join(ErrForeign, err))
	}
	return io.ReadAll(io.LimitReader(f, maxSidecar))
}

// Write makes name, with slashes between directories, a file with this text. As
// with links, what is there is replaced in one step, symlinks are replaced and not
// followed, what is neither is left alone, and nothing is synced.
func (l *Links) Write(name string, text []byte) error {
	if !validName(name) {
		return fmt.Errorf("write %q: %w", name, fs.ErrInvalid)
	}
	if err := l.write(name, text); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}

func (l *Links) write(name string, text []byte) error {
	if err := l.makeParents(name); err != nil {
		return err
	}
	// Nearly always nothing is there: the file needs no rename, which costs as much
	// as all the rest. Cut off by a crash it is replaced when its job is done again.
	err := l.create(name, text)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if fi, err := l.root.Lstat(name); err == nil && !fi.Mode().IsRegular() && fi.Mode().Type() != fs.ModeSymlink {
		return ErrForeign
	}
	aside, err := l.aside()
	if err != nil {
		return err
	}
	if err := l.create(aside, text); err != nil {
		return err
	}
	if err := l.root.Rename(aside, name); err != nil {
		return errors.Join(err, l.root.Remove(aside))
	}
	return nil
}

// create makes a file where there is none.
func (l *Links) create(name string, text []byte) error {
	f, err := l.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, l.root.Remove(name))
	}
	return nil
}

// aside returns a name for what is about to be renamed.
func (l *Links) aside() (string, error) {
	return linkTemps + "/" + rand.Text(), makeDir(l.root, linkTemps)
}

// Clean removes the links and files that a crash kept from their places. Only who has
// the right to run the queue calls it, before it begins to write.
func (l *Links) Clean(ctx context.Context) error {
	if fi, err := l.root.Lstat(linkTemps); err != nil || !fi.IsDir() {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err // what is no directory is not ours: link and Write will say so
	}
	names, err := fs.ReadDir(l.root.FS(), linkTemps)
	if err != nil {
		return fmt.Errorf("clean link tree: %w", err)
	}
	for _, n := range names {
		if err := errors.Join(ctx.Err(), l.root.Remove(linkTemps+"/"+n.Name())); err != nil {
			return fmt.Errorf("clean link tree: %w", err)
		}
	}
	return nil
}

// Remove removes a link into the store, if e has a Blob, or else a regular file, if e
// is Regular: what is ours of both can be made again. It gives [ErrForeign] if something else is there.
func (l *Links) Remove(e Entry) error {
	if !validName(e.Name) {
		return fmt.Errorf("remove %q: %w", e.Name, fs.ErrInvalid)
	}
	if err := checkParents(l.root, e.Name); err != nil {
		return fmt.Errorf("remove %q: %w", e.Name, err)
	}
	fi, err := l.root.Lstat(e.Name)
	if err != nil {
		return fmt.Errorf("remove %q: %w", e.Name, err)
	}
	link := fi.Mode().Type() == fs.ModeSymlink && e.Blob != "" && l.leadsTo(e.Name) == e.Blob
	file := fi.Mode().IsRegular() && e.Regular
	if !link && !file {
		return fmt.Errorf("remove %q: %w", e.Name, ErrForeign)
	}
	return l.root.Remove(e.Name)
}
