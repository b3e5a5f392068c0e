package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/quire-dev/quire/paper"
)

const (
	robotsAge       = 24 * time.Hour   // RFC 9309 section 2.4
	robotsLeastAge  = 10 * time.Minute // whatever max-age says: not a request each time
	robotsHops      = 5                // RFC 9309 section 2.3.1.2
	robotsLoadPause = time.Second      // a robots.txt under way takes about that long

	// robotsGiveUp is how long an unreachable robots.txt forbids everything: then
	// it counts as one that is not there (RFC 9309 section 2.3.1.4).
	robotsGiveUp = 30 * 24 * time.Hour

	robotsDocuments = 10_000
	robotsMemory    = 64 << 20 // bytes of rules in all
)

// RulingState is what robots.txt has to say about a URL.
type RulingState uint8

// The states of a ruling.
const (
	Allowed   RulingState = iota
	Refused               // by a rule, or as robots.txt cannot be reached
	NeedsLoad             // LoadURL must be loaded first, and the question asked again
	Loading               // somebody is loading it: ask again in RetryIn
)

// Ruling is the answer of [Robots.Ask].
type Ruling struct {
	State   RulingState
	LoadURL string        // of NeedsLoad: the request to make next, maybe at another host
	RetryIn time.Duration // of Loading; of Refused if robots.txt cannot be reached: when to ask again
	Reason  string        // of Refused
}

// opener makes the exchanges of Robots. *Client is one.
type opener interface {
	Open(ctx context.Context, url, accept string) (*Response, error)
}

// Robots obeys the Robots Exclusion Protocol (RFC 9309). It remembers the
// robots.txt of about 10,000 authorities, each for 24 h or its max-age, if that is
// shorter. It requests nothing unless told to, so that callers can take the turn
// of the right host first. It is safe for concurrent use.
type Robots struct {
	web opener

	mu        sync.Mutex
	documents map[string]document // by URL
	order     []string            // keys of documents, oldest first
	memory    int                 // of all rules
}

// document is one URL's robots.txt. It is never changed, only replaced.
type document struct {
	loading  bool
	rules    *rules
	next     string    // redirects there
	down     string    // why it cannot be had; then there are no rules, or stale ones in use
	failures int       // in a row
	since    time.Time // the first of them
	until    time.Time // to be loaded again
}

// NewRobots returns an empty cache that loads through web, a [*Client].
func NewRobots(web opener) *Robots {
	return &Robots{web: web, documents: make(map[string]document)}
}

// Ask rules on a URL without waiting for anything. Any number of callers may be
// told NeedsLoad; the first to call Load makes the request.
func (r *Robots) Ask(url string) Ruling {
	u, err := parseURL(url)
	if err != nil {
		return Ruling{State: Refused, Reason: err.Error()}
	}
	if u.Path == "/robots.txt" {
		return Ruling{State: Allowed}
	}
	document, ruling := r.find(robotsOf(u))
	if ruling.State != Allowed {
		return ruling
	}
	path := u.EscapedPath()
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + u.RawQuery
	}
	if !document.rules.allows(path) {
		return Ruling{State: Refused, Reason: "robots.txt disallows it"}
	}
	return ruling
}

// CrawlDelay returns the least time between two requests that robots.txt asks
// for at the authority of a URL, as far as it is known: 0 if it does not say, or
// has not been loaded. It holds for all URLs, also for those it has no say about.
func (r *Robots) CrawlDelay(url string) time.Duration {
	u, err := parseURL(url)
	if err != nil {
		return 0
	}
	if document, _ := r.find(robotsOf(u)); document.rules != nil {
		return document.rules.delay
	}
	return 0
}

func robotsOf(u *url.URL) string { return u.Scheme + "://" + u.Host + "/robots.txt" }

// find follows redirects to the document that rules. Too many mean that there is
// none, which allows everything.
func (r *Robots) find(url string) (document, Ruling) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for range robotsHops + 1 {
		d, known := r.documents[url]
		switch {
		case d.loading:
			return d, Ruling{State: Loading, RetryIn: robotsLoadPause}
		case !known || !now.Before(d.until):
			return d, Ruling{State: NeedsLoad, LoadURL: url}
		case d.next != "":
			url = d.next
		case d.down != "" && d.rules == nil && now.Sub(d.since) < robotsGiveUp:
			return d, Ruling{State: Refused, RetryIn: d.until.Sub(now), Reason: "robots.txt unreachable: " + d.down}
		default:
			return d, Ruling{State: Allowed}
		}
	}
	return document{}, Ruling{State: Allowed}
}

// Load makes the one request that Ask called for with loadURL, unless that has
// been done meanwhile or is being done. It returns the status of the answer, 0 if
// there was none. The error is a [*paper.Failure] and says that the host is in
// trouble: no answer, 429 or 5xx. All URLs of the authority are then refused for 5,
// 15 and then each time 60 min, or longer if Retry-After says so, unless older
// rules are known or this has been so for 30 days. If ctx ends, or the fault is ours, nothing is learnt.
func (r *Robots) Load(ctx context.Context, loadURL string) (status int, err error) {
	before, ok := r.begin(loadURL)
	if !ok {
		return 0, nil
	}
	after := before
	defer func() { r.put(loadURL, after) }() // also if the exchange panics: never loading for ever

	found, status, err := r.request(ctx, loadURL)
	failure := new(paper.Failure)
	switch {
	case err == nil:
		after = found
	case errors.As(err, &failure) && failure.Class != paper.Config && ctx.Err() == nil:
		after = before.failed(failure)
	}
	return status, err
}

// begin claims the loading of url.
func (r *Robots) begin(url string) (before document, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.documents[url]
	if before.loading || (known && time.Now().Before(before.until)) {
		return before, false
	}
	claim := before
	claim.loading = true
	r.set(url, claim)
	return before, true
}

func (r *Robots) put(url string, d document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(url, d)
}

// set stores d and forgets the oldest documents while there is too much.
func (r *Robots) set(url string, d document) {
	old, known := r.documents[url]
	if !known {
		r.order = append(r.order, url)
	}
	r.documents[url] = d
	r.memory += d.rules.size() - old.rules.size()
	for len(r.order) > 1 && (len(r.order) > robotsDocuments || r.memory > robotsMemory) {
		oldest := r.order[0]
		r.order = r.order[1:]
		r.memory -= r.documents[oldest].rules.size()
		delete(r.documents, oldest)
	}
}

// request makes the exchange and reads what the answer means (RFC 9309 section 2.3.1).
func (r *Robots) request(ctx context.Context, url string) (document, int, error) {
	resp, err := r.web.Open(ctx, url, "text/plain, */*;q=0.1")
	if err != nil {
		failure := new(paper.Failure)
		errors.As(err, &failure)
		return document{}, failure.Status, err
	}
	defer resp.Body.Close()
	found := document{until: time.Now().Add(maxAge(resp.Header)), next: resp.Redirect}
	switch status := resp.Status; {
	case status == http.StatusTooManyRequests || status >= 500:
		err = Classify(status, resp.Header, nil)
	case status < 300 && found.next == "":
		found.rules, err = readRules(resp.Body)
	}
	return found, resp.Status, err
}

func readRules(from io.Reader) (*rules, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxRobotsBytes+1))
	failure := new(paper.Failure)
	if errors.As(err, &failure) && failure.Class != paper.TooLarge {
		return nil, failure
	}
	return parseRules(text, productToken), nil
}

// failed is the document after its next failure: stale rules serve meanwhile.
func (d document) failed(f *paper.Failure) document {
	waits := [...]time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour}
	wait := max(waits[min(d.failures, len(waits)-1)], f.RetryAfter)
	now := time.Now()
	if d.failures == 0 {
		d.since = now
	}
	return document{
		rules: d.rules, next: d.next, down: f.Error(), failures: d.failures + 1, since: d.since, until: now.Add(wait),
	}
}

// maxAge reads how long an answer may be kept (RFC 9111 section 5.2.2.1).
func maxAge(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(directive)), "max-age=")
		if !ok {
			continue
		}
		if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
			return min(robotsAge, max(robotsLeastAge, time.Duration(seconds)*time.Second))
		}
	}
	return robotsAge
}
