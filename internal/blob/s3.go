package blob

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// bigBytes is the size over which a file goes up in parts, and that of a part. A
	// single request can take 5 GiB, but starts again from nothing if it breaks
	// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
	bigBytes = 64 << 20
	maxParts = 10_000 // of one object, same page

	// tries is how often a request that broke, or that the service could not
	// answer, is sent in all. The waits between them are under a second each; longer
	// ones are those of the run, which hands its jobs back meanwhile.
	tries = 4
)

// S3Config describes a store in an S3 service.
type S3Config struct {
	Place S3Place
	Temp  string         // directory of temporary files, made if it is missing
	Roots *x509.CertPool // whose certificates the endpoint may have; nil: the system's
}

// S3 is a store in a bucket of an S3 service. A blob is an object under the same
// path, with the store's prefix before it.
//
// A file is first written on this machine, as its key is known only at its end,
// and then sent with its SHA-256, which the service compares. An object is put
// only where none is: what has a key is never overwritten.
type S3 struct {
	place     S3Place
	api       minio.Core
	transport closer
	temps     spool
	secrets   []string // that no error may show
	bigBytes  int64
	pageKeys  int // asked for in one page of a listing; 0: as many as the service gives
}

var (
	_ Store      = (*S3)(nil)
	_ Quarantine = (*S3)(nil)
)

// OpenS3 makes a store from cfg. The keys come from AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or from the profile AWS_PROFILE of
// the file AWS_SHARED_CREDENTIALS_FILE, by default ~/.aws/credentials; without any
// it fails with [ErrRefused]. It makes no request: see [S3.Check].
func OpenS3(cfg S3Config) (*S3, error) {
	p := cfg.Place
	p.Region = cmp.Or(p.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), "us-east-1")
	keys, key, err := s3Keys()
	if err != nil {
		return nil, fmt.Errorf("open blob store %s: %w", p, err)
	}
	transport := newTransport(cfg.Roots)
	// Amazon's buckets are names below its host, but for those with dots, for which
	// its certificate is none; elsewhere few have DNS for that.
	lookup := minio.BucketLookupPath
	if p.Endpoint == "" {
		lookup = minio.BucketLookupAuto
	}
	api, err := minio.NewCore(cmp.Or(p.Endpoint, "s3.amazonaws.com"), &minio.Options{
		Creds: keys, Secure: !p.Plain, Region: p.Region, Transport: transport, BucketLookup: lookup, MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("open blob store %s: %w", p, err)
	}
	temp, err := realDir(cfg.Temp)
	if err != nil {
		return nil, fmt.Errorf("open blob store %s: %w", p, err)
	}
	root, err := os.OpenRoot(temp)
	if err != nil {
		return nil, fmt.Errorf("open blob store %s: %w", p, err)
	}
	return &S3{
		place: p, api: *api, transport: transport, temps: spool{root: root}, bigBytes: bigBytes,
		secrets: []string{key.SecretAccessKey, key.SessionToken, key.AccessKeyID},
	}, nil
}

// CheckS3Keys returns [ErrRefused] if [OpenS3] would find no keys.
func CheckS3Keys() error {
	_, _, err := s3Keys()
	return err
}

// s3Keys finds the keys, as OpenS3 says. A role that a machine or a sign-in page
// gives is not asked for: that would be a request to an address nobody configured.
func s3Keys() (*credentials.Credentials, credentials.Value, error) {
	keys := credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{Filename: credentialsFile()},
	})
	key, err := keys.GetWithContext(&credentials.CredContext{})
	if err != nil {
		return nil, key, fmt.Errorf("%w: read %s: %w", ErrRefused, credentialsFile(), err)
	}
	if key.AccessKeyID == "" || key.SecretAccessKey == "" {
		return nil, key, fmt.Errorf("%w: %w: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE", ErrRefused, ErrNoKeys)
	}
	return keys, key, nil
}

func credentialsFile() string {
	if file := os.Getenv("AWS_SHARED_CREDENTIALS_FILE"); file != "" {
		return file
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ".aws/credentials" // no home: there is no such file either
	}
	return home + "/.aws/credentials"
}

// Close gives up the connections. No writer may be in use.
func (s *S3) Close() error {
	s.transport.CloseIdleConnections()
	return s.temps.root.Close()
}

// Check asks the service for one key of the store. Its error is [ErrRefused] if the
// service will not serve us, which no waiting mends, or one for which
// [OutOfService] holds.
func (s *S3) Check(ctx context.Context) error {
	for object := range s.api.ListObjectsIter(ctx, s.place.Bucket, minio.ListObjectsOptions{
		Prefix: s.place.object(top + "/"), Recursive: true, MaxKeys: 1,
	}) {
		if object.Err != nil {
			return s.fault("check", "", object.Err)
		}
		break
	}
	return ctx.Err()
}

// Open opens a blob. See [Store]. ctx holds for what is read, too.
func (s *S3) Open(ctx context.Context, key string) (io.ReadSeekCloser, int64, error) {
	if _, err := parseKey(key); err != nil {
		return nil, 0, err
	}
	info, err := s.api.StatObject(ctx, s.place.Bucket, s.place.object(key), minio.StatObjectOptions{})
	if err != nil {
		return nil, 0, fmt.Errorf("open blob: %w", s.fault("head", key, err))
	}
	fault := func(err error) error { return s.fault("get", key, err) }
	return &s3Reader{size: info.Size, fault: fault, from: func(offset int64) (io.ReadCloser, error) {
		var opt minio.GetObjectOptions
		if err := errors.Join(opt.SetRange(offset, info.Size-1), opt.SetMatchETag(info.ETag)); err != nil {
			return nil, err
		}
		body, got, _, err := s.api.GetObject(ctx, s.place.Bucket, s.place.object(key), opt)
		if err != nil {
			return nil, err
		}
		if got.Size != info.Size-offset {
			return nil, errors.Join(fmt.Errorf("got %d bytes, asked for those from %d to %d", got.Size, offset, info.Size), body.Close())
		}
		return body, nil
	}}, info.Size, nil
}

// Walk visits the blobs, a page of keys at a time. See [Store].
func (s *S3) Walk(ctx context.Context, fn func(Blob) error) error {
	for object := range s.api.ListObjectsIter(ctx, s.place.Bucket, minio.ListObjectsOptions{
		Prefix: s.place.object(top + "/"), Recursive: true, MaxKeys: s.pageKeys,
	}) {
		if object.Err != nil {
			return fmt.Errorf("walk blobs: %w", s.fault("list", "", object.Err))
		}
		b := Blob{Path: strings.TrimPrefix(object.Key, s.place.object("")), Bytes: object.Size, Existed: true, Modified: object.LastModified}
		b.SHA256, _ = parseKey(b.Path) // empty if it is none of ours
		if err := fn(b); err != nil {
			return err
		}
	}
	return ctx.Err() // which ends a listing without a word
}
