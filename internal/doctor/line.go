package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// perProbe is how long a source may take to answer. Half of them answer within a
// quarter of a second.
const perProbe = 10 * time.Second

// errSecond says that a source wanted to be asked twice.
var errSecond = errors.New("a source is asked once")

// hosts has each host asked by one source at a time, and not sooner after the
// request before than either of them allows.
type hosts struct {
	mu    sync.Mutex
	turns map[string]chan time.Time // holds when the next request may start
}

// take waits for a host's turn. leave gives it on after a pause.
func (h *hosts) take(ctx context.Context, host string) (leave func(pause time.Duration), err error) {
	h.mu.Lock()
	if h.turns == nil {
		h.turns = make(map[string]chan time.Time)
	}
	turn := h.turns[host]
	if turn == nil {
		turn = make(chan time.Time, 1)
		turn <- time.Time{}
		h.turns[host] = turn
	}
	h.mu.Unlock()
	select {
	case from := <-turn:
		began := time.Now()
		select {
		case <-time.After(from.Sub(began)):
			return func(pause time.Duration) { turn <- time.Now().Add(pause) }, nil
		case <-ctx.Done():
			turn <- from
		}
	case <-ctx.Done():
	}
	return nil, fmt.Errorf("wait for the turn of %s: %w", host, ctx.Err())
}

// line is the way to one source. It lets one request through and keeps what came of
// it. It is used by one goroutine.
type line struct {
	client *fetch.Client
	hosts  *hosts
	pace   time.Duration // between two requests to the host

	used      bool
	host      string
	status    int
	latency   time.Duration
	header    http.Header
	announced queue.Allowance
	ahead     *time.Duration // of the host's clock
}

var _ paper.Getter = (*line)(nil)

func (l *line) Get(ctx context.Context, url string, header http.Header) (paper.Reply, error) {
	return l.once(ctx, url, func(ctx context.Context) (paper.Reply, error) { return l.client.Get(ctx, url, header) })
}

func (l *line) Post(ctx context.Context, url string, header http.Header, body []byte) (paper.Reply, error) {
	return l.once(ctx, url, func(ctx context.Context) (paper.Reply, error) { return l.client.Post(ctx, url, header, body) })
}

// open asks for a page and reads nothing of it.
func (l *line) open(ctx context.Context, url string) (paper.Reply, error) {
	return l.once(ctx, url, func(ctx context.Context) (paper.Reply, error) {
		resp, err := l.client.Open(ctx, url, "")
		if err != nil {
			return paper.Reply{}, err
		}
		return paper.Reply{Status: resp.Status, Header: resp.Header}, resp.Body.Close()
	})
}

func (l *line) once(ctx context.Context, to string, ask func(context.Context) (paper.Reply, error)) (paper.Reply, error) {
	if l.used {
		return paper.Reply{}, &paper.Failure{Class: paper.Transient, Err: errSecond}
	}
	l.used = true
	if u, err := url.Parse(to); err == nil {
		l.host = u.Host
	}
	leave, err := l.hosts.take(ctx, l.host)
	if err != nil {
		return paper.Reply{}, &paper.Failure{Class: paper.Transient, Err: err}
	}
	defer func() { leave(l.pace) }()
	ctx, cancel := context.WithTimeout(ctx, perProbe)
	defer cancel()
	began := time.Now()
	reply, err := ask(fetch.Listen(ctx, func(a queue.Allowance) { l.announced = a }))
	l.latency = time.Since(began)
	l.status, l.header = reply.Status, reply.Header
	l.ahead = aheadOf(reply.Header, began.Add(l.latency/2))
	return reply, err
}

// aheadOf returns by how much the clock of a host is ahead that answered at so
// about. Its Date (RFC 9110 section 6.6.1) has no parts of a second, so half of one
// is added; an answer out of a cache tells how old it is (RFC 9111 section 5.1).
func aheadOf(h http.Header, at time.Time) *time.Duration {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return nil
	}
	age, err := strconv.ParseUint(h.Get("Age"), 10, 31)
	if err != nil {
		age = 0
	}
	ahead := date.Add(time.Second/2 + time.Duration(age)*time.Second).Sub(at)
	return &ahead
}

// tellsLimits reports whether a field of a header is about limits.
func tellsLimits(name string) bool {
	name = strings.ToLower(name)
	return name == "retry-after" || name == "x-concurrency-limit" ||
		strings.HasPrefix(strings.TrimPrefix(name, "x-"), "ratelimit") || strings.HasPrefix(name, "x-rate-limit")
}

// maxField is how much of a field of a header is repeated, in bytes.
const maxField = 200

// limitFields are the fields of an answer that are about limits, as they came.
func limitFields(h http.Header) map[string]string {
	const most = 20 // no service sends half as many
	fields := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if tellsLimits(name) && len(fields) < most {
			value := strings.Join(h[name], ", ")
			fields[name] = strings.ToValidUTF8(value[:min(len(value), maxField)], "?")
		}
	}
	return fields
}
