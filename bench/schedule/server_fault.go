package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// fault is how a station behaves if it is not well. Waits that are told are in
// whole seconds of real time, as their headers are.
type fault string

const (
	hangs      fault = "hangs"       // never answers
	resets     fault = "resets"      // ends the connection at each request
	refuses    fault = "refuses"     // 429 without Retry-After above its rate
	waits      fault = "waits"       // now and then 429, with Retry-After in seconds
	waitsDate  fault = "waits-date"  // the same with 503 and a date
	announces  fault = "announces"   // tells its limit, which drops, and refuses above it
	robotsDown fault = "robots-down" // its robots.txt is 503
	robotsNo   fault = "robots-no"   // its robots.txt forbids everything
)

func (f fault) dead() bool   { return f == hangs || f == resets }
func (f fault) robots() bool { return f == robotsDown || f == robotsNo }

const (
	waitAfter  = 20               // answers between two waits
	waitFor    = time.Second      // how long such a wait is
	refuseFor  = 60 * time.Second // how long R measures
	dropsAfter = 3                // the announced limit drops after this part of the jobs, divided by the number of resolvers
)

// faultState is what a faulty station remembers. The server's mutex guards it.
type faultState struct {
	next     time.Time // refuses: when the next start is allowed
	gate     time.Time // waits: no start before
	answered int
	tokens   float64 // announces: starts that may come at once
	filled   time.Time
}

// answer serves a request and returns its status, 0 if the client has not got
// one, and the time before which it must not come again, in Unix nanoseconds.
func (s *server) answer(rw http.ResponseWriter, r *http.Request, at int, j job) (status int, gate int64) {
	switch s.Stations[at].fault {
	case hangs:
		<-r.Context().Done()
		return 0, 0
	case resets:
		reset(rw)
		return 0, 0
	case refuses:
		if !s.bears(at) {
			rw.WriteHeader(http.StatusTooManyRequests)
			return http.StatusTooManyRequests, 0
		}
	case waits, waitsDate:
		if until := s.gateOf(at); !until.IsZero() {
			return sayWait(rw, s.Stations[at].fault, until), until.UnixNano()
		}
	case announces:
		if !s.announce(rw, at) {
			rw.WriteHeader(http.StatusTooManyRequests)
			return http.StatusTooManyRequests, 0
		}
	default:
	}
	took := s.service(j.N, at)
	if s.Stations[at].Resolver {
		return s.resolve(rw, r, at, j, took), 0
	}
	return s.file(rw, r, at, j, took), 0
}

// robots serves what is about no job.
func (s *server) robots(rw http.ResponseWriter, at int) int {
	status := http.StatusNotFound
	switch s.Stations[at].fault {
	case robotsDown:
		status = http.StatusServiceUnavailable
	case robotsNo:
		status = http.StatusOK
	default:
	}
	rw.WriteHeader(status)
	if status == http.StatusOK {
		fmt.Fprint(rw, "User-agent: *\nDisallow: /\n")
	}
	return status
}

// reset ends a connection with a reset rather than a close.
func reset(rw http.ResponseWriter) {
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// bears reports whether a refusing station bears one more request now: a token
// bucket that holds one.
func (s *server) bears(at int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, f := time.Now(), &s.faults[at]
	if now.Before(f.next) {
		return false
	}
	f.next = now.Add(time.Duration(float64(time.Second) / s.Stations[at].rate))
	return true
}

// gateOf returns until when a station must not be asked, or zero if it answers.
func (s *server) gateOf(at int) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, f := time.Now(), &s.faults[at]
	if now.Before(f.gate) {
		return f.gate
	}
	if f.answered++; f.answered%waitAfter != 0 {
		return time.Time{}
	}
	f.gate = now.Add(waitFor)
	if s.Stations[at].fault == waitsDate { // a date is a whole second
		f.gate = now.Truncate(time.Second).Add(time.Second + waitFor)
	}
	return f.gate
}

func sayWait(rw http.ResponseWriter, f fault, until time.Time) int {
	if f == waitsDate {
		rw.Header().Set("Retry-After", until.UTC().Format(http.TimeFormat))
		rw.WriteHeader(http.StatusServiceUnavailable)
		return http.StatusServiceUnavailable
	}
	left := time.Until(until) + time.Second - 1 // rounded up
	rw.Header().Set("Retry-After", strconv.Itoa(int(left/time.Second)))
	rw.WriteHeader(http.StatusTooManyRequests)
	return http.StatusTooManyRequests
}

// announce tells a station's limit in Crossref's headers and reports whether the
// request is within it: a token bucket of a second's worth.
func (s *server) announce(rw http.ResponseWriter, at int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, f := time.Now(), &s.faults[at]
	rate := announced
	if f.answered++; f.answered > len(s.jobs)/firstHost/dropsAfter {
		rate = announcedLater
	}
	rw.Header().Set("x-rate-limit-limit", strconv.Itoa(int(rate)))
	rw.Header().Set("x-rate-limit-interval", "1s")
	rw.Header().Set("x-concurrency-limit", strconv.Itoa(s.Stations[at].Cap))
	if f.filled.IsZero() {
		f.tokens, f.filled = rate, now
	}
	f.tokens = min(rate, f.tokens+now.Sub(f.filled).Seconds()*rate)
	f.filled = now
	if f.tokens < 1 {
		return false
	}
	f.tokens--
	return true
}
