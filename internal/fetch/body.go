package fetch

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/quire-dev/quire/paper"
)

const (
	slowest    = 1 << 10  // bytes per second that a body must keep up
	drainBytes = 16 << 10 // worth reading to keep a connection
	drainTime  = 100 * time.Millisecond
)

var errTooLarge = errors.New("body over the limit")

// body reads a response as it comes. It keeps time, counts, and names the class
// of what goes wrong.
type body struct {
	from  io.ReadCloser
	watch *watch
	idle  time.Duration
	size  int64 // Content-Length; -1 if unknown
	left  int64 // bytes until it is too large
	exact bool  // it must have size bytes, however it is framed
	fail  func(error) error

	read   int64
	waited time.Duration // in Read since the last look at the pace
	got    int64         // bytes in that time
	err    error         // set once it is over
}

func (b *body) Read(p []byte) (int, error) {
	if b.err == nil && b.size > b.read+b.left {
		b.end(b.fail(fmt.Errorf("%w: Content-Length is %d", errTooLarge, b.size)))
	}
	if b.err != nil {
		return 0, b.err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one byte more tells a body at the limit from one over it
	}
	start := time.Now()
	b.watch.expect(start, b.idle)
	n, err := b.from.Read(p)
	now := time.Now()
	b.watch.calm(now)

	if int64(n) > b.left {
		n, err = int(b.left), errTooLarge
	}
	b.left -= int64(n)
	b.read += int64(n)
	if b.exact {
		n, err = b.exactly(n, err)
	}
	if err == nil {
		err = b.pace(now.Sub(start), n)
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF: //nolint:errorlint // the good end is io.EOF itself
		b.end(io.EOF)
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.end(b.fail(fmt.Errorf("short read after %d bytes: %w", b.read, err)))
	default:
		b.end(b.fail(b.watch.reason(err)))
	}
	return n, b.err
}

// keepTo makes the body one of n bytes, whatever its framing says. The error page
// of a range that is past the end has none.
func (b *body) keepTo(n int64) {
	b.size, b.exact = n, true
	if n == 0 {
		_ = b.from.Close()
		b.from = http.NoBody
	}
}

// exactly holds a read against the size that the body must have.
func (b *body) exactly(n int, err error) (int, error) {
	switch over := b.read - b.size; {
	case over > 0:
		return n - int(over), fmt.Errorf("%w: more than the %d bytes of its range", errCoding, b.size)
	case over < 0 && err == io.EOF: //nolint:errorlint // the good end is io.EOF itself
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// pace ends a body that trickles: each idle timeout's worth of waiting must
// bring the least rate.
func (b *body) pace(waited time.Duration, n int) error {
	b.waited += waited
	b.got += int64(n)
	if b.waited < b.idle {
		return nil
	}
	if float64(b.got) < slowest*b.waited.Seconds() {
		return errStall
	}
	b.waited, b.got = 0, 0
	return nil
}

func (b *body) end(err error) {
	b.err = err
	b.watch.stop()
}

// Close gives the connection back if little is left to read, else closes it.
func (b *body) Close() error {
	if b.err == nil && b.size <= b.read+drainBytes {
		b.idle = min(b.idle, drainTime)
		_, _ = io.CopyN(io.Discard, b, drainBytes)
	}
	err := b.from.Close()
	if b.err == nil {
		b.end(errors.New("read after Close"))
	}
	return err
}

// inflated undoes the one content coding that servers send even unasked.
type inflated struct {
	*body
	gz   *gzip.Reader
	left int64
	err  error
}

func (r *inflated) Read(p []byte) (int, error) {
	if r.err == nil && r.gz == nil {
		r.gz, r.err = gzip.NewReader(r.body)
	}
	if r.err != nil {
		return 0, r.class()
	}
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1]
	}
	n, err := r.gz.Read(p)
	if int64(n) > r.left {
		n, err = int(r.left), errTooLarge
	}
	r.left -= int64(n)
	r.err = err
	return n, r.class()
}

// class returns err as the failure it is: the server's if the bytes are wrong,
// the network's if they did not come.
func (r *inflated) class() error {
	if _, known := errors.AsType[*paper.Failure](r.err); known {
		return r.err
	}
	switch {
	case r.err == nil, r.err == io.EOF: //nolint:errorlint // the good end is io.EOF itself
	case errors.Is(r.err, errTooLarge):
		r.err = r.fail(r.err)
	default:
		r.err = r.fail(fmt.Errorf("%w: %w", errCoding, r.err))
	}
	return r.err
}

// refused is a body in a coding that nobody asked for and we do not know.
type refused struct {
	*body
	coding string
}

func (r refused) Read([]byte) (int, error) {
	return 0, r.fail(fmt.Errorf("%w: Content-Encoding %.40q", errCoding, r.coding))
}

var errCoding = errors.New("undecodable body")

// decode returns the reader for a Content-Encoding. Words that are no coding,
// such as UTF-8, are common mistakes of servers and mean nothing.
func decode(raw *body, encoding string, limit int64) io.ReadCloser {
	coding := strings.ToLower(strings.TrimSpace(encoding))
	switch coding {
	case "", "identity":
		return raw
	case "gzip", "x-gzip":
		return &inflated{body: raw, left: limit}
	}
	for part := range strings.SplitSeq(coding, ",") {
		switch strings.TrimSpace(part) {
		case "gzip", "x-gzip", "deflate", "compress", "br", "zstd":
			return refused{raw, coding}
		}
	}
	return raw
}
