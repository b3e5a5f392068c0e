package report

import (
	"fmt"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Story is the JSON shape of the whole story of one work.
type Story struct {
	Job
	Title *string     `json:"title"`
	IDs   paper.IDs   `json:"ids"`
	Asked []Asked     `json:"asked"`
	Tried []Candidate `json:"tried"`

	History []Attempt `json:"history"`
	Next    *string   `json:"next"` // what happens next and when; null when finished

	IDsFrom  map[string]*string `json:"ids_from"`  // of each of IDs: "given", or the resolver that told it; null: not known
	NotAsked []NotAsked         `json:"not_asked"` // resolvers in force, in their order
	Recheck  *Recheck           `json:"recheck"`   // null: got, not finished, or final
}

// Asked is the JSON shape of a resolver's answer.
type Asked struct {
	paper.Asked
	Answer string `json:"answer"` // in a line
}

// Candidate is the JSON shape of a candidate and what became of it.
type Candidate struct {
	paper.Tried
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why"` // it was tried when it was, or not at all
}

// NotAsked is the JSON shape of a resolver that was not asked.
type NotAsked struct {
	Resolver string `json:"resolver"`
	Why      string `json:"why"`
}

// Recheck is the JSON shape of when it may be worth asking again.
type Recheck struct {
	At      []Time  `json:"at"`
	Command *string `json:"command"` // for all works that ended in this way; null: there is none
}

// NewStory makes the story of a job from its record, which may be unfinished,
// and its failed attempts. sources are the resolvers in force, in the order in
// which they are asked.
func NewStory(j queue.Job, r paper.Record, attempts []queue.Attempt, sources []paper.Resolver) Story {
	job := NewJob(j)
	t := teller{job: j, rec: r, given: givenBy(j), sources: sources, fileURL: orEmpty(job.URL)}
	s := Story{
		Job: job, Title: known(r.Title), IDs: r.IDs, Asked: []Asked{}, Tried: []Candidate{},
		History: NewHistory(attempts), Next: known(next(j)), IDsFrom: t.idsFrom(), NotAsked: t.notAsked(), Recheck: recheck(j),
	}
	for _, a := range r.Asked {
		s.Asked = append(s.Asked, Asked{a, answer(a)})
	}
	for _, c := range r.Tried {
		outcome, why := t.fate(c)
		s.Tried = append(s.Tried, Candidate{c, outcome, why})
	}
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

// recheck tells when a work that was not got may be worth asking for again: as the
// harvest said, or by the class of its end.
func recheck(j queue.Job) *Recheck {
	if !j.State.Terminal() || j.State == queue.Done {
		return nil
	}
	class := j.Class
	if class == "" {
		class = j.Reason
	}
	e, ok := endingOf(class)
	if at := RecheckAt(j); ok && !at.IsZero() {
		return &Recheck{[]Time{Time(at)}, known(e.command("", class))}
	}
	if !ok || len(e.recheck) == 0 {
		return nil
	}
	r := &Recheck{Command: known(e.command("", class))}
	for _, days := range e.recheck {
		r.At = append(r.At, Time(j.UpdatedAt.Add(time.Duration(days)*24*time.Hour)))
	}
	return r
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
