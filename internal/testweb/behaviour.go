package testweb

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Behaviour changes how a handler answers. Those that count keep one count for
// each handler they are applied to, that is for each host they are given to.
type Behaviour func(http.Handler) http.Handler

func chain(h http.Handler, behaviours []Behaviour) http.Handler {
	for _, b := range slices.Backward(behaviours) {
		h = b(h)
	}
	return h
}

// First applies b to the first k requests.
func First(k int, b Behaviour) Behaviour {
	return func(h http.Handler) http.Handler {
		var mu sync.Mutex
		seen := 0
		return either(b(h), h, func(*http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			seen++
			return seen <= k
		})
	}
}

// After applies b to all requests but the first k.
func After(k int, b Behaviour) Behaviour {
	return func(h http.Handler) http.Handler { return First(k, func(http.Handler) http.Handler { return h })(b(h)) }
}

// FirstOfEach applies b to the first k requests for each URL.
func FirstOfEach(k int, b Behaviour) Behaviour {
	return func(h http.Handler) http.Handler {
		var mu sync.Mutex
		seen := map[string]int{}
		return either(b(h), h, func(r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			seen[requestURL(r)]++
			return seen[requestURL(r)] <= k
		})
	}
}

// Under applies b to the requests whose path starts with prefix.
func Under(prefix string, b Behaviour) Behaviour {
	return func(h http.Handler) http.Handler {
		return either(b(h), h, func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, prefix) })
	}
}

func either(yes, no http.Handler, when func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if when(r) {
			yes.ServeHTTP(rw, r)
			return
		}
		no.ServeHTTP(rw, r)
	})
}

// Latency waits before the answer begins.
func Latency(d time.Duration) Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if wait(r.Context(), d) == nil {
				h.ServeHTTP(rw, r)
			}
		})
	}
}

// Hang never answers. It ends when the client gives up or the box closes.
func Hang() Behaviour {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		})
	}
}

// Slow sends bodies at about so many bytes per second, twenty pieces a second.
func Slow(bytesPerSecond int) Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(&slowWriter{ResponseWriter: rw, ctx: r.Context(), rate: bytesPerSecond}, r)
		})
	}
}

type slowWriter struct {
	http.ResponseWriter
	ctx  context.Context //nolint:containedctx // a writer lives as long as its request
	rate int

	began time.Time // the first byte
	all   int64     // bytes since
}

// Unwrap lets http.ResponseController through.
func (s *slowWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *slowWriter) Write(p []byte) (int, error) {
	const pieces = 20 // a second
	size := max(1, s.rate/pieces)
	if s.began.IsZero() {
		s.began = time.Now()
	}
	for sent := 0; ; {
		n, err := s.ResponseWriter.Write(p[sent:min(len(p), sent+size)])
		sent += n
		s.all += int64(n)
		if err != nil || sent == len(p) {
			return sent, err
		}
		_ = http.NewResponseController(s.ResponseWriter).Flush()
		due := s.began.Add(time.Duration(float64(s.all) / float64(s.rate) * float64(time.Second)))
		if err := wait(s.ctx, time.Until(due)); err != nil {
			return sent, err
		}
	}
}

// Fail answers every request with a status, a short text and the header given
// as name, value, name, value.
func Fail(status int, header ...string) Behaviour {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				rw.Header().Set(header[i], header[i+1])
			}
			http.Error(rw, http.StatusText(status), status)
		})
	}
}

// Announce gives every answer the header name, value, name, value, in place of
// what it says itself. A limit that drops in the middle is one announced at First
// and another one announced After.
func Announce(header ...string) Behaviour {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			a := &announcer{ResponseWriter: rw, header: header}
			h.ServeHTTP(a, r)
			a.announce() // to an answer without a body
		})
	}
}

type announcer struct {
	http.ResponseWriter
	header []string
}

// Unwrap lets http.ResponseController through.
func (a *announcer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *announcer) announce() {
	for i := 0; i+1 < len(a.header); i += 2 {
		a.Header().Set(a.header[i], a.header[i+1])
	}
	a.header = nil
}

func (a *announcer) WriteHeader(status int) {
	a.announce()
	a.ResponseWriter.WriteHeader(status)
}

func (a *announcer) Write(p []byte) (int, error) {
	a.announce()
	return a.ResponseWriter.Write(p)
}

// RetryAfter words a Retry-After header for a wait; empty for none.
type RetryAfter func(time.Duration) string

// InSeconds says Retry-After in whole seconds, rounded up.
func InSeconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// AsDate says Retry-After as an HTTP date, rounded up to a second.
func AsDate(d time.Duration) string {
	return time.Now().Add(d + time.Second - 1).UTC().Format(http.TimeFormat)
}

// Unsaid says nothing.
func Unsaid(time.Duration) string { return "" }

// Say always says the same, such as "banana".
func Say(text string) RetryAfter { return func(time.Duration) string { return text } }

// Throttle lets n requests through in each window and answers the others with
// 429. A window opens with the first request after the one before has ended.
func Throttle(n int, window time.Duration, retryAfter RetryAfter) Behaviour {
	return func(h http.Handler) http.Handler {
		var mu sync.Mutex
		var ends time.Time
		used := 0
		left := func() time.Duration { // until the window ends, if the request is one too many
			mu.Lock()
			defer mu.Unlock()
			now := time.Now()
			if !now.Before(ends) {
				ends, used = now.Add(window), 0
			}
			if used++; used <= n {
				return 0
			}
			return ends.Sub(now)
		}
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			over := left()
			if over == 0 {
				h.ServeHTTP(rw, r)
				return
			}
			if text := retryAfter(over); text != "" {
				rw.Header().Set("Retry-After", text)
			}
			http.Error(rw, "Too many requests", http.StatusTooManyRequests)
		})
	}
}

// wait returns after d, or with the context's error when that ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
