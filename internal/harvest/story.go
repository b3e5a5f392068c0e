package harvest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

const (
	// maxTries is how many URLs are tried per artifact and round: more is seldom
	// worth the requests.
	maxTries = 6
	// maxCandidates, maxURLs (bytes of their URLs together), maxHopURL and maxNote
	// keep a story under 64 KiB, whatever the sources say. One answer gives it
	// at most maxPerAnswer candidates, so that none crowds out the others.
	maxCandidates = 40
	maxPerAnswer  = 2 * maxTries
	maxURLs       = 16 << 10
	maxHopURL     = 300
	maxNote       = 200
	maxTitle      = 1 << 10
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
	Artifact  paper.Artifact `json:"artifact"`
	Title     string         `json:"title,omitempty"`
	Published string         `json:"published,omitempty"`
	Hint      string         `json:"hint,omitempty"`
	License   string         `json:"license,omitempty"` // of the work, where a candidate does not say
	Volume    string         `json:"volume,omitempty"`  // ISBN or title of the book it is a part of
	Asked     []paper.Asked  `json:"asked,omitempty"`
	Cursor    string         `json:"cursor,omitempty"` // of the resolver that is being asked
	Party     *party         `json:"party,omitempty"`  // nil: it may be asked for with as many others as a request holds
	Tried     []trial        `json:"tried,omitempty"`
	At        *position      `json:"at,omitempty"`      // the fetch under way
	Refused   int            `json:"refused,omitempty"` // times in a row, at the present action
	Rounds    int            `json:"rounds,omitempty"`  // that ended without a file; attempts besides these were broken off
}

// party is how many artifacts a request to a resolver may hold if this is one of
// them, after requests for more have failed. It holds for later rounds too.
type party struct {
	Resolver string `json:"resolver"`
	Most     int    `json:"most"`
}

// trial is a candidate and what came of it.
type trial struct {
	paper.Tried
	Depth int  `json:"depth,omitempty"` // pages between the resolver's answer and this
	Over  bool `json:"over,omitempty"`  // tried in this round

	Reread  bool `json:"reread,omitempty"`  // the first answer of this round was cut or damaged
	Resumed int  `json:"resumed,omitempty"` // times in this round that a file that broke off was
}

// position is where a fetch stands: redirects have led from Tried[Index] to URL.
type position struct {
	Index int    `json:"index"`
	URL   string `json:"url"`

	// Cookies were set by the redirects so far. They go with the position, so no
	// other candidate's requests carry them, and no other job's.
	Cookies fetch.Cookies `json:"cookies,omitempty"`
}

func newStory(r Request) *story {
	return &story{Artifact: r.Artifact, Title: clip(r.Title, maxTitle), Hint: clip(r.Hint, maxNote)}
}

func loadStory(job queue.Job) (*story, error) {
	if len(job.Progress) > 0 {
		var st story
		if err := json.Unmarshal(job.Progress, &st); err != nil {
			return nil, err
		}
		if st.At != nil && (st.At.Index < 0 || st.At.Index >= len(st.Tried)) {
			return nil, fmt.Errorf("progress stands at candidate %d of %d", st.At.Index, len(st.Tried))
		}
		return &st, nil
	}
	var r Request
	if err := json.Unmarshal(job.Payload, &r); err != nil {
		return nil, err
	}
	return newStory(r), nil
}

func (st *story) encode() json.RawMessage { return encode(st) }

// add merges candidates that give what is wanted, and pages, into the story: each
// URL once, the first maxPerAnswer of them, without those that are too long for half of the room that is left, so
// that it is never used up.
func (st *story) add(found []paper.Candidate, depth int) (added int) {
	room := maxURLs
	for _, t := range st.Tried {
		room -= len(t.URL)
	}
	room /= 2
	for _, c := range found {
		if len(st.Tried) >= maxCandidates || added >= maxPerAnswer {
			break
		}
		if c.Kind != st.Artifact.Wants() && c.Kind != paper.Landing {
			continue
		}
		known := slices.ContainsFunc(st.Tried, func(t trial) bool { return t.URL == c.URL && (c.Kind != paper.HTML || t.Kind == paper.HTML) })
		if known || len(c.URL) > room {
			continue
		}
		st.Tried = append(st.Tried, trial{Tried: paper.Tried{Candidate: c}, Depth: depth})
		room -= len(c.URL)
		added++
	}
	return added
}

// ask notes what came of asking a resolver.
func (st *story) ask(a paper.Asked) {
	a.Note = clip(a.Note, maxNote)
	st.Asked = append(st.Asked, a)
}

// hop notes an exchange of the fetch under way.
func (st *story) hop(h paper.Hop) {
	h.URL, h.Note = hopURL(h.URL), clip(h.Note, maxNote)
	t := st.at()
	t.Hops = append(t.Hops, h)
}

// hopURL is the form of a URL in hops: long ones are cut, with a checksum that
// keeps them apart.
func hopURL(url string) string {
	if len(url) <= maxHopURL {
		return url
	}
	sum := sha256.Sum256([]byte(url))
	return url[:maxHopURL-20] + "…" + hex.EncodeToString(sum[:8])
}

// clip cuts a text to at most n bytes, at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
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
	t.Class, t.Note, t.Over = class, clip(note, maxNote), true
	st.At, st.Refused = nil, 0
}

// reread has a file that came cut or damaged asked for once more, from its first
// URL: the next answer may be whole. It reports whether it is to be.
func (st *story) reread(class paper.Class, why string) bool {
	t := st.at()
	if class != paper.InvalidContent || t.Reread {
		return false
	}
	t.Reread, t.Hops, t.Note = true, nil, clip("once more, as the first answer was bad: "+why, maxNote)
	st.At.URL, st.Refused = t.URL, 0
	return true
}

// license returns that of a candidate. Sources that name one for the work as a
// whole mean its published version.
func (st *story) license(c paper.Candidate) string {
	if c.Version == paper.Published {
		return or(c.License, st.License)
	}
	return c.License
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

// dead lists the candidates that are gone.
func (st *story) dead() []paper.Candidate {
	var gone []paper.Candidate
	for _, t := range st.Tried {
		if t.Over && t.Class == paper.Gone && !st.behindDOI(t) {
			gone = append(gone, t.Candidate)
		}
	}
	return gone
}

// met returns the candidate that was tried and passed through url, or nil. A page
// that was searched may still be the full text.
func (st *story) met(url string, kind paper.Kind) *trial {
	for i := range st.Tried {
		t := &st.Tried[i]
		if t.Over && t.passed(url) && (kind != paper.HTML || t.Kind == paper.HTML) {
			return t
		}
	}
	return nil
}

// passed reports whether the candidate's fetch came by url.
func (t *trial) passed(url string) bool { return t.passes(url) > 0 }

// passes counts how often the candidate's fetch was redirected from url, or ended
// there.
func (t *trial) passes(url string) (n int) {
	url = hopURL(url)
	for _, h := range t.Hops {
		if h.URL == url {
			n++
		}
	}
	return n
}

// again opens a new round: what failed for the time being may be tried again.
func (st *story) again() {
	st.Asked = slices.DeleteFunc(st.Asked, func(a paper.Asked) bool { return a.Class == paper.Transient })
	for i := range st.Tried {
		if t := &st.Tried[i]; t.Class == paper.Transient {
			t.Over, t.Reread, t.Resumed, t.Class, t.Note, t.Hops = false, false, 0, "", "", nil
		}
	}
	st.At, st.Cursor, st.Refused = nil, "", 0
	st.Rounds++
}

// record makes the catalog's record of the story.
func (st *story) record(file *paper.File) paper.Record {
	r := paper.Record{ArtifactID: st.Artifact.ID, IDs: st.Artifact.IDs, Title: st.Title, Published: st.Published, Asked: st.Asked, File: file}
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
