package report

import (
	"fmt"
	"io"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Story is the JSON shape of the whole story of one work.
type Story struct {
	Job
	Title *string       `json:"title"`
	IDs   paper.IDs     `json:"ids"`
	Asked []paper.Asked `json:"asked"`
	Tried []paper.Tried `json:"tried"`

	History []Attempt `json:"history"`
	Next    *string   `json:"next"` // what happens next and when; null when finished
}

// NewStory makes the story of a job from its record, which may be unfinished,
// and its failed attempts.
func NewStory(j queue.Job, r paper.Record, attempts []queue.Attempt) Story {
	s := Story{Job: NewJob(j), Title: known(r.Title), IDs: r.IDs, Asked: r.Asked, Tried: r.Tried, History: NewHistory(attempts)}
	if s.Asked == nil {
		s.Asked = []paper.Asked{}
	}
	if s.Tried == nil {
		s.Tried = []paper.Tried{}
	}
	s.Next = known(next(j))
	return s
}

// next says what an unfinished job waits for.
func next(j queue.Job) string {
	switch wait := time.Until(j.AvailableAt); {
	case j.State == queue.InProgress:
		return "a step is running at " + j.Key
	case j.State == queue.Queued && wait > 0:
		return fmt.Sprintf("a step at %s, not before %s", j.Key, Time(j.AvailableAt))
	case j.State == queue.Queued:
		return "a step at " + j.Key + ", when a run has room"
	}
	return ""
}

// Write tells the story in words, for a terminal.
func (s Story) Write(w io.Writer) error {
	p := printer{w: w}
	p.line("%s", s.ArtifactID)
	if s.Title != nil {
		p.line("  %s", *s.Title)
	}
	p.line("  %s", s.headline())
	if len(s.Asked) > 0 {
		p.line("")
		p.line("Sources asked")
	}
	for _, a := range s.Asked {
		p.line("  %-15s %s", a.Resolver, answer(a))
	}
	if len(s.Tried) > 0 {
		p.line("")
		p.line("Candidates")
	}
	for i, t := range s.Tried {
		p.candidate(i+1, t)
	}
	if len(s.History) > 0 {
		p.line("")
		p.line("Failed attempts")
	}
	for _, a := range s.History {
		p.line("  %d. at %s: %s", a.Number, a.Key, a.why())
	}
	if s.Path != nil {
		p.line("")
		p.line("File  %s", *s.Path)
		p.line("      %d bytes, %s, verdict %s, licence %s, version %s", *s.Bytes, orUnknown(s.MediaType), orUnknown(s.Verdict), orUnknown(s.License), orUnknown(s.Version))
	}
	if s.Next != nil {
		p.line("")
		p.line("Next  %s", *s.Next)
	}
	return p.err
}

// headline is the story in a sentence.
func (s Story) headline() string {
	text := string(s.State)
	if s.Reason != nil {
		text += ": " + *s.Reason
	}
	if s.LastError != nil {
		text += " (" + *s.LastError + ")"
	}
	return fmt.Sprintf("%s, attempts %d", text, s.Attempts)
}

func orUnknown(s *string) string {
	if s == nil {
		return "unknown"
	}
	return *s
}

// answer is a source's answer in a few words.
func answer(a paper.Asked) string {
	text := fmt.Sprintf("%d candidates", a.Candidates)
	switch {
	case a.Class != "":
		text = string(a.Class)
	case a.Candidates == 0:
		text = "nothing"
	case a.Candidates == 1:
		text = "1 candidate"
	}
	if a.Note != "" {
		text += ": " + a.Note
	}
	return text
}

// printer writes lines and remembers the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, Printable(fmt.Sprintf(format, args...)))
	}
}

func (p *printer) candidate(n int, t paper.Tried) {
	outcome := "gave the file"
	switch {
	case t.Class != "":
		outcome = string(t.Class)
	case len(t.Hops) == 0:
		outcome = "not tried"
	case t.Kind == paper.Landing:
		outcome = "searched"
	}
	p.line("  %d. %s", n, t.URL)
	what := fmt.Sprintf("%s from %s", t.Kind, t.Source)
	if t.License != "" {
		what += ", licence " + t.License
	}
	if t.Version != "" {
		what += ", version " + string(t.Version)
	}
	p.line("     %s: %s", what, outcome)
	if t.Note != "" && !told(t) {
		p.line("     %s", t.Note)
	}
	for _, h := range t.Hops {
		if len(t.Hops) == 1 && h.URL == t.URL {
			p.line("     → %d", h.Status)
			continue
		}
		p.line("     → %d %s", h.Status, h.URL)
	}
}

// told reports whether the last hop says all that the note does.
func told(t paper.Tried) bool {
	return len(t.Hops) > 0 && t.Note == fmt.Sprintf("status %d", t.Hops[len(t.Hops)-1].Status)
}
