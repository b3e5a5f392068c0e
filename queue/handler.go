package queue

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"time"
)

// ClassCrashed is the failure class of a job whose worker died in each of its
// attempts. All other classes are the handler's own words.
const ClassCrashed = "crashed"

// Handler runs steps. Step is called from many goroutines at once.
type Handler interface {
	// Step runs one step of each job at s.Key and returns an outcome for each, in
	// order. When ctx ends the step must stop soon; its outcomes then count only
	// if they are final, and the other jobs are handed back.
	Step(ctx context.Context, s Step) []Outcome
}

// Step is one piece of work at one key.
type Step struct {
	Key         string
	Jobs        []Job // one, unless the key is a batch key
	MaxAttempts int   // a Retry of a job whose Attempts have reached this becomes final

	// Send should be called right before a request goes out. Requests that were
	// delayed on their way, by a handshake say, could arrive closer together than
	// the key's pace allows: Send holds such a one back, for a few milliseconds as
	// a rule and never beyond the step's context. Never nil.
	Send func()

	// Down says that the key has been given up for this run, because it keeps
	// failing or asked for a long pause. No request may be made there: the jobs go
	// on at another key or end.
	Down bool

	// Leave may be called once when the part of the step that the key limits is
	// over (the response is read): slot and key are free for others while the step
	// does the rest. Returning from Step leaves too. Never nil.
	Leave func()
}

// Last reports whether j has no attempt left after this one.
func (s Step) Last(j Job) bool { return j.Attempts >= s.MaxAttempts }

// Outcome is what a step did with one job: where the job goes, and what was
// learnt about the key on the way.
type Outcome struct {
	Verb  Verb
	State State // of Finish

	Key   string        // next step's key, of Advance; optional otherwise
	Delay time.Duration // of Advance and Release: at the earliest after this long; of Retry: at least this long

	Reason, Class, Error     string
	Progress, Result, Record json.RawMessage
	Signal                   Signal
}

// SignalKind says how a key behaved.
type SignalKind uint8

// The kinds of signal, from the best to the worst. None is for steps that made no
// request.
const (
	None      SignalKind = iota
	OK                   // it answered, whatever it said
	Refused              // 403 and the like: about one document, or about us; which, its other answers tell
	Troubled             // timeout, broken name, connection or TLS, server error
	Blocked              // it shuts us out as such, with a challenge say: nothing more is asked there for a while
	Throttled            // it asked for less; the key is gated, the job is not charged
)

// Signal is what a step learnt about its key. Of the signals of a step with
// several jobs the worst counts, as they come from one request.
type Signal struct {
	Kind      SignalKind
	For       time.Duration // of Throttled and Blocked: how long to stay away; 0 if it did not say
	Allowance Allowance     // what it announced, with any Kind
}

// Allowance is what a key announces that it allows. A zero field says nothing.
// It holds until the key announces something else, and never widens the
// configured limits.
type Allowance struct {
	Every    time.Duration // least time between two starts
	InFlight int           // requests at once
	Wait     time.Duration // the allowance is spent: no start before this long from now
}

// Stricter returns what two announcements allow together: of each field the
// stricter one.
func (a Allowance) Stricter(b Allowance) Allowance {
	a.Every, a.Wait = max(a.Every, b.Every), max(a.Wait, b.Wait)
	if a.InFlight == 0 || b.InFlight > 0 && b.InFlight < a.InFlight {
		a.InFlight = b.InFlight
	}
	return a
}

// RetryPolicy spaces out the attempts of a job. The zero value is the default.
type RetryPolicy struct {
	MaxAttempts int           // 3 if 0
	Base        time.Duration // most the first wait can be; 60 s if 0
	Factor      float64       // growth per attempt; 2 if 0
	Max         time.Duration // most any wait can be; 1 h if 0
}

// WithDefaults returns p with its zero fields set.
func (p RetryPolicy) WithDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 3
	}
	if p.Base == 0 {
		p.Base = time.Minute
	}
	if p.Factor == 0 {
		p.Factor = 2
	}
	if p.Max == 0 {
		p.Max = time.Hour
	}
	return p
}

// Backoff returns how long to wait after attempt number n (from 1) has failed:
// exponential with full jitter, that is anything from 0 to min(Max, Base·Factorⁿ⁻¹)
// with equal chance, which spreads a crowd of failures best
// (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
func (p RetryPolicy) Backoff(n int) time.Duration {
	return time.Duration(rand.Int64N(int64(min(p.ceiling(n), math.MaxInt64-1)) + 1))
}

func (p RetryPolicy) ceiling(n int) time.Duration {
	p = p.WithDefaults()
	most := float64(p.Base)
	for i := 1; i < n && most < float64(p.Max); i++ {
		most *= p.Factor
	}
	if most >= float64(p.Max) {
		return p.Max // not by way of a float, which rounds up what is near the largest Duration
	}
	return time.Duration(most)
}
