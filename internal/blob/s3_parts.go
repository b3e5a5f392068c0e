package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"
)

// uploadExt ends the name of a temporary file that is being sent in parts. Before
// it stands the name of the blob, so that Clean finds what a crash left at the
// service: parts that show nowhere and are paid for.
const uploadExt = ".upload" + partExt

// putParts sends the file in parts, unless the key is taken.
func (w *s3Writer) putParts(ctx context.Context, b *Blob) error {
	s := w.store
	var err error
	if b.Existed, err = s.has(ctx, *b); err != nil || b.Existed {
		return err
	}
	if err := w.mark(b.SHA256 + extOf(b.Path)); err != nil {
		return err
	}
	opt := options(*b)
	delete(opt.UserMetadata, "x-amz-checksum-sha256") // each part has its own
	opt.UserMetadata["x-amz-checksum-algorithm"] = "SHA256"
	id, err := s.api.NewMultipartUpload(ctx, s.place.Bucket, s.place.object(b.Path), opt)
	if err != nil {
		return s.fault("put", b.Path, err)
	}
	err = w.sendParts(ctx, b, id)
	if err != nil {
		w.giveUp(ctx, *b, id)
	}
	return err
}

// mark renames the temporary file. Its name stays unique: two writers may have the
// same bytes.
func (w *s3Writer) mark(name string) error {
	marked := name + "-" + rand.Text()[:8] + uploadExt
	if err := w.in.root.Rename(w.temp, marked); err != nil {
		return fmt.Errorf("mark upload: %w", err)
	}
	w.temp = marked
	return nil
}

func (w *s3Writer) sendParts(ctx context.Context, b *Blob, id string) error {
	s := w.store
	size := max(s.bigBytes, (b.Bytes+maxParts-1)/maxParts)
	whole := sha256.New()
	var parts []minio.CompletePart
	for at := int64(0); at < b.Bytes; at += size {
		part, err := w.sendPart(ctx, b, id, len(parts)+1, io.NewSectionReader(w.file, at, min(size, b.Bytes-at)), whole)
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	// The service compares only the sums of parts. That they make up the file that
	// was written we must see ourselves.
	if got := hex.EncodeToString(whole.Sum(nil)); got != b.SHA256 {
		return fmt.Errorf("temporary file reads as %s: %w", got, syscall.EIO)
	}
	var opt minio.PutObjectOptions
	opt.SetMatchETagExcept("*")
	_, err := s.api.CompleteMultipartUpload(ctx, s.place.Bucket, s.place.object(b.Path), id, parts, opt)
	if err != nil {
		// The key is taken, or an answer was lost and the upload is over: either way
		// what is there decides.
		there, hasErr := s.has(ctx, *b)
		switch {
		case hasErr != nil:
			return hasErr
		case !there:
			return s.fault("put", b.Path, err)
		}
		b.Existed = minio.ToErrorResponse(err).StatusCode == http.StatusPreconditionFailed
		if b.Existed {
			w.giveUp(ctx, *b, id)
		}
		return nil
	}
	return s.confirm(ctx, *b)
}

// sendPart sends a part with its sum, which it also adds to that of the whole.
func (w *s3Writer) sendPart(ctx context.Context, b *Blob, id string, number int, part *io.SectionReader, whole hash.Hash) (minio.CompletePart, error) {
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(sum, whole), part); err != nil {
		return minio.CompletePart{}, fmt.Errorf("read temporary file: %w", err)
	}
	hexSum := hex.EncodeToString(sum.Sum(nil))
	s := w.store
	sent, err := s.api.PutObjectPart(ctx, s.place.Bucket, s.place.object(b.Path), id, number, part, part.Size(), minio.PutObjectPartOptions{
		Sha256Hex: hexSum, DisableContentSha256: true, CustomHeader: http.Header{"X-Amz-Checksum-Sha256": {inBase64(hexSum)}},
	})
	if err != nil {
		return minio.CompletePart{}, s.fault("put", b.Path, err)
	}
	return minio.CompletePart{PartNumber: number, ETag: sent.ETag, ChecksumSHA256: inBase64(hexSum)}, nil
}

// giveUpTime bounds the request by which the service forgets an upload, which is
// sent although the caller may be stopping.
const giveUpTime = 10 * time.Second

// giveUp drops the parts that were sent. If the service does not hear of it, the
// name of the temporary file stays, empty, for Clean.
func (w *s3Writer) giveUp(ctx context.Context, b Blob, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTime)
	defer cancel()
	s := w.store
	err := s.api.AbortMultipartUpload(ctx, s.place.Bucket, s.place.object(b.Path), id)
	if err == nil || minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
		return
	}
	w.ended = true // and the name stays; what does not give way here, Clean removes
	_ = errors.Join(w.file.Truncate(0), w.file.Close())
}

// Clean removes what a crash left behind: temporary files, of which it says how
// many, and the parts of uploads that they stand for. Those that the service can't
// be told of now are left for the next time. Only the owner of the directory calls
// it, before it begins to write.
func (s *S3) Clean(ctx context.Context) (removed int, err error) {
	return s.temps.clean(ctx, func(name string) bool {
		name, ok := strings.CutSuffix(name, uploadExt)
		if !ok {
			return false
		}
		dash := strings.LastIndexByte(name, '-')
		if dash < 4 {
			return false
		}
		key := keyFor(name[:dash], "")
		if _, err := parseKey(key); err != nil {
			return false
		}
		return s.forget(ctx, key) != nil
	})
}

// forget drops all uploads to a key that were not completed.
func (s *S3) forget(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, giveUpTime)
	defer cancel()
	object := s.place.object(key)
	var after, afterID string
	for {
		page, err := s.api.ListMultipartUploads(ctx, s.place.Bucket, object, after, afterID, "", s.pageKeys)
		if err != nil {
			return s.fault("list uploads", key, err)
		}
		for _, upload := range page.Uploads {
			err := s.api.AbortMultipartUpload(ctx, s.place.Bucket, upload.Key, upload.UploadID)
			if err != nil && minio.ToErrorResponse(err).StatusCode != http.StatusNotFound {
				return s.fault("drop upload", key, err)
			}
		}
		if !page.IsTruncated || page.NextKeyMarker == after && page.NextUploadIDMarker == afterID {
			return nil
		}
		after, afterID = page.NextKeyMarker, page.NextUploadIDMarker
	}
}
