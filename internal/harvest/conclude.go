package harvest

import (
	"fmt"
	"slices"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// telling ranks the classes of failed candidates by how much they tell the
// user: the first that occurs is the job's class.
var telling = [...]paper.Class{ //nolint:gochecknoglobals // a table, never written
	paper.Config, paper.Transient, paper.Throttled, paper.Challenge, paper.Forbidden, paper.LoginWall,
	paper.CookieWall, paper.Paywall, paper.WrongWork, paper.TooLarge, paper.InvalidContent, paper.WrongType,
	paper.RedirectLoop, paper.PolicySkipped, paper.Gone, paper.NotFoundID,
}

// conclude ends a round that found no file: a later one may, or the job is over.
func (w walk) conclude(sig queue.Signal) queue.Outcome {
	st := w.story
	class, note := st.verdict()
	out := queue.Outcome{Reason: string(class), Class: string(class), Error: note, Signal: sig}
	if st.mayChange() && !w.Last(w.job) {
		st.again()
		out.Verb, out.Key, out.Progress = queue.Retry, w.next(st).key, st.encode()
		return out
	}
	rec := st.record(nil)
	if at, worth := recheck(class, st.Published, w.job.CreatedAt, time.Now()); worth {
		rec.Recheck = &at
		out.Result = encode(paper.Missed{Recheck: &at})
	}
	if file := st.kept(); class == paper.WrongWork && file != nil {
		out.Result = encode(file)
	}
	out.Verb, out.State, out.Record = queue.Finish, state(class), encode(rec)
	return out
}

// kept returns the first file that was put aside, or nil.
func (st *story) kept() *paper.File {
	for _, t := range st.Tried {
		if t.Kept != nil {
			return t.Kept
		}
	}
	return nil
}

// mayChange reports whether trying again soon may end otherwise.
func (st *story) mayChange() bool {
	return slices.ContainsFunc(st.Asked, func(a paper.Asked) bool { return a.Class == paper.Transient }) ||
		slices.ContainsFunc(st.Tried, func(t trial) bool { return t.Class == paper.Transient })
}

// verdict returns the class of a story that gave no file, and a line that says why.
func (st *story) verdict() (paper.Class, string) {
	for _, class := range telling {
		for _, t := range st.Tried {
			if t.Class == class && (class != paper.Gone || !st.behindDOI(t)) {
				return class, t.URL + ": " + or(t.Note, string(class))
			}
		}
	}
	for _, class := range []paper.Class{paper.Config, paper.BudgetExhausted, paper.Throttled, paper.Transient, paper.NotFoundID} {
		for _, a := range st.Asked {
			if a.Class == class {
				return class, a.Resolver + ": " + or(a.Note, string(class))
			}
		}
	}
	for _, a := range st.Asked {
		if a.Class != "" {
			return a.Class, a.Resolver + ": " + or(a.Note, string(a.Class))
		}
	}
	if slices.ContainsFunc(st.Tried, func(t trial) bool { return !st.behindDOI(t) }) {
		return paper.NoPDFLink, "open pages are known, but none names a file"
	}
	return paper.NoOALocation, fmt.Sprintf("none of %d sources knows an open copy", len(st.Asked))
}

// behindDOI reports whether a candidate is just the page that the DOI leads to,
// which no source has called open.
func (st *story) behindDOI(t trial) bool {
	return t.Source == "landing" && t.Kind == paper.Landing && st.Artifact.IDs.DOI != ""
}

// state says how a job without a file ends: as skipped if there is nothing to
// get under the present policy, else as an error.
func state(class paper.Class) queue.State {
	switch class {
	case paper.NoOALocation, paper.NoPDFLink, paper.PolicySkipped, paper.TooLarge, paper.Paywall:
		return queue.Skipped
	default:
		return queue.Error
	}
}
