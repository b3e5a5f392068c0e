package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
)

// SetAside copies an object to the prefix "quarantine", beside the store, and removes
// it where it was. S3 copies objects of up to 5 GB in one request
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html); a larger one
// stays where it is, with an error. See [Quarantine].
func (s *S3) SetAside(ctx context.Context, key string) (place string, err error) {
	if !fs.ValidPath(key) || !strings.HasPrefix(key, top+"/") {
		return "", fmt.Errorf("set aside %q: %w", key, fs.ErrInvalid)
	}
	from := s.place.object(key)
	info, err := s.api.StatObject(ctx, s.place.Bucket, from, minio.StatObjectOptions{})
	if err != nil {
		return "", fmt.Errorf("set blob aside: %w", s.fault("head", key, err))
	}
	if place, err = s.freePlace(ctx, asideDir+"/"+path.Base(key)); err != nil {
		return "", fmt.Errorf("set blob aside: %w", err)
	}
	_, err = s.api.Client.CopyObject(ctx,
		minio.CopyDestOptions{Bucket: s.place.Bucket, Object: s.place.object(place)},
		minio.CopySrcOptions{Bucket: s.place.Bucket, Object: from, MatchETag: info.ETag})
	if err != nil {
		return "", fmt.Errorf("set blob aside: %w", s.fault("copy", key, err))
	}
	if err := s.api.RemoveObject(ctx, s.place.Bucket, from, minio.RemoveObjectOptions{}); err != nil {
		return "", fmt.Errorf("set blob aside: %w", s.fault("delete", key, err))
	}
	return place, nil
}

// freePlace returns name, or what it becomes with a number behind it if there is such
// an object already. It is for one caller at a time, who has the right to run.
func (s *S3) freePlace(ctx context.Context, name string) (string, error) {
	free := name
	for n := 2; n <= maxAside; n++ {
		_, err := s.api.StatObject(ctx, s.place.Bucket, s.place.object(free), minio.StatObjectOptions{})
		if err != nil {
			if err = s.fault("head", free, err); errors.Is(err, fs.ErrNotExist) {
				return free, nil
			}
			return "", err
		}
		free = name + "~" + strconv.Itoa(n)
	}
	return "", fmt.Errorf("%s: %d of its name are there already: %w", name, maxAside, fs.ErrExist)
}
