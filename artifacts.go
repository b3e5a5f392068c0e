package quire

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/quire-dev/quire/internal/blob"
)

const (
	fileScheme = "file:"
	s3Scheme   = "s3:"
)

// artifacts is what a System needs of the place that keeps its files.
type artifacts interface {
	blob.Store

	Clean(ctx context.Context) (removed int, err error)
	Close() error
}

// checkArtifacts returns nil if text names a place for files of a kind that we have.
// Its errors show no part of what might be a password.
func checkArtifacts(text string) error {
	if path, ok := strings.CutPrefix(text, fileScheme); ok {
		if path == "" {
			return errors.New("artifacts file: names no directory: file:DIR")
		}
		return nil
	}
	if !strings.HasPrefix(text, s3Scheme) {
		return fmt.Errorf("artifacts %s: there are file:DIR and s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME", kind(text))
	}
	if _, err := blob.ParseS3(text); err != nil {
		return fmt.Errorf("artifacts %w", err)
	}
	return nil
}

// Check returns an error that wraps [ErrConfig] if the store or the place for files
// is not one that Open could use, or has no keys. It opens neither.
func (c Config) Check() error {
	c, err := c.withDefaults()
	if err != nil || !strings.HasPrefix(c.Artifacts, s3Scheme) {
		return err
	}
	if err := blob.CheckS3Keys(); err != nil {
		return fmt.Errorf("%w: artifacts %s: %w", ErrConfig, c.ArtifactsName(), err)
	}
	return nil
}

// ArtifactsName is Artifacts for people to see: without what may be a password.
func (c Config) ArtifactsName() string {
	if strings.HasPrefix(c.Artifacts, fileScheme) {
		return c.Artifacts
	}
	if place, err := blob.ParseS3(c.Artifacts); err == nil {
		u, _ := url.Parse(c.Artifacts)
		return strings.TrimSuffix(place.String()+"?"+u.RawQuery, "?")
	}
	return kind(c.Artifacts)
}

// openArtifacts opens the place for files. The link tree is nil where the files are
// not on this machine.
func (c Config) openArtifacts() (artifacts, *blob.Links, error) {
	if strings.HasPrefix(c.Artifacts, s3Scheme) {
		s3, err := c.openS3(filepath.Join(c.Data, "tmp"))
		if err != nil {
			return nil, nil, err
		}
		return s3, nil, nil
	}
	root, temp, err := c.artifactDirs()
	if err != nil {
		return nil, nil, err
	}
	local, err := blob.OpenLocal(root, temp)
	if err != nil {
		return nil, nil, fmt.Errorf("open artifacts: %w", err)
	}
	links, err := blob.OpenLinks(c.worksDir(), root)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open link tree: %w", err), local.Close())
	}
	return local, links, nil
}

// openS3 opens a store in S3 that keeps its temporary files in the directory temp.
func (c Config) openS3(temp string) (*blob.S3, error) {
	place, err := blob.ParseS3(c.Artifacts)
	if err != nil {
		return nil, err
	}
	cfg := blob.S3Config{Place: place, Temp: temp}
	if c.HTTP.CAFile != "" {
		if cfg.Roots, err = roots(c.HTTP.CAFile); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	s3, err := blob.OpenS3(cfg)
	if errors.Is(err, blob.ErrRefused) {
		err = fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return s3, err
}

// roots are the system's trust roots and those of a file.
func roots(path string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("trust roots of the system: %w", err)
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("trust roots: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("trust roots: no certificate in %s", path)
	}
	return pool, nil
}

// artifactDirs are the directories of files and of temporary ones, which must
// lie on one file system.
func (c Config) artifactDirs() (root, temp string, err error) {
	root, err = filepath.Abs(strings.TrimPrefix(c.Artifacts, fileScheme))
	if err != nil {
		return "", "", fmt.Errorf("artifacts directory: %w", err)
	}
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return "", "", fmt.Errorf("data directory: %w", err)
	}
	if filepath.Dir(root) == data {
		return root, filepath.Join(data, "tmp"), nil
	}
	return root, filepath.Join(root, "tmp"), nil
}

// blobDir is what stands before a blob's path in records: relative to the data
// directory where the files are there, and a URL where they are in S3.
func (c Config) blobDir() string {
	if place, err := blob.ParseS3(c.Artifacts); err == nil {
		return place.String()
	}
	root, _, err := c.artifactDirs()
	if err != nil {
		return "artifacts"
	}
	if data, err := filepath.Abs(c.Data); err == nil && filepath.Dir(root) == data {
		return filepath.Base(root)
	}
	return root
}

// checkReach asks a place for files that is not on this machine whether it will take
// them. One that is away is waited for, job by job; one that refuses us ends the
// run before it has asked anybody for anything.
func (s *System) checkReach(ctx context.Context) error {
	s3, ok := s.blobs.(*blob.S3)
	if !ok {
		return nil
	}
	err := s3.Check(ctx)
	switch {
	case errors.Is(err, blob.ErrRefused):
		return fmt.Errorf("%w: artifacts: %w", ErrConfig, err)
	case err != nil && ctx.Err() == nil:
		s.cfg.Log.Warn("no file can be stored now; jobs wait until it can", "error", err)
	}
	return nil
}
