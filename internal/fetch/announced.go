package fetch

import (
	"net/http"
	"strings"
	"time"

	"github.com/quire-dev/quire/queue"
)

const (
	// PaceShare is how much of an announced rate is used. In simulations nothing
	// was refused then; a whole rate meets every jitter of a network as a refusal.
	PaceShare = 0.95

	// longestPaced is the longest window whose quota is spread out evenly. Those of
	// a day are budgets: spent as needed, and then waited for.
	longestPaced = time.Hour

	// longestQuota is the longest window that a quota has, a month. A reset further
	// off is a mistake, or in units that we do not know.
	longestQuota = 31 * 24 * time.Hour

	// epochFrom tells instants from seconds left: so many seconds ended in 2001.
	epochFrom, epochTo = 1e9, 1e11
)

// Announced reads what an answer of a host announces of its limits. Rates are
// taken at 95 %. Of several announcements the stricter counts for each field. It
// knows:
//
//   - X-RateLimit-Limit, -Remaining and -Reset, also spelt X-Rate-Limit-… and
//     RateLimit-…. A reset over 10⁹ is an instant, else so many seconds from now.
//   - Crossref's …-Interval, the window of the limit, and X-Concurrency-Limit;
//     OpenAlex's …-Credits-Required and -Used, what a request costs.
//   - RateLimit-Policy and RateLimit, in the forms of draft-ietf-httpapi-ratelimit-headers
//     06 to 10.
//
// A limit is no rate without its window, so that limits of an unknown window, and
// budgets of more than an hour, say only how long to wait once they are spent:
// until the reset, at most 24 h. What makes no sense says nothing. Retry-After is
// not read: some services send it with every answer; of a refusal see [RetryAfter].
func Announced(host string, h http.Header, now time.Time) queue.Allowance {
	a := queue.Allowance{InFlight: inFlight(single(h["X-Concurrency-Limit"]))}
	for _, family := range [...]string{"X-Ratelimit", "X-Rate-Limit", "Ratelimit"} {
		a = a.Stricter(counted(host, family, h, now))
	}
	for _, m := range members(h["Ratelimit-Policy"]) {
		a = a.Stricter(policy(m))
	}
	return a.Stricter(state(h, now))
}

// counted reads the fields FAMILY-Limit, FAMILY-Remaining and so on.
func counted(host, family string, h http.Header, now time.Time) queue.Allowance {
	limit := h[family+"-Limit"]
	var a queue.Allowance
	for _, m := range members(limit) { // early drafts: "100, 100;w=60"
		a = a.Stricter(policy(m))
	}
	window := interval(single(h[family+"-Interval"]))
	if window == 0 {
		window = documentedWindow(host, family)
	}
	if n, ok := number(single(limit)); ok {
		a = a.Stricter(paced(n, window))
	}
	remaining, ok := number(single(h[family+"-Remaining"]))
	if !ok || remaining >= cost(family, h) {
		return a
	}
	return a.Stricter(spent(single(h[family+"-Reset"]), h, now))
}

// documentedWindow returns the window of a limit that its host announces without
// one, 0 if it is not known.
func documentedWindow(host, family string) time.Duration {
	switch host {
	case "zenodo.org", "www.zenodo.org":
		return time.Minute // developers.zenodo.org/#rate-limiting: 60 requests a minute for guests
	case "api.datacite.org":
		return 5 * time.Minute // support.datacite.org, on its rate limit: so many requests in five minutes
	case "eutils.ncbi.nlm.nih.gov":
		return time.Second // ncbi.nlm.nih.gov/books/NBK25497: 3 requests a second, 10 with a key
	case "api.openalex.org":
		if family == "Ratelimit" { // X-RateLimit counts credits of a day
			return time.Second // docs.openalex.org, rate limits: 100 requests a second
		}
	}
	return 0
}

// cost is what a request takes of the remaining quota. Some are free.
func cost(family string, h http.Header) float64 {
	for _, field := range [...]string{"-Credits-Required", "-Credits-Used"} {
		if n, ok := number(single(h[family+field])); ok {
			return n
		}
	}
	return 1
}

// policy reads a quota: `"name";q=100;w=60`, or before draft 08 `100;w=60`.
func policy(m member) queue.Allowance {
	quota := m.param("q")
	if quota == "" {
		quota = m.item()
	}
	switch m.param("qu") {
	case "concurrent-requests":
		return queue.Allowance{InFlight: inFlight(quota)}
	case "", "requests":
		limit, _ := number(quota)
		return paced(limit, interval(m.param("w")))
	default: // bytes, say
		return queue.Allowance{}
	}
}

// state reads the RateLimit field: `"name";r=50;t=30`, or before draft 08
// `limit=100, remaining=50, reset=5`.
func state(h http.Header, now time.Time) queue.Allowance {
	var a queue.Allowance
	var remaining, reset string
	for _, m := range members(h["Ratelimit"]) {
		if left, ok := number(m.param("r")); ok && left < 1 {
			a = a.Stricter(spent(m.param("t"), h, now))
		}
		switch name, value, _ := strings.Cut(m.item(), "="); name {
		case "remaining":
			remaining = value
		case "reset":
			reset = value
		}
	}
	if left, ok := number(remaining); ok && left < 1 {
		a = a.Stricter(spent(reset, h, now))
	}
	return a
}

// paced spreads a quota over its window.
func paced(limit float64, window time.Duration) queue.Allowance {
	if limit < 1 || window <= 0 || window > longestPaced {
		return queue.Allowance{}
	}
	return queue.Allowance{Every: time.Duration(float64(window) / (limit * PaceShare))}
}

// spent waits for the reset of a quota that has been used up.
func spent(reset string, h http.Header, now time.Time) queue.Allowance {
	n, ok := number(reset)
	if !ok || n > epochTo {
		return queue.Allowance{}
	}
	left := time.Duration(n * float64(time.Second))
	if n > epochFrom {
		left = time.Unix(int64(n), 0).Sub(sentAt(h, now))
	}
	if left <= 0 || left > longestQuota {
		return queue.Allowance{}
	}
	return queue.Allowance{Wait: min(left, longestWait)}
}
