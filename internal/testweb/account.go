package testweb

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// What an account keeps at most of each kind. Counters go on beyond them.
const (
	maxStarts = 1 << 16
	maxNames  = 1 << 16 // URLs, User-Agents
)

// crossing is how long after a Retry-After has left a request may still arrive
// that was on its way before: a handshake on a busy machine.
const crossing = 50 * time.Millisecond

// Account is what one host saw of its clients.
type Account struct {
	Requests int
	InFlight int // now

	// Peak is the most requests in flight at once. A request counts from the
	// moment its header has been read until its last byte is about to leave, so
	// a client never sees fewer than the server counts. The one exception is a
	// client that gives up: the server learns of it a little later.
	Peak int

	MinGap time.Duration // least time between two starts; 0 with fewer than two
	Starts []time.Time   // in order, the first 65,536

	Bytes      int64 // of bodies; of everything where a fault writes the answer by hand
	URLs       map[string]int
	Statuses   map[int]int // answers by status; those a fault cut off before the status line are missing
	UserAgents map[string]int

	Gated      int // requests begun while the host's own Retry-After (of a 429 or 503) was running
	Robots     int // requests for /robots.txt
	Disallowed int // requests that the host's robots.txt disallows
}

// Accounts returns a copy of the account of every host that was asked anything.
func (w *Web) Accounts() map[string]Account {
	w.mu.RLock()
	defer w.mu.RUnlock()
	accounts := map[string]Account{}
	for name, l := range w.ledgers {
		if a := l.account(); a.Requests > 0 {
			accounts[name] = a
		}
	}
	return accounts
}

// Requests returns how many requests the box has seen.
func (w *Web) Requests() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	total := 0
	for _, l := range w.ledgers {
		total += l.requests()
	}
	return total
}

// Reset opens new accounts. Running Retry-Afters stay in force.
func (w *Web) Reset() {
	w.mu.RLock()
	defer w.mu.RUnlock()
	for _, l := range w.ledgers {
		l.reset()
	}
}

func (w *Web) ledger(name string) *ledger {
	w.mu.RLock()
	l, ok := w.ledgers[name]
	w.mu.RUnlock()
	if ok {
		return l
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if l, ok := w.ledgers[name]; ok {
		return l
	}
	l = &ledger{}
	l.reset()
	w.ledgers[name] = l
	return l
}

// ledger writes the account of one host.
type ledger struct {
	mu       sync.Mutex
	book     Account
	last     time.Time // the newest start
	gateFrom time.Time
	gateTo   time.Time
	rules    robotsRules
}

func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	running := l.book.InFlight
	l.book = Account{
		InFlight: running, Peak: running,
		URLs: map[string]int{}, Statuses: map[int]int{}, UserAgents: map[string]int{},
	}
	l.last = time.Time{}
}

func (l *ledger) account() Account {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.book
	a.Starts = slices.Clone(a.Starts)
	a.URLs = maps.Clone(a.URLs)
	a.Statuses = maps.Clone(a.Statuses)
	a.UserAgents = maps.Clone(a.UserAgents)
	return a
}

func (l *ledger) requests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.book.Requests
}

func (l *ledger) setRules(rules robotsRules) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules = rules
}

// begin books the start of a request and returns the writer that books the rest.
func (l *ledger) begin(rw http.ResponseWriter, r *http.Request) *exchange {
	agent := r.UserAgent()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, now := &l.book, time.Now()

	b.Requests++
	b.InFlight++
	b.Peak = max(b.Peak, b.InFlight)
	if gap := now.Sub(l.last); !l.last.IsZero() && (b.MinGap == 0 || gap < b.MinGap) {
		b.MinGap = max(gap, 1) // 0 means none
	}
	l.last = now
	if len(b.Starts) < maxStarts {
		b.Starts = append(b.Starts, now)
	}
	count(b.URLs, requestURL(r))
	count(b.UserAgents, agent)
	if now.Before(l.gateTo) && now.After(l.gateFrom) {
		b.Gated++
	}
	switch {
	case r.URL.Path == robotsPath:
		b.Robots++
	case !l.rules.allows(agent, r.URL.RequestURI()):
		b.Disallowed++
	}
	return &exchange{ResponseWriter: rw, ledger: l, head: r.Method == http.MethodHead, left: -1}
}

// answered books a status line and the gate it sets.
func (l *ledger) answered(status int, retryAfter string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.book.Statuses[status]++
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return
	}
	now := time.Now()
	if until := gateEnd(retryAfter, now); until.After(l.gateTo) {
		l.gateTo = until
		if now.After(l.gateFrom) {
			l.gateFrom = now.Add(crossing)
		}
	}
}

func (l *ledger) sent(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.book.Bytes += int64(n)
}

func (l *ledger) ended() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.book.InFlight--
}

// gateEnd reads a Retry-After (RFC 9110, section 10.2.3). What is neither a
// number of seconds nor a date gates nothing.
func gateEnd(retryAfter string, now time.Time) time.Time {
	if seconds, err := strconv.ParseUint(retryAfter, 10, 31); err == nil {
		return now.Add(time.Duration(seconds) * time.Second)
	}
	until, err := http.ParseTime(retryAfter)
	if err != nil {
		return time.Time{}
	}
	return until
}

func requestURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host + r.URL.RequestURI()
	}
	return "http://" + r.Host + r.URL.RequestURI()
}

func count(m map[string]int, name string) {
	if _, ok := m[name]; ok || len(m) < maxNames {
		m[name]++
	}
}
