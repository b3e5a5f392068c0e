package fetch

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxValidator = 1 << 10 // bytes; those in use have a few dozen

	// clockDoubt is how much older than the answer a Last-Modified must be to tell
	// versions apart for certain: clocks differ, and a file may change twice in a
	// second (RFC 9110 section 8.8.2.2, which leaves the number open; RFC 7232
	// section 2.2.2 says a minute).
	clockDoubt = time.Minute
)

// Mark is where a file broke off, and by what its rest is known to be of the same
// version: a strong validator (RFC 9110 section 8.8.1). There is none for a file
// without.
type Mark struct {
	Have int64 // bytes that have come, from the first on; more than 0

	size           int64  // of the whole; -1 if the server did not say
	etag, modified string // one of them
}

// Mark returns from where the body of r can be resumed once have bytes of the file
// have come, or nil if the server has not given what that takes: an answer of 200
// in no content coding, ranges not ruled out, and a strong ETag or, where there is
// no ETag at all, a Last-Modified that is strong.
func (r *Response) Mark(have int64) *Mark {
	if r.from == nil || have <= 0 || (r.from.size >= 0 && have > r.from.size) {
		return nil
	}
	m := *r.from
	m.Have = have
	return &m
}

// origin returns the mark of the first byte of an answer, nil if it has none.
func origin(status int, h http.Header, size int64) *Mark {
	if status != http.StatusOK || strings.EqualFold(strings.TrimSpace(h.Get("Accept-Ranges")), "none") {
		return nil
	}
	m := &Mark{size: size}
	switch tags := h.Values("Etag"); {
	case len(tags) == 1 && strongTag(tags[0]):
		m.etag = tags[0]
	case len(tags) == 0 && strongDate(h):
		m.modified = h.Get("Last-Modified")
	default:
		return nil
	}
	return m
}

// strongTag reports whether tag is a well-formed strong entity tag (RFC 9110
// section 8.8.3).
func strongTag(tag string) bool {
	if len(tag) < 2 || len(tag) > maxValidator || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return false
	}
	for _, c := range []byte(tag[1 : len(tag)-1]) {
		if c <= ' ' || c == '"' || c == 0x7f {
			return false
		}
	}
	return true
}

func strongDate(h http.Header) bool {
	if len(h.Values("Last-Modified")) != 1 {
		return false
	}
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil {
		return false
	}
	sent, err := http.ParseTime(h.Get("Date"))
	return err == nil && sent.Sub(modified) >= clockDoubt
}

// ask adds to a request's header what asks for the rest after m, or for the whole
// if it is another version by now.
func (m *Mark) ask(h http.Header) {
	h.Set("Range", fmt.Sprintf("bytes=%d-", m.Have))
	if m.etag != "" {
		h.Set("If-Range", m.etag)
	} else {
		h.Set("If-Range", m.modified)
	}
}

// rest returns how many bytes an answer holds if it is all that is missing after
// m, of the same version. Everything else is not ok: it must not be put behind
// what has come.
func (m *Mark) rest(status int, h http.Header) (n int64, ok bool) {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return 0, false
	}
	switch status {
	case http.StatusPartialContent:
		first, last, size, ok := contentRange(h)
		whole := ok && first == m.Have && last == size-1 && (m.size < 0 || size == m.size)
		return last - first + 1, whole && m.same(h)
	case http.StatusRequestedRangeNotSatisfiable:
		// All had come but the sign that it was all: "bytes */1234".
		size, found := strings.CutPrefix(h.Get("Content-Range"), "bytes */")
		n, err := strconv.ParseInt(size, 10, 64)
		all := found && err == nil && n == m.Have && (m.size < 0 || n == m.size)
		// Errors seldom carry validators, but If-Range was asked: of another version
		// the whole would have come.
		return 0, all && (len(h.Values("Etag")) == 0 || m.same(h))
	}
	return 0, false
}

// same reports whether an answer has the validator of m: bytes may be combined
// only if they share one (RFC 9110 section 15.3.7.3).
func (m *Mark) same(h http.Header) bool {
	tags, dates := h.Values("Etag"), h.Values("Last-Modified")
	if m.etag != "" {
		return len(tags) == 1 && tags[0] == m.etag
	}
	return len(tags) == 0 && len(dates) == 1 && dates[0] == m.modified
}

// contentRange reads "bytes 100-199/200" (RFC 9110 section 14.4), in this one form.
func contentRange(h http.Header) (first, last, size int64, ok bool) {
	values := h.Values("Content-Range")
	if len(values) != 1 {
		return 0, 0, 0, false
	}
	text, found := strings.CutPrefix(values[0], "bytes ")
	span, total, cut := strings.Cut(text, "/")
	from, to, dash := strings.Cut(span, "-")
	if !found || !cut || !dash {
		return 0, 0, 0, false
	}
	for _, f := range []struct {
		to   *int64
		text string
	}{{&first, from}, {&last, to}, {&size, total}} {
		n, err := strconv.ParseUint(f.text, 10, 63)
		if err != nil {
			return 0, 0, 0, false
		}
		*f.to = int64(n)
	}
	return first, last, size, first <= last && last < size
}
