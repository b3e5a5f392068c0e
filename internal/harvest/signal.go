package harvest

import (
	"net/http"
	"time"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// passedBy is the note of what was not asked, as its key is down.
const passedBy = "given up for this run: it keeps failing, or asked for a long pause"

// signal says what a failure tells of the step's key. Its class is about the
// candidate: a host without a valid certificate is final for the one and trouble
// with the other.
func (w walk) signal(f *paper.Failure) queue.Signal {
	switch {
	case f.Class == paper.Throttled, f.Class == paper.BudgetExhausted:
		return queue.Signal{Kind: queue.Throttled, For: f.RetryAfter}
	case f.Class == paper.Challenge:
		return queue.Signal{Kind: queue.Blocked}
	case resolver.ShutsOut(w.Key, f.Status):
		return queue.Signal{Kind: queue.Blocked, For: time.Hour}
	case f.Broken, f.Status >= 500 && f.Status < 600, f.Status == 0 && f.Class == paper.Transient:
		return queue.Signal{Kind: queue.Troubled}
	case f.Status == http.StatusForbidden, f.Status >= 600: // such as LinkedIn's 999, "request denied"
		return queue.Signal{Kind: queue.Refused}
	case f.Status == 0: // no request was made, or we could not
		return queue.Signal{}
	default:
		return queue.Signal{Kind: queue.OK}
	}
}

// served says what a whole answer tells of the step's key, given the class of
// what it holds. The key is left, unless it put a challenge in our way: that must
// be known there before the next request starts.
func (w walk) served(class paper.Class) queue.Signal {
	if class == paper.Challenge {
		return queue.Signal{Kind: queue.Blocked}
	}
	w.Leave()
	return queue.Signal{Kind: queue.OK}
}

// crawlDelay is what the robots.txt of a URL's host asks of the step's key: one
// request after the other, with so much time between their starts.
func (w walk) crawlDelay(url string) queue.Allowance {
	if w.cfg.Robots == nil || w.cfg.Exempt(url) || w.cfg.HostKey(url) != w.Key {
		return queue.Allowance{}
	}
	delay := w.cfg.Robots.CrawlDelay(url)
	if delay == 0 {
		return queue.Allowance{}
	}
	return queue.Allowance{Every: delay, InFlight: 1}
}

// passBy goes on without the request for which the job came to a key that is
// down: the source counts as asked, the fetch under way as failed, for now.
func (w walk) passBy(act action) queue.Outcome {
	st := w.story
	if act.resolver == nil {
		st.fail(paper.Transient, passedBy)
	} else {
		st.Cursor, st.Refused = "", 0
		st.ask(paper.Asked{Resolver: act.resolver.Name(), Class: paper.Transient, Note: passedBy})
	}
	return w.goOn(queue.Signal{})
}
