package blob

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"
)

// s3Writer sends its temporary file when it is whole.
type s3Writer struct {
	*spooled
	store *S3
}

// Create begins a new blob. See [Store].
func (s *S3) Create(ctx context.Context, name string) (Writer, error) {
	w, err := s.temps.create(ctx, name)
	if err != nil {
		return nil, err
	}
	return &s3Writer{w, s}, nil
}

// Commit implements [Writer].
func (w *s3Writer) Commit(ctx context.Context, ext string) (Blob, error) {
	if w.ended {
		return Blob{}, fmt.Errorf("commit blob: %w", fs.ErrClosed)
	}
	defer w.putBuffer()
	b := Blob{SHA256: w.Sum(), Bytes: w.bytes}
	b.Path = keyFor(b.SHA256, ext)
	err := errors.Join(checkExt(ext), ctx.Err())
	if err == nil {
		err = w.buffer.Flush()
	}
	if err == nil && w.bytes > w.store.bigBytes {
		err = w.putParts(ctx, &b)
	} else if err == nil {
		err = w.put(ctx, &b)
	}
	if err != nil {
		return Blob{}, errors.Join(fmt.Errorf("commit blob %s: %w", b.Path, err), w.Abort())
	}
	return b, w.Abort() // the temporary file has done its service
}

const (
	// A put that meets another of the same key is sent again after a wait, which
	// doubles up to conflictsEnd: the other is done by then, or is no other.
	conflictWait, conflictsEnd = 50 * time.Millisecond, 2 * time.Second
	// askFirst is the size from which a file is not sent before it is known that the
	// key is free: a service that refuses it half way may cut the connection.
	askFirst = 1 << 20
)

// put sends the file in one request, unless the key is taken.
func (w *s3Writer) put(ctx context.Context, b *Blob) (err error) {
	if b.Bytes >= askFirst {
		if b.Existed, err = w.store.has(ctx, *b); err != nil || b.Existed {
			return err
		}
	}
	for wait := conflictWait; ; wait *= 2 {
		err := w.send(ctx, *b)
		status := minio.ToErrorResponse(err).StatusCode
		switch {
		case err == nil:
			return nil
		case status != http.StatusPreconditionFailed && status != http.StatusConflict && !cut(err):
			return w.store.fault("put", b.Path, err)
		}
		there, hasErr := w.store.has(ctx, *b)
		switch {
		case hasErr != nil && cut(err):
			return w.store.fault("put", b.Path, err)
		case hasErr != nil || there:
			b.Existed = there
			return hasErr
		}
		// Another writer is at the same key right now.
		if wait > conflictsEnd {
			return w.store.fault("put", b.Path, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// cut reports whether the connection was cut while the file was on its way: so may a
// service that refuses it, whose answer is then lost.
func cut(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) }

// send puts the object where none is. Its error may be one of the library's.
func (w *s3Writer) send(ctx context.Context, b Blob) error {
	s, opt := w.store, options(b)
	opt.SetMatchETagExcept("*") // If-None-Match: *
	done, err := s.api.PutObject(ctx, s.place.Bucket, s.place.object(b.Path),
		io.NewSectionReader(w.file, 0, b.Bytes), b.Bytes, "", b.SHA256, opt)
	if err != nil || done.ChecksumSHA256 == inBase64(b.SHA256) {
		return err // nil: the service has seen the same bytes
	}
	return s.confirm(ctx, b)
}

// options are the headers of an object. Browsers are told to save and not to show
// what somebody else wrote.
func options(b Blob) minio.PutObjectOptions {
	kind := "application/octet-stream"
	if extOf(b.Path) == ".pdf" {
		kind = "application/pdf"
	}
	return minio.PutObjectOptions{
		ContentType: kind, ContentDisposition: "attachment", DisableContentSha256: true, // no signature of chunks: the sum is known
		UserMetadata: map[string]string{"sha256": b.SHA256, "x-amz-checksum-sha256": inBase64(b.SHA256)},
	}
}

// has reports whether the object of b is there. One that is of another size, or by
// the service's own account of another hash, is none of ours: [ErrForeign].
func (s *S3) has(ctx context.Context, b Blob) (bool, error) {
	info, err := s.api.StatObject(ctx, s.place.Bucket, s.place.object(b.Path), minio.StatObjectOptions{Checksum: true})
	if err != nil {
		err = s.fault("head", b.Path, err)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return false, err
	}
	sum := info.ChecksumSHA256
	whole := sum == "" || strings.Contains(sum, "-") || sum == inBase64(b.SHA256) // -N: a sum of the sums of parts
	noted := info.UserMetadata["Sha256"]
	if info.Size != b.Bytes || !whole || noted != "" && noted != b.SHA256 {
		return false, fmt.Errorf("object %s/%s of %d bytes: %w", s.place, b.Path, info.Size, ErrForeign)
	}
	return true, nil
}

// confirm returns nil if the object of b is there, whole.
func (s *S3) confirm(ctx context.Context, b Blob) error {
	there, err := s.has(ctx, b)
	if err == nil && !there {
		err = s.fault("head", b.Path, errors.New("the object that was put is not there"))
	}
	return err
}

// inBase64 is a SHA-256 as S3 writes it.
func inBase64(hexSum string) string {
	raw, err := hex.DecodeString(hexSum)
	if err != nil {
		return "" // no sum: equal to none
	}
	return base64.StdEncoding.EncodeToString(raw)
}
