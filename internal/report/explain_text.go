package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Write tells the story in words, for a terminal.
func (s Story) Write(w io.Writer) error {
	p := printer{w: w}
	p.line("%s", s.ArtifactID)
	if s.Title != nil {
		p.line("  %s", *s.Title)
	}
	p.line("  %s", s.headline())
	p.identifiers(s)
	p.head("Sources asked", len(s.Asked))
	for _, a := range s.Asked {
		p.line("  %-15s %s", a.Resolver, a.Answer)
	}
	p.head("Not asked", len(s.NotAsked))
	p.notAsked(s.NotAsked)
	p.head("Candidates", len(s.Tried))
	for i, c := range s.Tried {
		p.candidate(i+1, c)
	}
	p.head("Failed attempts", len(s.History))
	for _, a := range s.History {
		p.line("  %d. at %s: %s", a.Number, a.Key, a.why())
	}
	if s.Path != nil {
		p.line("")
		head := "File  %s"
		if s.State != queue.Done {
			head = "Kept  %s, to be looked at"
		}
		p.line(head, *s.Path)
		p.line("      %d bytes, %s, verdict %s, licence %s, version %s", *s.Bytes, orUnknown(s.MediaType), orUnknown(s.Verdict), orUnknown(s.License), orUnknown(s.Version))
		if s.Pages != nil || s.Identity != nil {
			pages := "unknown"
			if s.Pages != nil {
				pages = strconv.Itoa(*s.Pages)
			}
			p.line("      pages %s, identity %s", pages, orUnknown(s.Identity))
		}
		if s.Flaw != nil {
			p.line("      %s", *s.Flaw)
		}
		p.line("      from %s, through %s", orUnknown(s.URL), orUnknown(s.Resolver))
	}
	p.next(s)
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

// head begins a part of the story, if there is anything in it.
func (p *printer) head(title string, n int) {
	if n > 0 {
		p.line("")
		p.line("%s", title)
	}
}

// identifiers lists the identifiers, if any are known besides the one in the title.
func (p *printer) identifiers(s Story) {
	ids := named(s.IDs)
	if len(ids) < 2 {
		return
	}
	p.head("Identifiers", len(ids))
	for _, name := range idNames() {
		if ids[name] == "" {
			continue
		}
		from := "source not known"
		switch f := s.IDsFrom[name]; {
		case f != nil && *f == "given":
			from = "given"
		case f != nil:
			from = "from " + *f
		}
		p.line("  %-15s %s, %s", name, ids[name], from)
	}
}

// notAsked lists sources by why they were not asked.
func (p *printer) notAsked(list []NotAsked) {
	var reasons []string
	names := make(map[string][]string)
	for _, n := range list {
		if names[n.Why] == nil {
			reasons = append(reasons, n.Why)
		}
		names[n.Why] = append(names[n.Why], n.Resolver)
	}
	for _, why := range reasons {
		p.line("  %s: %s", why, strings.Join(names[why], ", "))
	}
}

func (p *printer) candidate(n int, c Candidate) {
	p.line("  %d. %s", n, c.URL)
	what := fmt.Sprintf("%s from %s", c.Kind, c.Source)
	if c.License != "" {
		what += ", licence " + c.License
	}
	if c.Version != "" {
		what += ", version " + string(c.Version)
	}
	p.line("     %s: %s", what, c.end())
	if len(c.Hops) > 0 && c.Note != "" && !told(c.Tried) {
		p.line("     %s", c.Note)
	}
	if c.Kept != nil {
		p.line("     kept as %s, to be looked at", c.Kept.Path)
	}
	for _, h := range c.Hops {
		status := fmt.Sprint(h.Status)
		if h.Status == 0 {
			status = "no answer"
		}
		if len(c.Hops) == 1 && h.URL == c.URL {
			p.line("     → %s", status)
			continue
		}
		p.line("     → %s %s", status, h.URL)
	}
}

// end is what became of a candidate in a few words.
func (c Candidate) end() string {
	switch c.Outcome {
	case GaveFile:
		return "gave the file"
	case Searched:
		return "searched"
	case UnderWay:
		return "under way"
	case Failed:
		return string(c.Class)
	default:
		return "not tried: " + c.Why
	}
}

// told reports whether the last hop says all that the note does.
func told(t paper.Tried) bool {
	return len(t.Hops) > 0 && t.Note == fmt.Sprintf("status %d", t.Hops[len(t.Hops)-1].Status)
}

// next tells what happens next, or when it may be worth asking again.
func (p *printer) next(s Story) {
	switch {
	case s.Next != nil:
		p.line("")
		p.line("Next  %s", *s.Next)
	case s.Recheck != nil:
		dates := make([]string, len(s.Recheck.At))
		for i, at := range s.Recheck.At {
			dates[i] = at.String()[:len("2006-01-02")]
		}
		p.line("")
		p.line("Next  nothing by itself; asking again may help from %s", strings.Join(dates, ", "))
		if s.Recheck.Command != nil {
			p.line("      for all works that ended like this: %s", *s.Recheck.Command)
		}
	}
}
