package blob

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// s3Reader reads an object. Seeking costs nothing until the next read, which then
// asks for the rest of the object from there.
type s3Reader struct {
	size, offset int64
	from         func(offset int64) (io.ReadCloser, error)
	fault        func(error) error // makes one of the store's of it
	body         io.ReadCloser     // at offset, or nil
	closed       bool
}

// Read implements [io.Reader].
func (r *s3Reader) Read(p []byte) (int, error) {
	switch {
	case r.closed:
		return 0, fmt.Errorf("read blob: %w", fs.ErrClosed)
	case r.offset >= r.size:
		return 0, io.EOF
	}
	if r.body == nil {
		body, err := r.from(r.offset)
		if err != nil {
			return 0, fmt.Errorf("read blob: %w", r.fault(err))
		}
		r.body = body
	}
	n, err := r.body.Read(p)
	r.offset += int64(n)
	switch {
	case errors.Is(err, io.EOF) && r.offset < r.size:
		return n, fmt.Errorf("read blob: %w", r.fault(io.ErrUnexpectedEOF))
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("read blob: %w", r.fault(err))
	default:
		return n, err
	}
}

// Seek implements [io.Seeker].
func (r *s3Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.offset
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, fmt.Errorf("seek in blob: %w", fs.ErrInvalid)
	}
	if offset == r.offset {
		return offset, nil
	}
	err := r.drop()
	r.offset = offset
	return offset, err
}

// Close implements [io.Closer].
func (r *s3Reader) Close() error {
	r.closed = true
	return r.drop()
}

func (r *s3Reader) drop() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}
