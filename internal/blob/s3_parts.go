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
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"
)

// uploadExt ends the name of a mark: an empty temporary file, named after a blob
// that is being sent in parts, so that Clean finds what a crash left at the service:
// parts that show nowhere and are paid for.
const uploadExt = ".upload" + partExt

// putParts sends the file in parts, unless the key is taken.
func (w *s3Writer) putParts(ctx context.Context, b *Blob) (err error) {
	s := w.store
	if b.Existed, err = s.has(ctx, *b); err != nil || b.Existed {
		return err
	}
	mark, err := s.mark(*b)
	if err != nil {
		return err
	}
	opt := options(*b)
	delete(opt.UserMetadata, "x-amz-checksum-sha256") // each part has its own
	opt.UserMetadata["x-amz-checksum-algorithm"] = "SHA256"
	id, err := s.api.NewMultipartUpload(ctx, s.place.Bucket, s.place.object(b.Path), opt)
	if err != nil {
		err = s.fault("put", b.Path, err)
	} else {
		err = w.sendParts(ctx, b, id)
	}
	if (err != nil || b.Existed) && s.giveUp(ctx, b.Path, id) != nil {
		return err // and the mark stays
	}
	return errors.Join(err, s.temps.root.Remove(mark))
}

// mark makes a mark for a blob and returns its name, which is unique: two writers
// may have the same bytes.
func (s *S3) mark(b Blob) (name string, err error) {
	name = b.SHA256 + extOf(b.Path) + "-" + rand.Text()[:8] + uploadExt
	f, err := s.temps.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return "", fmt.Errorf("mark upload: %w", err)
	}
	return name, nil
}

// marked returns the path of the blob that a mark is for.
func marked(name string) (key string, ok bool) {
	name, ok = strings.CutSuffix(name, uploadExt)
	dash := strings.LastIndexByte(name, '-')
	if !ok || dash < 4 {
		return "", false
	}
	key = keyFor(name[:dash], "")
	_, err := parseKey(key)
	return key, err == nil
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

// giveUp drops the parts of an upload. An upload that never got its id may have
// begun all the same: then it drops whatever there is of the key.
func (s *S3) giveUp(ctx context.Context, key, id string) error {
	ctx = context.WithoutCancel(ctx)
	if id == "" {
		return s.forget(ctx, key)
	}
	ctx, cancel := context.WithTimeout(ctx, giveUpTime)
	defer cancel()
	return s.drop(ctx, s.place.object(key), id)
}

// drop ends an upload, unless it is over.
func (s *S3) drop(ctx context.Context, object, id string) error {
	err := s.api.AbortMultipartUpload(ctx, s.place.Bucket, object, id)
	if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
		return nil
	}
	return err
}

// Clean removes what a crash left behind: temporary files, of which it says how
// many, and the parts of uploads that they are marks of. Those that the service can't
// be told of now are left for the next time. Only the owner of the directory calls
// it, before it begins to write.
func (s *S3) Clean(ctx context.Context) (removed int, err error) {
	return s.temps.clean(ctx, func(name string) bool {
		key, ok := marked(name)
		return ok && s.forget(ctx, key) != nil
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
			return err
		}
		for _, upload := range page.Uploads {
			if err := s.drop(ctx, upload.Key, upload.UploadID); err != nil {
				return err
			}
		}
		if !page.IsTruncated || page.NextKeyMarker == after && page.NextUploadIDMarker == afterID {
			return nil
		}
		after, afterID = page.NextKeyMarker, page.NextUploadIDMarker
	}
}
