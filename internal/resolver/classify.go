package resolver

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/quire-dev/quire/paper"
)

// maxWait bounds a Retry-After that no clock could hold.
const maxWait = 30 * 24 * time.Hour

// check says what the status of a reply means; nil is 200. A status that is
// about the one work is a miss. identified tells that the service knows us by a
// key or an address, so that its refusal is about our configuration.
func check(reply paper.Reply, identified bool) error {
	switch code := reply.Status; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusNotFound, code == http.StatusGone:
		return miss("not known there")
	case code == http.StatusTooManyRequests,
		code == http.StatusServiceUnavailable && reply.Header.Get("Retry-After") != "":
		return failure(paper.Throttled, reply)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		if identified {
			return failure(paper.Config, reply)
		}
		return failure(paper.Forbidden, reply)
	case code >= 500, code == http.StatusRequestTimeout, code < 400:
		return failure(paper.Transient, reply)
	default: // asking again cannot help this work, and says nothing of others
		return miss(fmt.Sprintf("refused the request (status %d)", code))
	}
}

// failure is a status that is not about the one work, with the first words of
// what the service said.
func failure(class paper.Class, reply paper.Reply) *paper.Failure {
	f := &paper.Failure{Class: class, Status: reply.Status, Err: fmt.Errorf("status %d%s", reply.Status, firstWords(reply.Body))}
	if class == paper.Throttled {
		f.RetryAfter = retryAfter(reply.Header, time.Now())
	}
	return f
}

// unreadable is an answer with status 200 that is not what the service sends.
func unreadable(body []byte, why error) *paper.Failure {
	return &paper.Failure{
		Class:  paper.Transient,
		Status: http.StatusOK,
		Err:    fmt.Errorf("read answer: %w%s", why, firstWords(body)),
	}
}

var (
	errEmpty     = errors.New("it is empty")
	errNotObject = errors.New("it is no JSON object")
	errNotArray  = errors.New("it is no JSON array")
	errNoList    = errors.New("it has no list of records")

	errOtherNumber = errors.New("it has another number of records than were asked for")
)

// firstWords quotes the start of a body for an error message.
func firstWords(body []byte) string {
	const most = 120
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return ""
	}
	return fmt.Sprintf(": %q", body[:min(len(body), most)])
}

// retryAfter reads Retry-After as seconds or as an HTTP date (RFC 9110, 10.2.3),
// the latter against the clock of the server. 0: absent, past or not valid.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if at, err := http.ParseTime(value); err == nil {
		if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
			now = theirs
		}
		return min(max(at.Sub(now), 0), maxWait)
	}
	return seconds(value)
}

// seconds reads a whole number of seconds; 0 if it is none.
func seconds(value string) time.Duration {
	n, err := strconv.ParseUint(value, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange) || n > uint64(maxWait/time.Second):
		return maxWait
	case err != nil:
		return 0
	default:
		return time.Duration(n) * time.Second
	}
}
