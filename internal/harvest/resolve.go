package harvest

import (
	"context"
	"errors"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// longGate is how long a job waits for a key that asked it to: longer than this
// and the job turns to its next source, while the key stays gated as told.
const longGate = 15 * time.Minute

// hear takes in a resolver's answer.
func (st *story) hear(name string, ans paper.Answer) {
	st.Refused = 0
	learnt := ans.IDs.Without(st.Artifact.IDs)
	st.Artifact.IDs.Merge(learnt)
	if st.Title == "" {
		st.Title = clip(ans.Title, maxTitle)
	}
	if st.Published == "" {
		st.Published = ans.Published
	}
	if st.License == "" {
		st.License = ans.License
	}
	if st.Volume == "" {
		st.Volume = clip(ans.Volume, maxNote)
	}
	for i := range ans.Candidates {
		if c := &ans.Candidates[i]; c.Source == "" {
			c.Source = name
		}
	}
	st.add(ans.Candidates, 0)
	st.Cursor = ans.Cursor
	if ans.Cursor != "" {
		return // asked again at once
	}
	st.ask(paper.Asked{Resolver: name, Candidates: len(ans.Candidates), Class: ans.Class, Note: ans.Note, IDs: learnt})
}

// unresolved decides what a source's failure means.
func (w walk) unresolved(ctx context.Context, r paper.Resolver, err error) queue.Outcome {
	if ctx.Err() != nil {
		return w.handBack("", queue.Signal{})
	}
	if out, ours := w.ours(err); ours {
		return out
	}
	fail := asFailure(err)
	sig := w.signal(fail)
	switch fail.Class {
	case paper.Throttled, paper.BudgetExhausted:
		w.story.Refused++
		if fail.RetryAfter <= longGate && w.story.Refused <= maxRefusals {
			return w.handBack(string(fail.Class), sig)
		}
	case paper.Config:
		w.switchOff(r.Name(), fail)
	default: // the next source is asked
	}
	w.story.Cursor, w.story.Refused = "", 0
	w.story.ask(paper.Asked{Resolver: r.Name(), Class: fail.Class, Note: fail.Error()})
	return w.goOn(sig)
}

func asFailure(err error) *paper.Failure {
	if fail, ok := errors.AsType[*paper.Failure](err); ok {
		return fail
	}
	return &paper.Failure{Class: paper.Transient, Err: err}
}

// loadRobots makes one request on the way to a robots.txt.
func (w walk) loadRobots(ctx context.Context, url string) queue.Outcome {
	status, err := w.cfg.Robots.Load(ctx, url)
	if ctx.Err() != nil {
		return w.handBack("", queue.Signal{})
	}
	if out, ours := w.ours(err); ours {
		return out
	}
	var sig queue.Signal
	if status != 0 {
		sig.Kind = queue.OK
	}
	if err != nil {
		fail := asFailure(err)
		sig = w.signal(fail)
		if fail.Class == paper.Config { // our fault: Robots learns nothing from it and would ask again
			w.story.fail(fail.Class, fail.Error())
			return w.goOn(sig)
		}
	}
	sig.Allowance = w.crawlDelay(w.story.At.URL) // before the first request that it is about
	return w.goOn(sig)
}
