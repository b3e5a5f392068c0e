package harvest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// Nowhere is the key of a job that has nowhere to go. No request is made there,
// so it needs no limit.
const Nowhere = "resolver:none"

// action is the next thing to do for a story, at one key.
type action struct {
	key      string
	resolver paper.Resolver // ask it
	robots   string         // load this robots.txt
	wait     time.Duration  // another job is loading the robots.txt
	url      string         // fetch this
	over     bool           // nothing is left to do in this round
}

// next decides what to do next: go on with the fetch under way, then try files,
// then ask resolvers, then look through pages. It asks local resolvers on the
// way, and changes the story only by what they say and by taking up a candidate.
// Last, if nothing else is left, it asks those that may have kept dead files.
func (h *Harvest) next(st *story) action {
	for {
		if st.At == nil && st.tries() >= maxTries {
			return action{key: Nowhere, over: true} // what else there is to learn could not be tried
		}
		if st.At == nil && !h.better(st) {
			h.choose(st, st.Artifact.Wants())
		}
		if st.At != nil {
			if act, ok := h.fetchAction(st); ok {
				return act
			}
			continue
		}
		r := h.nextResolver(st)
		switch {
		case r != nil && r.Local():
			h.askLocal(st, r)
		case r != nil:
			return action{key: "resolver:" + r.Name(), resolver: r}
		case !h.choose(st, paper.Landing) && !h.bury(st):
			return action{key: Nowhere, over: true}
		}
	}
}

// better reports whether a resolver that stands before the sources of all files
// still to be tried has become able to answer: it is asked first. So a PMCID
// that is learnt leads to the open-data bucket, which the order prefers.
func (h *Harvest) better(st *story) bool {
	next := h.nextResolver(st)
	if next == nil || next.Local() {
		return false
	}
	return !slices.ContainsFunc(st.Tried, func(t trial) bool {
		return !t.Over && t.Kind != paper.Landing && h.rank(st, t.Source) < h.rank(st, next.Name())
	})
}

// bury tells the sources which candidates are dead, and reports whether one of
// them can be asked now that could not be before.
func (h *Harvest) bury(st *story) bool {
	st.Artifact.Dead = st.dead()
	return h.nextResolver(st) != nil
}

// choose takes up the candidate of a kind that is to be tried next: one with
// nothing against it, of the best version, of the source that is asked first, and
// of its candidates the first.
func (h *Harvest) choose(st *story, kind paper.Kind) bool {
	best, first := -1, merit{}
	for i := range st.Tried {
		t := &st.Tried[i]
		if t.Over || t.Kind != kind || h.refuse(st, t) {
			continue
		}
		if m := h.merit(st, t); best < 0 || m.before(first) {
			best, first = i, m
		}
	}
	if best < 0 {
		return false
	}
	st.Tried[best].Note = ""
	st.At = &position{Index: best, URL: st.Tried[best].URL}
	return true
}

// merit orders candidates; what is smaller comes first.
type merit struct {
	doubt   int // 1: there is evidence against it
	version int
	source  int
}

func (m merit) before(o merit) bool {
	return cmp.Or(cmp.Compare(m.doubt, o.doubt), cmp.Compare(m.version, o.version), cmp.Compare(m.source, o.source)) < 0
}

// merit says how promising a candidate is, and notes what speaks against it.
func (h *Harvest) merit(st *story, t *trial) merit {
	m := merit{version: versionRank(t.Version), source: h.rank(st, t.Source)}
	if place, seen := h.evidence.against(st.Artifact, t.Candidate); place != "" {
		m.doubt = 1
		t.Note = clip(fmt.Sprintf("put back: %s gave %d of %d files in this run", place, seen.good, seen.good+seen.bad), maxNote)
	}
	return m
}

// versionRank orders versions; that of most candidates whose source does not say
// is the published one, but nobody knows.
func versionRank(v paper.Version) int {
	switch v {
	case paper.Published:
		return 0
	case paper.Accepted:
		return 1
	case paper.Submitted:
		return 3
	default:
		return 2
	}
}

// rank is the place of a source in the order in which they are asked.
func (h *Harvest) rank(st *story, source string) int {
	if source == st.Hint {
		return -1
	}
	return slices.IndexFunc(h.cfg.Resolvers, func(r paper.Resolver) bool { return r.Name() == source })
}

// refuse ends a candidate that is not to be tried, and reports whether it did.
func (h *Harvest) refuse(st *story, t *trial) bool {
	if why := h.cfg.Accept.refuses(st.license(t.Candidate), t.Version); why != "" {
		t.Over, t.Class, t.Note = true, paper.PolicySkipped, why
		return true
	}
	if before := st.met(t.URL, t.Kind); before != nil {
		t.Over, t.Class, t.Note = true, before.Class, "met before, on the way from "+before.URL
		return true
	}
	return false
}

// refuses returns why the policy refuses a file, or "".
func (a Accept) refuses(license string, version paper.Version) string {
	if len(a.Versions) > 0 && version != "" && !slices.Contains(a.Versions, version) {
		return "version " + string(version) + " is not among accept.versions"
	}
	if len(a.Licenses) > 0 && !slices.Contains(a.Licenses, license) {
		return "licence " + or(license, "unknown") + " is not among accept.licenses"
	}
	return ""
}

// nextResolver returns the first resolver that is still to be asked, or nil.
// What is learnt on the way may make an earlier one able to answer.
func (h *Harvest) nextResolver(st *story) paper.Resolver {
	var first paper.Resolver
	for _, r := range h.cfg.Resolvers {
		if st.asked(r.Name()) != nil || !r.Accepts(st.Artifact) {
			continue
		}
		if why := h.switchedOff(r.Name()); why != "" {
			st.ask(paper.Asked{Resolver: r.Name(), Class: paper.Config, Note: why})
			continue
		}
		if r.Name() == st.Hint {
			return r
		}
		if first == nil {
			first = r
		}
	}
	return first
}

// askLocal asks a resolver that makes no request.
func (h *Harvest) askLocal(st *story, r paper.Resolver) {
	answers, err := r.Resolve(context.Background(), []paper.Artifact{st.Artifact})
	if err != nil {
		st.ask(paper.Asked{Resolver: r.Name(), Class: paper.Config, Note: err.Error()})
		return
	}
	st.hear(r.Name(), answers[0])
}

// fetchAction says what the fetch under way needs next. It is not ok if the
// candidate can't be fetched: the story then says why.
func (h *Harvest) fetchAction(st *story) (action, bool) {
	url := st.At.URL
	if h.cfg.Fetch != nil {
		if err := h.cfg.Fetch.CheckURL(url); err != nil {
			st.fail(asFailure(err).Class, err.Error())
			return action{}, false
		}
	}
	act := action{key: h.cfg.HostKey(url), url: url}
	t := st.at()
	if h.cfg.Robots == nil || !t.Guessed && t.Kind != paper.Landing || h.cfg.Exempt(url) {
		return act, true
	}
	switch ruling := h.cfg.Robots.Ask(url); ruling.State {
	case fetch.Refused:
		class := paper.PolicySkipped
		if ruling.RetryIn > 0 {
			class = paper.Transient // nobody knows what it says: its host does not answer
		}
		st.fail(class, ruling.Reason)
		return action{}, false
	case fetch.NeedsLoad:
		return action{key: h.cfg.HostKey(ruling.LoadURL), robots: ruling.LoadURL}, true
	case fetch.Loading:
		act.wait = ruling.RetryIn
	case fetch.Allowed:
	}
	return act, true
}
