package fetch

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestWait is the most a Retry-After can mean. More is a mistake, or a block
// that a person should look at.
const longestWait = 24 * time.Hour

// RetryAfter reads the Retry-After header (RFC 9110 section 10.2.3): whole seconds,
// or a date, which counts from the response's own Date if it has one, as the
// server's clock may be off, else from now. It reports false for a header that is
// missing, malformed, zero or past: the caller's own backoff is then right. The
// wait is never shortened, except to 24 h.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds == 0 {
			return 0, false
		}
		return time.Duration(min(seconds, int64(longestWait/time.Second))) * time.Second, true
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	wait := until.Sub(sentAt(h, now))
	return min(wait, longestWait), wait > 0
}

// sentAt is when an answer was sent by the clock of its server, now if it does
// not say.
func sentAt(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return now
}
