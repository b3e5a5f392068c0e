package report

import (
	"context"
	"math"

	"github.com/quire-dev/quire/paper"
)

// Plan is the JSON shape of what getting works will take. It is made without any
// request.
type Plan struct {
	Works      int `json:"works"`      // to get: those that the lines below do not count
	Duplicates int `json:"duplicates"` // rows that name a work again, among the first four million
	Rejected   int `json:"rejected"`   // rows that can't be used
	Done       int `json:"done"`       // got already
	Ended      int `json:"ended"`      // skipped or failed before: importing leaves them alone

	Files       float64      `json:"files"` // expected
	Bytes       float64      `json:"bytes"` // of them
	Sources     []PlanSource `json:"sources"`
	Keys        []PlanKey    `json:"keys"`        // those that take longest first
	BoundKey    *string      `json:"bound_key"`   // the first of Keys; null if there is nothing to do
	Seconds     Range        `json:"seconds"`     // the longest of Keys, of each bound: no run is shorter
	Assumptions []Assumption `json:"assumptions"` // that the expected values rest on
}

// Range bounds a number, each for itself: Min if each work gets its file from the
// first source that could give it, Max if all sources are asked about all works, in
// vain; and none of the works, or all, turn out to be in PMC. Min counts requests
// for files only where their addresses are known beforehand.
type Range struct {
	Min      float64 `json:"min"`
	Expected float64 `json:"expected"`
	Max      float64 `json:"max"`
}

// PlanSource is the JSON shape of what a source is asked.
type PlanSource struct {
	Name  string  `json:"name"`
	Key   *string `json:"key"`   // null: it makes no request
	Batch int     `json:"batch"` // works that a request asks for
	Asked Range   `json:"asked"` // works
	Calls Range   `json:"calls"` // requests
	Files float64 `json:"files"` // expected to be got through it
}

// PlanKey is the JSON shape of what a key has to bear.
type PlanKey struct {
	Key      string   `json:"key"` // "host:*": the busiest of the hosts that are not known before sources are asked; "max_workers"
	Requests Range    `json:"requests"`
	Seconds  Range    `json:"seconds"`
	Binds    string   `json:"binds"` // BindsPace and so on: what makes it take so long
	Every    *float64 `json:"every_seconds"`
	InFlight *int     `json:"in_flight"`
	Daily    *int     `json:"daily"`
	Advice   *string  `json:"advice"` // if it takes more than an hour
}

// What makes a key take as long as it does.
const (
	BindsPace     = "pace"      // the time between two starts
	BindsInFlight = "in_flight" // the requests at once, and how long one takes
	BindsDaily    = "daily"     // the requests in a day
	BindsWorkers  = "workers"   // the requests at once over all keys
)

// PlanLimit is what is in force at a key.
type PlanLimit struct {
	Key       string  // that others may share
	InFlight  int     // requests at once; 0: any number
	PerSecond float64 // 0: any number
	Batch     int     // works that a request may ask for; 0 counts as 1
	Daily     int     // requests in a day of UTC; 0: any number
}

// Planner makes a [Plan], work by work. Works that can be asked for in the same
// ways are counted together, so its memory does not grow with their number. It is
// not safe for concurrent use.
type Planner struct {
	sources []plannedSource
	allowed func(key string) PlanLimit
	workers int
	works   map[string]int // how many go which way; see way
	way     []byte
}

// plannedSource is a source and what is assumed of it.
type plannedSource struct {
	paper.Resolver
	limit    PlanLimit
	yield    float64
	requests float64 // for a work
	files    string  // key of its files; "" if they are anywhere
	learns   bool    // a PMCID
}

// NewPlanner returns a planner for sources in the order in which they are asked.
// allowed tells what is in force at a key, and workers is how many requests there
// may be at once over all keys.
func NewPlanner(sources []paper.Resolver, allowed func(key string) PlanLimit, workers int) *Planner {
	p := &Planner{allowed: allowed, workers: max(workers, 1), works: make(map[string]int)}
	for _, r := range sources {
		s := plannedSource{
			Resolver: r, limit: allowed("resolver:" + r.Name()), files: filesAt(r.Name()), learns: learnsPMCID(r.Name()),
			yield: assumed(yieldOf(r.Name()), assumed(otherYield, 0)), requests: assumed(requestsOf(r.Name()), 1),
		}
		if s.learns {
			s.yield = 0
		}
		p.sources = append(p.sources, s)
	}
	return p
}

// The ways in which a source accepts a work.
const (
	refused  = '-'
	accepted = '+'
	byPMCID  = 'p' // once a PMCID is known
)

// Add counts a work.
func (p *Planner) Add(ctx context.Context, a paper.Artifact) {
	learnt := a
	if learnt.IDs.PMCID == "" {
		learnt.IDs.PMCID = "PMC1"
	}
	p.way = p.way[:0]
	for i := range p.sources {
		s := &p.sources[i]
		switch {
		case s.Accepts(a):
			p.way = append(p.way, accepted)
			if s.Local() && s.files == "" {
				s.files = p.filesOf(ctx, s, a)
			}
		case s.Accepts(learnt):
			p.way = append(p.way, byPMCID)
		default:
			p.way = append(p.way, refused)
		}
	}
	p.works[string(p.way)]++
}

// filesOf asks a source that makes no request where the files are.
func (p *Planner) filesOf(ctx context.Context, s *plannedSource, a paper.Artifact) string {
	answers, err := s.Resolve(ctx, []paper.Artifact{a})
	if err != nil || len(answers) == 0 || len(answers[0].Candidates) == 0 {
		return ""
	}
	key, err := paper.HostKey(answers[0].Candidates[0].URL)
	if err != nil {
		return ""
	}
	return p.allowed(key).Key
}

// Plan returns what the works will take.
func (p *Planner) Plan() Plan {
	v := Plan{Sources: []PlanSource{}, Keys: []PlanKey{}, Assumptions: assumptions()}
	for _, n := range p.works {
		v.Works += n
	}
	least, expected, most := p.bounds()
	for i, s := range p.sources {
		asked := Range{least[i].asked, expected[i].asked, most[i].asked}
		if asked.Max == 0 {
			continue
		}
		row := PlanSource{Name: s.Name(), Batch: max(s.limit.Batch, 1), Asked: asked, Files: expected[i].files}
		if !s.Local() {
			row.Key, row.Calls = &p.sources[i].limit.Key, s.calls(asked)
		}
		v.Files += row.Files
		v.Sources = append(v.Sources, row)
	}
	v.Bytes = math.Round(v.Files * assumed(meanSize, 0))
	v.Keys = p.keys(least, expected, most)
	for i, k := range v.Keys {
		if i == 0 {
			v.BoundKey = &v.Keys[0].Key
		}
		v.Seconds = Range{max(v.Seconds.Min, k.Seconds.Min), max(v.Seconds.Expected, k.Seconds.Expected), max(v.Seconds.Max, k.Seconds.Max)}
	}
	return v
}

// calls is how many requests it takes to ask for so many works.
func (s plannedSource) calls(asked Range) Range {
	return asked.each(func(works float64) float64 {
		return math.Ceil(works * s.requests / float64(max(s.limit.Batch, 1)))
	})
}

// each returns r with f applied to its numbers.
func (r Range) each(f func(float64) float64) Range { return Range{f(r.Min), f(r.Expected), f(r.Max)} }

// plus adds two ranges.
func (r Range) plus(by Range) Range {
	return Range{r.Min + by.Min, r.Expected + by.Expected, r.Max + by.Max}
}
