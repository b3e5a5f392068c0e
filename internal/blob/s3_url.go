package blob

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// S3Place says where in which S3 service a store is.
type S3Place struct {
	Bucket   string
	Prefix   string // of all keys, without a slash at its ends; may be empty
	Region   string // empty: AWS_REGION, AWS_DEFAULT_REGION or us-east-1
	Endpoint string // HOST or HOST:PORT; empty: Amazon's of the region
	Plain    bool   // no TLS: the endpoint was given as http://
}

// maxPrefix keeps keys under the 1,024 bytes that S3 allows, with room to spare
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
const maxPrefix = 512

// ParseS3 reads s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME]. Its errors show
// nothing of what may be a password.
func ParseS3(text string) (S3Place, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "s3" || u.Opaque != "" || u.Fragment != "":
		return S3Place{}, errors.New("s3:…: not of the form s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME")
	case u.User != nil:
		return S3Place{}, errors.New("s3://…: a name or password has no place there; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	p := S3Place{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if err := s3utils.CheckValidBucketNameStrict(p.Bucket); err != nil {
		return S3Place{}, fmt.Errorf("s3://%s: bucket %q: want 3 to 63 lower-case letters, digits, dots and dashes", p.Bucket, p.Bucket)
	}
	if err := checkPrefix(p.Prefix); err != nil {
		return S3Place{}, fmt.Errorf("s3://%s: %w", p.Bucket, err)
	}
	p, err = withQuery(p, u.RawQuery)
	if err != nil {
		return S3Place{}, fmt.Errorf("%s: %w", p, err)
	}
	return p, nil
}

// checkPrefix accepts the characters that S3 calls safe, so that a key is written
// in a URL as it is.
func checkPrefix(prefix string) error {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!-_.*'()/"
	bad := len(prefix) > maxPrefix || strings.Trim(prefix, safe) != ""
	for part := range strings.SplitSeq(prefix, "/") {
		bad = bad || part == "." || part == ".." || part == "" && prefix != ""
	}
	if bad {
		return fmt.Errorf("prefix %.40q: want at most %d letters, digits and any of !-_.*'(), in parts between single slashes", prefix, maxPrefix)
	}
	return nil
}

func withQuery(p S3Place, raw string) (S3Place, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return p, errors.New("what follows the ? is not NAME=VALUE&NAME=VALUE")
	}
	for name, all := range values {
		switch {
		case name != "endpoint" && name != "region":
			return p, fmt.Errorf("parameter %.40q: there are endpoint and region", name)
		case len(all) > 1:
			return p, fmt.Errorf("parameter %s is given %d times", name, len(all))
		}
	}
	p.Region = values.Get("region")
	if len(p.Region) > 64 || strings.Trim(p.Region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return p, fmt.Errorf("region %.40q: want a name such as eu-central-1", p.Region)
	}
	if endpoint := values.Get("endpoint"); endpoint != "" {
		p.Endpoint, p.Plain, err = parseEndpoint(endpoint)
	}
	return p, err
}

// parseEndpoint reads https://HOST[:PORT], http://… for a server without TLS, or just
// HOST[:PORT], which has it.
func parseEndpoint(text string) (host string, plain bool, err error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false, errors.New("endpoint: want https://HOST:PORT, or http://HOST:PORT for a server without TLS, and nothing else")
	}
	return u.Host, u.Scheme == "http", nil
}

// String is the URL of the place without its parameters: s3://BUCKET/PREFIX.
func (p S3Place) String() string { return strings.TrimSuffix("s3://"+p.Bucket+"/"+p.Prefix, "/") }

// host is whom requests go to, for people to see.
func (p S3Place) host() string {
	if p.Endpoint == "" {
		return "s3." + p.Region + ".amazonaws.com"
	}
	return p.Endpoint
}

// object returns the key in the bucket of a blob's path, or of a part of one.
func (p S3Place) object(path string) string {
	if p.Prefix == "" {
		return path
	}
	return p.Prefix + "/" + path
}
