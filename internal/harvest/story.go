package harvest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

const (
	// maxTries is how many URLs are tried per artifact and round: more is seldom
	// worth the requests.
	maxTries = 6
	// maxCandidates bounds a story, whatever the sources say.
	maxCandidates = 40
	// maxHops is how many requests a candidate may take, as for most browsers
	// and for RFC 9110 section 15.4, which leaves the number to the client.
	maxHops = 10
	// maxDepth is how many pages may lie between a resolver's candidate and the file.
	maxDepth = 2
	// maxRefusals is how often in a row a key may refuse a job (429) before the
	// job turns to its next candidate.
	maxRefusals = 10
)

// story is what a job knows: asked, tried, and where it stands.
type story struct {
	Artifact paper.Artifact `json:"artifact"`
	Title    string         `json:"title,omitempty"`
	Hint     string         `json:"hint,omitempty"`
	License  string         `json:"license,omitempty"` // of the work, where a candidate does not say
	Asked    []paper.Asked  `json:"asked,omitempty"`
	Cursor   string         `json:"cursor,omitempty"` // of the resolver that is being asked
	Tried    []trial        `json:"tried,omitempty"`
	At       *position      `json:"at,omitempty"`      // the fetch under way
	Refused  int            `json:"refused,omitempty"` // times in a row, at the present action
}

// trial is a candidate and what came of it.
type trial struct {
	paper.Tried
	Depth int  `json:"depth,omitempty"` // pages between the resolver's answer and this
	Over  bool `json:"over,omitempty"`  // tried in this round
}

// position is where a fetch stands: redirects have led from Tried[Index] to URL.
type position struct {
	Index int    `json:"index"`
	URL   string `json:"url"`
}

func newStory(r Request) *story {
	return &story{Artifact: r.Artifact, Title: r.Title, Hint: r.Hint}
}

func loadStory(job queue.Job) (*story, error) {
	if len(job.Progress) > 0 {
		var st story
		if err := json.Unmarshal(job.Progress, &st); err != nil {
			return nil, err
		}
		return &st, nil
	}
	var r Request
	if err := json.Unmarshal(job.Payload, &r); err != nil {
		return nil, err
	}
	return newStory(r), nil
}

func (st *story) encode() json.RawMessage {
	b, err := json.Marshal(st)
	if err != nil {
		panic(err) // only strings, numbers and slices of them
	}
	return b
}

// add merges candidates into the story: each URL once.
func (st *story) add(found []paper.Candidate, depth int) (added int) {
	for _, c := range found {
		if len(st.Tried) >= maxCandidates {
			break
		}
		known := slices.ContainsFunc(st.Tried, func(t trial) bool { return t.URL == c.URL })
		if !known {
			st.Tried = append(st.Tried, trial{Tried: paper.Tried{Candidate: c}, Depth: depth})
			added++
		}
	}
	return added
}

// asked returns what the resolver answered in this round, or nil.
func (st *story) asked(name string) *paper.Asked {
	for i := range st.Asked {
		if st.Asked[i].Resolver == name {
			return &st.Asked[i]
		}
	}
	return nil
}

// at returns the candidate being fetched.
func (st *story) at() *trial { return &st.Tried[st.At.Index] }

// fail ends the fetch under way.
func (st *story) fail(class paper.Class, note string) {
	t := st.at()
	t.Class, t.Note, t.Over = class, clip(note), true
	st.At, st.Refused = nil, 0
}

// clip bounds what others' texts add to a story.
func clip(note string) string {
	const most = 300
	if len(note) <= most {
		return note
	}
	return strings.ToValidUTF8(note[:most], "") + "…"
}

// tries counts the candidates that were tried in this round.
func (st *story) tries() int {
	n := 0
	for _, t := range st.Tried {
		if t.Over && len(t.Hops) > 0 {
			n++
		}
	}
	return n
}

// met returns the candidate that was tried and passed through url, or nil.
func (st *story) met(url string) *trial {
	for i := range st.Tried {
		t := &st.Tried[i]
		if t.Over && slices.ContainsFunc(t.Hops, func(h paper.Hop) bool { return h.URL == url }) {
			return t
		}
	}
	return nil
}

// again opens a new round: what failed for the time being may be tried again.
func (st *story) again() {
	st.Asked = slices.DeleteFunc(st.Asked, func(a paper.Asked) bool { return a.Class == paper.Transient })
	for i := range st.Tried {
		if t := &st.Tried[i]; t.Class == paper.Transient {
			t.Over, t.Class, t.Note, t.Hops = false, "", "", nil
		}
	}
	st.At, st.Cursor, st.Refused = nil, "", 0
}

// record makes the catalog's record of the story.
func (st *story) record(file *paper.File) paper.Record {
	r := paper.Record{ArtifactID: st.Artifact.ID, IDs: st.Artifact.IDs, Title: st.Title, Asked: st.Asked, File: file}
	for _, t := range st.Tried {
		r.Tried = append(r.Tried, t.Tried)
	}
	return r
}

// Story returns what an unfinished job has learnt so far, as a record.
func Story(job queue.Job) (paper.Record, error) {
	st, err := loadStory(job)
	if err != nil {
		return paper.Record{}, err
	}
	return st.record(nil), nil
}
