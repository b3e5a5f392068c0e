package blob

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"strings"
	"sync"
)

const (
	bufferBytes = 64 << 10
	partExt     = ".part" // marks temporary files
)

// spool is a directory of temporary files.
type spool struct {
	root    *os.Root
	buffers sync.Pool // of *bufio.Writer
}

// spooled is a temporary file, and the hash of what passes.
type spooled struct {
	in     *spool
	temp   string // its name
	file   *os.File
	buffer *bufio.Writer
	hash   hash.Hash
	bytes  int64
	ended  bool // committed or aborted: file is closed, temp gone
}

func (s *spool) create(ctx context.Context, name string) (*spooled, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	temp := name + "-" + rand.Text()[:8] + partExt
	f, err := s.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("create temporary file: %w", err)
	}
	buffer, ok := s.buffers.Get().(*bufio.Writer)
	if !ok {
		buffer = bufio.NewWriterSize(nil, bufferBytes)
	}
	buffer.Reset(f)
	return &spooled{in: s, temp: temp, file: f, buffer: buffer, hash: sha256.New()}, nil
}

func checkName(name string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
	if name == "" || len(name) > 100 || strings.Trim(name, allowed) != "" {
		return fmt.Errorf("name of temporary file %q: want 1 to 100 letters, digits, dots, dashes or underscores", name)
	}
	return nil
}

// Write implements [io.Writer].
func (w *spooled) Write(p []byte) (int, error) {
	if w.ended {
		return 0, fmt.Errorf("write blob: %w", fs.ErrClosed)
	}
	n, err := w.buffer.Write(p)
	w.hash.Write(p[:n])
	w.bytes += int64(n)
	if err != nil {
		return n, fmt.Errorf("write blob: %w", err)
	}
	return n, nil
}

// Sum implements [Writer].
func (w *spooled) Sum() string { return hex.EncodeToString(w.hash.Sum(nil)) }

// Abort implements [Writer].
func (w *spooled) Abort() error {
	if w.ended {
		return nil
	}
	w.ended = true
	w.putBuffer()
	closeErr := w.file.Close()
	if errors.Is(closeErr, fs.ErrClosed) {
		closeErr = nil // by place
	}
	if err := errors.Join(closeErr, w.in.root.Remove(w.temp)); err != nil {
		return fmt.Errorf("drop temporary file: %w", err)
	}
	return nil
}

// putBuffer lets another writer have the buffer. What is in it is written, or
// not wanted.
func (w *spooled) putBuffer() {
	if w.buffer != nil {
		w.buffer.Reset(nil)
		w.in.buffers.Put(w.buffer)
		w.buffer = nil
	}
}

// clean removes temporary files and says how many. Those for which keep is true stay.
func (s *spool) clean(ctx context.Context, keep func(name string) bool) (removed int, err error) {
	names, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return 0, fmt.Errorf("clean temporary files: %w", err)
	}
	for _, n := range names {
		if !n.Type().IsRegular() || !strings.HasSuffix(n.Name(), partExt) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		if keep(n.Name()) {
			continue
		}
		if err := s.root.Remove(n.Name()); err != nil {
			return removed, fmt.Errorf("clean temporary files: %w", err)
		}
		removed++
	}
	return removed, nil
}
