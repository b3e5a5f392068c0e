// Package harvest gets the full text of scholarly works: it is the
// [queue.Handler] in which the queue and the harvester meet. A job's steps are
// plan → resolve → fetch → verdict → store → record, each request a step of its
// own at the key of the source or host it goes to. What a job has learnt so far
// is its story, kept as the job's progress and, in the end, as its record.
package harvest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Accept is the policy on what may be stored.
type Accept struct {
	Formats  []paper.Kind    // of each work that is added; empty: PDF
	Versions []paper.Version // empty: all; unknown versions are always accepted
	Licenses []string        // empty: all; otherwise only these, and unknown ones are refused
	MaxBytes int64           // of a file
}

// Config is what a Harvest is made of. All fields but those that may be nil are
// required.
type Config struct {
	Resolvers []paper.Resolver // in the order in which they are asked
	Fetch     *fetch.Client    // nil: only Job can be called
	Robots    *fetch.Robots    // nil: robots.txt is not asked
	Blobs     blob.Store
	BlobDir   string                  // what stands before a blob's path in a record: "artifacts", or a URL
	Links     *blob.Links             // nil: no readable link tree
	Sidecars  bool                    // beside each link a file that says what it is
	Version   string                  // of the program, for records
	Owners    *Owners                 // nil: which works share a file is known of this run alone
	HostKey   func(url string) string // key of a URL's host, with hosts that share a service's key
	Exempt    func(url string) bool   // hosts that robots.txt is not asked of: documented APIs
	Accept    Accept
	Log       *slog.Logger
}

// Harvest is the handler. It is safe for concurrent use.
type Harvest struct {
	cfg   Config
	temps atomic.Int64 // numbers temp files
	desks sync.Pool    // of *desk
	parts parts

	evidence evidence

	mu  sync.Mutex
	off map[string]string // resolvers that are switched off for this run, and why

	storage outage
	network outage
}

// New returns a harvest.
func New(cfg Config) (*Harvest, error) {
	if len(cfg.Resolvers) == 0 {
		return nil, errors.New("harvest: no resolver is enabled")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Owners == nil {
		cfg.Owners = new(Owners)
	}
	return &Harvest{cfg: cfg, off: make(map[string]string)}, nil
}

// Request is the payload of a job.
type Request struct {
	Artifact paper.Artifact `json:"artifact"`
	Title    string         `json:"title,omitempty"`
	Hint     string         `json:"hint,omitempty"` // resolver to ask first
}

// Job makes the queue's job for a request: its first key is that of the first
// step of its plan.
func (h *Harvest) Job(r Request) (queue.NewJob, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return queue.NewJob{}, fmt.Errorf("encode request: %w", err)
	}
	first := h.next(newStory(r))
	return queue.NewJob{ArtifactID: r.Artifact.ID, Key: first.key, Payload: payload}, nil
}

// Step runs one step of each job at its key. Jobs that are to ask its source do
// so in one request, as many as it can hold; the others are handed back.
func (h *Harvest) Step(ctx context.Context, s queue.Step) []queue.Outcome {
	outs := make([]queue.Outcome, len(s.Jobs))
	var asking askers
	for i := range s.Jobs {
		heard := hearing(ctx, func(ctx context.Context) { outs[i] = h.step(ctx, s, i, &asking) })
		outs[i].Signal.Allowance = outs[i].Signal.Allowance.Stricter(heard)
	}
	asking.resolve(ctx, outs)
	return outs
}

// step runs one step of s.Jobs[i], except that a job that is to ask a source only
// joins asking, which gives it its outcome later.
func (h *Harvest) step(ctx context.Context, s queue.Step, i int, asking *askers) queue.Outcome {
	job := s.Jobs[i]
	part := h.parts.take(job.ID)
	defer h.done(part) // unless it is kept once more
	st, err := loadStory(job)
	if err != nil {
		return queue.Outcome{
			Verb: queue.Finish, State: queue.Error, Class: string(paper.Config), Reason: string(paper.Config),
			Error: fmt.Sprintf("read job: %v", err),
		}
	}
	w := walk{Harvest: h, Step: s, job: job, story: st, part: part}
	ctx = h.sending(ctx, s)
	act := h.next(st)
	if act.key != s.Key && !act.over {
		// The configuration, or what we know of the host, has changed since.
		return w.goOn(queue.Signal{})
	}
	switch {
	case act.over:
		return w.conclude(queue.Signal{})
	case s.Down:
		return w.passBy(act)
	case act.wait > 0:
		out := w.goOn(queue.Signal{})
		out.Delay = act.wait
		return out
	case act.resolver != nil:
		asking.join(i, w, act.resolver)
		return queue.Outcome{}
	case act.robots != "":
		return w.loadRobots(ctx, act.robots)
	}
	if left := h.storage.left(time.Now()); left > 0 {
		return w.wait(left)
	}
	out := w.fetch(ctx, act.url)
	out.Signal.Allowance = out.Signal.Allowance.Stricter(w.crawlDelay(act.url))
	return out
}

// hearing returns what the answers to the requests that do makes have announced.
func hearing(ctx context.Context, do func(context.Context)) queue.Allowance {
	var heard queue.Allowance
	do(fetch.Listen(ctx, func(a queue.Allowance) { heard = heard.Stricter(a) }))
	return heard
}

// sending has Send called once there is a connection: the request goes out.
func (h *Harvest) sending(ctx context.Context, s queue.Step) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		h.connected()
		s.Send()
	}})
}

// walk is one step of one job.
type walk struct {
	*Harvest
	queue.Step
	job   queue.Job
	story *story
	part  *part // the file in hand, or what an earlier step left of one; nil if there is none
}

// goOn advances to the next action of the story, or concludes it.
func (w walk) goOn(sig queue.Signal) queue.Outcome {
	act := w.next(w.story)
	if act.over {
		return w.conclude(sig)
	}
	return queue.Outcome{Verb: queue.Advance, Key: act.key, Progress: w.story.encode(), Signal: sig}
}

// handBack returns the job to the queue at its key, uncharged.
func (w walk) handBack(reason string, sig queue.Signal) queue.Outcome {
	return queue.Outcome{Verb: queue.Release, Reason: reason, Progress: w.story.encode(), Signal: sig}
}

// switchOff stops asking a resolver for the rest of the run and says so once.
func (h *Harvest) switchOff(name string, why error) {
	h.mu.Lock()
	_, known := h.off[name]
	h.off[name] = why.Error()
	h.mu.Unlock()
	if !known {
		h.cfg.Log.Error("resolver switched off for this run: mend its configuration, then run `quire queue retry-failed --class config`",
			"resolver", name, "error", why)
	}
}

// switchedOff returns why a resolver is not asked, or "".
func (h *Harvest) switchedOff(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.off[name]
}
