package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
)

// ErrRefused says that an S3 service does not let us in or has no such bucket, or
// that there are no keys to ask it with.
var ErrRefused = errors.New("refused")

// ErrNoKeys says that there are no keys to ask an S3 service with.
var ErrNoKeys = errors.New("no keys")

// s3Error is what an S3 service, or the way to it, had to say.
type s3Error struct {
	text    string
	err     error
	service bool // any other file would have met it
}

func (e *s3Error) Error() string { return e.text }
func (e *s3Error) Unwrap() error { return e.err }

// maxSaid is how much of a service's own words is repeated, in bytes.
const maxSaid = 300

// fault makes one line, without secrets, of an error of the library. key is the
// path of a blob or empty.
func (s *S3) fault(verb, key string, err error) error {
	if _, ours := errors.AsType[*s3Error](err); ours || errors.Is(err, context.Canceled) || errors.Is(err, ErrForeign) {
		return err
	}
	said, answer := err.Error(), minio.ToErrorResponse(err)
	fault := &s3Error{err: err, service: !ofTheFile(answer)}
	switch wrapped, ok := errors.AsType[*url.Error](err); {
	case answer.Code == minio.NoSuchKey:
		fault.err, fault.service = fs.ErrNotExist, false
		said = fs.ErrNotExist.Error()
	case refusal(answer):
		fault.err = ErrRefused
		said = fmt.Sprintf("refused: %s (%s)", said, answer.Code)
	case answer.Code != "":
		said = fmt.Sprintf("%s (%s)", said, answer.Code)
	case ok:
		said = wrapped.Err.Error() // its URL says nothing new
	}
	if len(said) > maxSaid {
		said = strings.ToValidUTF8(said[:maxSaid], "") + "…"
	}
	fault.text = strings.TrimSuffix(fmt.Sprintf("%s %s/%s", verb, s.place, key), "/") + " at " + s.place.host() + ": " + s.mask(said)
	return fault
}

func (s *S3) mask(text string) string {
	for _, secret := range s.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "xxxxx")
		}
	}
	return text
}

// ofTheFile reports whether the service minds this one object. All else, such as a
// sum that does not fit what arrived, waiting or the operator can mend.
func ofTheFile(answer minio.ErrorResponse) bool {
	return slices.Contains([]string{minio.EntityTooLarge, "KeyTooLongError"}, answer.Code) ||
		answer.StatusCode == http.StatusRequestEntityTooLarge
}

// refusal reports whether the service knows us not, or forbids what we ask, or is
// not where the bucket is.
func refusal(answer minio.ErrorResponse) bool {
	switch answer.StatusCode {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed:
		return true
	case http.StatusNotFound: // the bucket, or whose key it is
		return answer.Code != minio.NoSuchKey && answer.Code != minio.NoSuchUpload
	case http.StatusBadRequest:
		return slices.Contains([]string{"InvalidToken", "ExpiredToken", minio.AuthorizationHeaderMalformed, minio.InvalidRegion}, answer.Code)
	default:
		return false
	}
}
