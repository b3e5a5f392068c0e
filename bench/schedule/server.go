package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// request is one request as a server saw it. The log of all of them is the truth
// from which everything is computed.
type request struct {
	Station int
	Job     int
	Start   int64 // Unix time in nanoseconds
	End     int64
	Status  int   // 0 if the client went away before it had the whole answer
	Gate    int64 // no start before, Unix time in nanoseconds, as the answer said; 0: it said nothing
}

// lateness is a time at which the machine let the server wait for longer than it
// had asked to.
type lateness struct {
	When int64 // when it came back, Unix time in nanoseconds
	By   time.Duration
}

// record is all that the server knows at the end.
type record struct {
	Log  []request
	Late []lateness
}

func (r request) took() time.Duration { return time.Duration(r.End - r.Start) }

// server is all stations of a world, each at an address of its own.
type server struct {
	*world
	jobs  []job
	port  int
	files [][]byte // of growing size

	mu     sync.Mutex
	seen   record
	open   int
	done   map[int]bool // jobs that a run is for and that have been served
	faults []faultState // by station
}

// address is where a station listens.
func address(at int) string {
	if at < firstHost {
		return fmt.Sprintf("127.0.2.%d", at+1)
	}
	return fmt.Sprintf("127.0.1.%d", at-firstHost+1)
}

// serveWorld is the server's process: it reads a spec, prints its port, and
// answers the lines that follow: "served" with how many of the jobs that the run
// is for have been served, "end" with what it has seen.
func serveWorld(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Scan()
	var s spec
	if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
		return fmt.Errorf("read spec: %w", err)
	}
	w, err := newWorld(s)
	if err != nil {
		return err
	}
	srv := &server{world: w, jobs: w.byNumber(), files: makeFiles(), faults: make([]faultState, len(w.Stations)), done: map[int]bool{}}
	listeners, err := srv.listen(ctx)
	if err != nil {
		return err
	}
	var group errgroup.Group
	for at, l := range listeners {
		group.Go(func() error {
			err := (&http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: srv.handler(at)}).Serve(l)
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		})
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	group.Go(func() error { srv.watchClock(watching); return nil })
	answers := json.NewEncoder(out)
	err = answers.Encode(srv.port)
	for err == nil && lines.Scan() && lines.Text() != "end" {
		err = answers.Encode(srv.served())
	}
	for _, l := range listeners {
		_ = l.Close()
	}
	if err != nil {
		return err
	}
	stop()
	return errors.Join(answers.Encode(srv.record(ctx)), group.Wait())
}

// listen binds one port on all addresses.
func (s *server) listen(ctx context.Context) ([]net.Listener, error) {
	var cfg net.ListenConfig
	for attempt := 0; ; attempt++ {
		var all []net.Listener
		var err error
		port := "0"
		for at := range s.Stations {
			var l net.Listener
			if l, err = cfg.Listen(ctx, "tcp", net.JoinHostPort(address(at), port)); err != nil {
				break
			}
			all = append(all, l)
			_, port, _ = net.SplitHostPort(l.Addr().String())
		}
		if err == nil {
			s.port, err = strconv.Atoi(port)
			return all, err
		}
		for _, l := range all {
			_ = l.Close()
		}
		if attempt == 10 {
			return nil, fmt.Errorf("listen on %d addresses: %w", len(s.Stations), err)
		}
	}
}

func (s *server) served() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.done)
}

// record returns what was seen when nothing is open any more.
func (s *server) record(ctx context.Context) record {
	for range 200 {
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		if open == 0 || !pause(ctx, 10*time.Millisecond) {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// watchClock notes how late this process comes when it has nothing to do but to
// come in time.
func (s *server) watchClock(ctx context.Context) {
	for {
		before := time.Now()
		if !pause(ctx, jitter/2) {
			return
		}
		now := time.Now()
		if by := now.Sub(before) - jitter/2; by > jitter/5 {
			s.mu.Lock()
			s.seen.Late = append(s.seen.Late, lateness{now.UnixNano(), by})
			s.mu.Unlock()
		}
	}
}

// handler serves one station and logs what it serves.
func (s *server) handler(at int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s.mu.Lock()
		s.open++
		s.mu.Unlock()
		entry := request{Station: at, Job: -1, Start: start.UnixNano()}
		if n, ok := jobNumber(r); ok && n < len(s.jobs) {
			entry.Job = n
			entry.Status, entry.Gate = s.answer(rw, r, at, s.jobs[n])
		} else {
			entry.Status = s.robots(rw, at)
		}
		entry.End = entry.Start + int64(time.Since(start))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
		s.seen.Log = append(s.seen.Log, entry)
		if entry.Status == http.StatusOK && entry.Job >= 0 && !s.Stations[at].Resolver && s.awaited(s.jobs[entry.Job]) {
			s.done[entry.Job] = true
		}
	})
}

// jobNumber finds a job's number in the URL: after rig. in a DOI or a page, or
// as the file's name.
func jobNumber(r *http.Request) (int, bool) {
	text, isFile := strings.CutSuffix(r.URL.Path, ".pdf")
	if isFile {
		text = strings.TrimPrefix(text, "/")
	} else {
		_, text, _ = strings.Cut(r.URL.Path+r.URL.RawQuery, "rig.")
		if end := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
			text = text[:end]
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

// pause waits for d unless the client goes away first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
