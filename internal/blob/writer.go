package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// localWriter moves its temporary file to its place.
type localWriter struct {
	*spooled
	store *Local
}

// Create begins a new blob. See [Store].
func (l *Local) Create(ctx context.Context, name string) (Writer, error) {
	if l.temps.root == nil {
		return nil, fmt.Errorf("create temporary file: %w", errLooking)
	}
	w, err := l.temps.create(ctx, name)
	if err != nil {
		return nil, err
	}
	return &localWriter{w, l}, nil
}

// Commit implements [Writer].
func (w *localWriter) Commit(ctx context.Context, ext string) (Blob, error) {
	if w.ended {
		return Blob{}, fmt.Errorf("commit blob: %w", fs.ErrClosed)
	}
	defer w.putBuffer()
	b := Blob{SHA256: w.Sum(), Bytes: w.bytes}
	b.Path = keyFor(b.SHA256, ext)
	err := checkExt(ext)
	if err == nil {
		err = w.commit(ctx, &b)
	}
	if err != nil {
		return Blob{}, errors.Join(fmt.Errorf("commit blob %s: %w", b.Path, err), w.Abort())
	}
	return b, w.Abort() // drops the temporary file if the blob existed
}

func (w *localWriter) commit(ctx context.Context, b *Blob) error {
	l := w.store
	if err := w.buffer.Flush(); err != nil {
		return err
	}
	if err := l.makeDirs(b.SHA256); err != nil {
		return err
	}
	var err error
	if b.Existed, err = l.has(*b); err != nil {
		return err
	}
	if b.Existed {
		l.touch(b.Path)
	} else if err := w.place(ctx, b.Path); err != nil {
		return err
	}
	// Needed even if the blob existed: whoever put it there may not have come so far.
	return syncDir(l.files, dirFor(b.SHA256))
}

// place moves the file, whole and durable, to its path.
func (w *localWriter) place(ctx context.Context, key string) error {
	if err := w.file.Sync(); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // the lease was lost meanwhile
	}
	err := w.store.rename(w.temp, key)
	if errors.Is(err, fs.ErrNotExist) {
		w.store.forget(w.hash.Sum(nil)) // somebody removed the directory: the next attempt makes it again
	}
	w.ended = err == nil
	return err
}

// has reports whether the blob is there, whole. A file of another size is a
// damaged one, which renaming replaces.
func (l *Local) has(b Blob) (bool, error) {
	fi, err := l.files.Lstat(b.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !fi.Mode().IsRegular():
		return false, ErrForeign
	}
	return fi.Size() == b.Bytes, nil
}

// touch makes a blob that is stored once more look new, so that nobody who
// collects blobs without a record takes it in the moment before it has one. It
// is a second line of defence, behind the right to run, so it may fail.
func (l *Local) touch(key string) {
	now := time.Now()
	_ = l.files.Chtimes(filepath.FromSlash(key), now, now)
}

// forget makes the next Commit look for the directories of a hash again.
func (l *Local) forget(sum []byte) {
	l.upper[sum[0]].Store(false)
	l.lowerFlag(sum).Store(false)
}
